"""What runs inside the sandbox beside the job: it unpacks files, bounds the job, packs results.

This text is handed to the sandbox's own Python and is never run in the harness's process. It
stands on the far side of the wall: the harness believes nothing that it says further than what
the job itself could have said. It begins each call, so it imports only what is there anyway or is
built in: `json`, `ast` and `typing` would take longer than all that it does.

In, on standard input: the length of the job, the job (marshal: the harness is trusted, and the
same Python), then the files' contents in its order. Out, on the pipe whose number is the first
argument: frames of a kind, a name and a content, each with its length.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # `signal` without its enumerations
import marshal
import os
import resource
import stat
import sys
import time
from _struct import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

WORK = "/run/workspace"
MODULES = "/tmp/.modules"  # noqa: S108 - the sandbox's own
MOST_FILE = 50 << 20
MOST_FILES = 2_000
MOST_ODD = 50
MOST_VALUE = 1 << 20
FILE, REMOVED, ODD, END = 1, 2, 3, 4

if TYPE_CHECKING:
    Stamps = dict[str, tuple[int, ...]]


def main() -> None:
    """Do the one job that comes on standard input."""
    results = os.fdopen(int(sys.argv[1]), "wb")
    given = sys.stdin.buffer
    job = marshal.loads(given.read(*unpack("!Q", given.read(8))))  # noqa: S302 - of the harness
    _drop(job["drop"])
    _unpack(job, given)
    before, _ = _stamps()
    _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGCHLD])
    answer, speak = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(answer)
        _become(job, speak, results)
        return
    os.close(speak)
    value, timed_out, status = _wait(child, answer, job["seconds"])
    try:  # noqa: SIM105 - contextlib takes longer to import than all of this
        os.kill(-1, _signal.SIGKILL)  # whatever the job left running; this process is spared
    except OSError:
        pass
    _pack(results, before)
    said = f"{os.waitstatus_to_exitcode(status)} {int(timed_out)}"
    _send(results, END, said, value)
    results.flush()
    os._exit(0)


def _drop(user: int) -> None:
    """Become a user of no rights, where the sandbox was started by root."""
    if not user:
        return
    for folder in (WORK, "/tmp", "/dev/shm"):  # noqa: S108 - the sandbox's own
        os.chown(folder, user, user)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _unpack(job: dict[str, Any], stream: BinaryIO) -> None:
    for path, size in job["files"]:
        where = path if path.startswith("/") else f"{WORK}/{path}"
        os.makedirs(os.path.dirname(where), exist_ok=True)  # noqa: PTH103, PTH120 - start-up time
        with open(where, "wb") as file:  # noqa: PTH123
            left = size
            while left:
                piece = stream.read(min(left, 1 << 20))
                if not piece:
                    os._exit(3)
                file.write(piece)
                left -= len(piece)


def _stamps() -> tuple[Stamps, list[str]]:
    """Return the plain files that stand in the folder, and what else does, in words."""
    found: Stamps = {}
    odd: list[str] = []
    folders = [""]
    while folders:
        below = folders.pop()
        try:
            entries = sorted(os.scandir(f"{WORK}/{below}"), key=lambda one: one.name)
        except OSError:
            odd.append(f"`{_shown(below)}`: this folder could not be read.")
            continue
        for entry in entries:
            path = f"{below}{entry.name}"
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                folders.append(f"{path}/")
            elif not stat.S_ISREG(status.st_mode):
                odd.append(f"`{_shown(path)}` is no plain file and was not kept.")
            elif len(found) >= MOST_FILES:
                odd.append(f"There are more than {MOST_FILES:,} files; the rest was not kept.")
                return found, odd
            else:
                found[path] = (
                    status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
                )  # fmt: skip
    return found, odd


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")[:200]


def _become(job: dict[str, Any], speak: int, results: BinaryIO) -> None:
    """Be the job: bounded, with nothing in hand but its own folder."""
    results.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGCHLD])
    os.chdir(WORK)
    for name, wanted in job["rlimits"].items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(number, (most, most))
    if job["kind"] == "shell":
        os.close(speak)
        shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"  # noqa: PTH110
        os.execv(shell, [shell, "-c", job["code"]])  # noqa: S606 - inside the sandbox
    _furnish(job["packages"])
    if job["kind"] == "call":
        _call(job, speak)
    else:
        os.close(speak)
        _script(job["code"])


def _furnish(packages: list[str]) -> None:
    """Do what `site` does for a script, but for looking through every package's `.pth` file."""
    import _sitebuiltins
    import builtins
    import gc

    gc.freeze()  # what is here by now is not looked at again, and stays shared with the keeper
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    builtins.help = _sitebuiltins._Helper()
    sys.path[:0] = [WORK, MODULES]
    sys.path += [*packages, "/run/harness"]


def _script(code: str) -> None:
    """Run a script; the value of a last expression is printed, as in a notebook."""
    name = "script.py"
    module = type(sys)("__main__")
    module.__file__ = f"{WORK}/{name}"
    sys.modules["__main__"] = module
    sys.argv = [name]
    try:
        tree: Any = compile(code, name, "exec", 0x400)  # as `ast.parse`
        last: list[Any] = []
        if tree.body and type(tree.body[-1]).__name__ == "Expr":
            last = [tree.body.pop()]
        exec(compile(tree, name, "exec"), module.__dict__)  # noqa: S102 - inside the sandbox
        if last:
            import _ast

            shown = compile(_ast.Interactive(body=last), name, "single")
            exec(shown, module.__dict__)  # noqa: S102
        _draw()
    except SystemExit:
        raise
    except BaseException as error:
        __import__("harness_call").report(error, {name: code}, __file__)


def _draw() -> None:
    """Keep the figures that were drawn and not saved."""
    figures = sys.modules.get("harness_figures")
    if figures is not None:
        figures.keep_all()


def _call(job: dict[str, Any], speak: int) -> None:
    """Call a function of a module and say what it returned."""
    beside = __import__("harness_call")  # stands beside this file, inside
    text = beside.call(job["file"], job["code"], job["function"], job["arguments"])
    _draw()
    with os.fdopen(speak, "w") as pipe:
        pipe.write(text)


def _wait(child: int, answer: int, seconds: float) -> tuple[bytes, bool, int]:
    """Wait for the job; return what a call said, whether its time was up, and how it ended."""
    until = time.monotonic() + seconds
    os.set_blocking(answer, False)
    text = b""
    timed_out = False
    while True:
        text += _read(answer, MOST_VALUE + 1 - len(text))
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            text += _read(answer, MOST_VALUE + 1 - len(text))
            return text, timed_out, status
        left = until - time.monotonic()
        if left <= 0 and not timed_out:
            timed_out = True
            os.kill(child, _signal.SIGKILL)
        _signal.sigtimedwait([_signal.SIGCHLD], min(max(left, 0.01), 0.05))


def _read(pipe: int, most: int) -> bytes:
    found = b""
    while most > len(found):
        try:
            piece = os.read(pipe, min(most - len(found), 1 << 16))
        except BlockingIOError:
            break
        if not piece:
            break
        found += piece
    return found


def _pack(results: BinaryIO, before: Stamps) -> None:
    """Send what was written, what is gone and what is odd."""
    after, odd = _stamps()
    for path, stamp in after.items():
        if before.get(path) == stamp:
            continue
        if stamp[1] > MOST_FILE:
            odd.append(f"`{_shown(path)}` has {stamp[1] >> 20:,} MB and was not kept.")
            continue
        try:
            handle = os.open(f"{WORK}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                _send(results, FILE, path, file.read(MOST_FILE))
        except (OSError, UnicodeError):
            odd.append(f"`{_shown(path)}` could not be read, and was not kept.")
    for path in before:
        if path not in after:
            _send(results, REMOVED, path)
    for text in odd[:MOST_ODD]:
        _send(results, ODD, text)


def _send(results: BinaryIO, kind: int, name: str, content: bytes = b"") -> None:
    head = name.encode()
    results.write(pack("!BIQ", kind, len(head), len(content)))
    results.write(head)
    results.write(content)


if __name__ == "__main__":
    main()
