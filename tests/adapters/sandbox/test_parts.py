"""The filter, the pipes, the probe: each by itself."""

from __future__ import annotations

import errno
import platform
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters import sandbox_command, sandbox_probe
from harness.adapters.sandbox_pipes import Kept, Results
from harness.adapters.sandbox_seccomp import _MACHINES, seccomp_filter
from harness.errors import SandboxAbsent

ALLOW, KILL = 0x7FFF0000, 0x80000000


def judged(program: bytes, audit: int, number: int, *arguments: int) -> int:
    """Run the kernel's filter machine; return what it decides."""
    data = struct.pack("=IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    lines = list(struct.iter_unpack("=HBBI", program))
    held, at = 0, 0
    while True:
        code, yes, no, value = lines[at]
        at += 1
        if code == 0x20:
            held = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return value
        else:
            met = {0x15: held == value, 0x25: held > value, 0x45: bool(held & value)}[code]
            at += yes if met else no


@pytest.mark.parametrize("name", sorted(_MACHINES))
def test_the_filter_decides_as_it_should(name: str):
    machine, program = _MACHINES[name], seccomp_filter(name)

    def decide(number: int, *arguments: int) -> int:
        return judged(program, machine.audit, number, *arguments)

    refused = 0x00050000 | errno.EPERM
    for number in machine.refused.values():
        assert decide(number) == refused
    assert decide(0) == ALLOW
    assert decide(machine.clone, 17) == ALLOW
    assert decide(machine.clone, 0x10000000 | 17) == refused
    assert decide(435) == 0x00050000 | errno.ENOSYS
    assert decide(5000) == 0x00050000 | errno.ENOSYS
    assert decide(0x40000000 + 101) == 0x00050000 | errno.ENOSYS
    assert [decide(machine.socket, family) for family in (1, 2, 10)] == [ALLOW] * 3
    assert decide(machine.socket, 40) == 0x00050000 | errno.EAFNOSUPPORT
    assert decide(machine.ioctl, 0, 0x5412) == refused
    assert decide(machine.ioctl, 0, 0x5401) == ALLOW
    assert judged(program, 0x40000003, 1) == KILL


def test_an_unknown_processor_is_refused():
    with pytest.raises(SandboxAbsent, match="riscv64"):
        seccomp_filter("riscv64")


@given(st.lists(st.binary(max_size=400), max_size=30), st.integers(20, 300))
def test_a_stream_is_kept_whole_or_at_both_ends(pieces: list[bytes], most: int):
    kept = Kept(most)
    for piece in pieces:
        kept.add(piece)
    whole = b"".join(pieces)
    text = kept.text()
    if len(whole) <= most:
        assert text == whole.decode("utf-8", "replace")
    else:
        assert "bytes left out" in text
        assert len(text) <= most + 60


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_nonsense_from_inside_is_never_an_error(pieces: list[bytes]):
    results = Results(1000)
    for piece in pieces:
        results.add(piece)
    assert sum(map(len, results.files.values())) <= 1000


def frame(kind: int, name: str, content: bytes = b"") -> bytes:
    return struct.pack("!BIQ", kind, len(name.encode()), len(content)) + name.encode() + content


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6), st.integers(1, 40))
def test_frames_are_read_however_they_are_cut(contents: list[bytes], step: int):
    stream = b"".join(frame(1, f"f{n}", one) for n, one in enumerate(contents))
    stream += frame(2, "gone") + frame(3, "odd") + frame(4, "-9 1", b"[7]")
    results = Results(10_000)
    for start in range(0, len(stream), step):
        results.add(stream[start : start + step])
    assert list(results.files.values()) == contents
    assert (results.removed, results.oddities) == (["gone"], ["odd"])
    assert (results.code, results.timed_out, results.value) == (-9, True, [7])


def test_more_than_is_allowed_is_not_taken():
    results = Results(100)
    results.add(frame(1, "a", b"x" * 60))
    results.add(frame(1, "b", b"x" * 60))
    assert results.broken
    assert list(results.files) == ["a"]


@pytest.mark.parametrize("odd", [frame(9, "x"), frame(4, "x"), frame(4, "0 0", b"{"), b"\xff" * 99])
def test_frames_that_make_no_sense_end_the_listening(odd: bytes):
    results = Results(100)
    results.add(odd)
    assert results.broken
    assert results.code is None


@pytest.mark.parametrize(("system", "word"), [("Darwin", "macOS"), ("Windows", "WSL 2")])
def test_other_systems_are_told_what_works_there(monkeypatch, system: str, word: str):
    monkeypatch.setattr(platform, "system", lambda: system)
    message = " ".join(sandbox_probe.why_not())
    assert word in message
    assert "`compute` works" in message


@pytest.mark.parametrize(
    ("about", "word"),
    [
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "apt-get"),
        ({"ID": "fedora"}, "dnf"),
        ({}, "package"),
    ],
)
def test_the_mend_is_for_the_system_at_hand(monkeypatch, tmp_path, about, word):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: about)
    message, mend = sandbox_probe.why_not()
    assert "not installed" in message
    assert word in mend


def test_apparmor_is_named_where_it_refuses(monkeypatch, tmp_path: Path):
    switch = tmp_path / "switch"
    switch.write_text("1\n")
    monkeypatch.setattr(sandbox_probe, "_APPARMOR", switch)
    monkeypatch.setattr(sandbox_probe.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sandbox_probe.shutil, "which", lambda _: "/usr/bin/bwrap")
    monkeypatch.setattr(sandbox_probe, "version_of", lambda _: (0, 9, 0))
    message, mend = sandbox_probe.why_not("bwrap: setting up uid map: Permission denied")
    assert "Permission denied" in message
    assert "apparmor" in mend
    assert "userns" in mend


def test_an_old_bubblewrap_is_named(monkeypatch, tmp_path: Path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert "0.6.1 is too old" in sandbox_probe.why_not()[0]


def test_a_python_among_the_users_files_is_refused(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(sandbox_command.sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sandbox_command.sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sandbox_command.Path, "home", lambda: tmp_path / "home")
    with pytest.raises(SandboxAbsent, match="files of yours"):
        sandbox_command.python_folders()
