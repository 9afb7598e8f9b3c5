"""The system calls that code in the sandbox may not make, as a program for the kernel (cBPF).

What is refused reaches beyond the process (mounts, namespaces, kernel modules, other processes,
the clock), is a favourite way to attack the kernel (io_uring, bpf, userfaultfd, keyrings), or
holds memory that no limit counts (memfd, System V shared memory). A call newer than the list is
refused as unknown. Numbers: Linux, `arch/x86/entry/syscalls/syscall_64.tbl` and
`include/uapi/asm-generic/unistd.h`; the layout: seccomp(2).
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass
from functools import lru_cache

from harness.errors import SandboxAbsent

__all__ = ["seccomp_filter"]

_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWUSER, NEWPID, NEWNET, NEWIPC, NEWUTS, NEWCGROUP, NEWNS, NEWTIME."""
_FAMILIES = (1, 2, 10)
"""AF_UNIX, AF_INET and AF_INET6, which have a network namespace of their own; vsock has not."""
_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which type into a terminal."""

_BOTH = {
    "process_madvise": 440, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "open_tree": 428,
    "move_mount": 429, "mount_setattr": 442, "statmount": 457, "listmount": 458,
    "quotactl_fd": 443, "memfd_secret": 447, "pidfd_getfd": 438,
}  # fmt: skip
"""Numbered alike everywhere."""

_X86_64 = {
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "bpf": 321,
    "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249,
    "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161,
    "open_by_handle_at": 304, "name_to_handle_at": 303, "fanotify_init": 300, "kexec_load": 246,
    "kexec_file_load": 320, "init_module": 175, "finit_module": 313, "delete_module": 176,
    "swapon": 167, "swapoff": 168, "reboot": 169, "acct": 163, "quotactl": 179, "syslog": 103,
    "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "clock_adjtime": 305,
    "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "modify_ldt": 154,
    "vhangup": 153, "memfd_create": 319, "shmget": 29, "shmat": 30, "shmctl": 31, "msgget": 68,
    "semget": 64, "mq_open": 240, "lookup_dcookie": 212, "nfsservctl": 180, "ustat": 136,
    "sysfs": 139, "uselib": 134, "_sysctl": 156, "create_module": 174, "get_kernel_syms": 177,
    "query_module": 178, "move_pages": 279, "migrate_pages": 256, "vmsplice": 278,
}  # fmt: skip

_AARCH64 = {
    "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "bpf": 280,
    "perf_event_open": 241, "userfaultfd": 282, "keyctl": 219, "add_key": 217, "request_key": 218,
    "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
    "open_by_handle_at": 265, "name_to_handle_at": 264, "fanotify_init": 262, "kexec_load": 104,
    "kexec_file_load": 294, "init_module": 105, "finit_module": 273, "delete_module": 106,
    "swapon": 224, "swapoff": 225, "reboot": 142, "acct": 89, "quotactl": 60, "syslog": 116,
    "settimeofday": 170, "clock_settime": 112, "adjtimex": 171, "clock_adjtime": 266,
    "sethostname": 161, "setdomainname": 162, "vhangup": 58, "memfd_create": 279, "shmget": 194,
    "shmctl": 195, "shmat": 196, "msgget": 186, "semget": 190, "mq_open": 180,
    "lookup_dcookie": 18, "nfsservctl": 42, "move_pages": 239, "migrate_pages": 238,
    "vmsplice": 75,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Machine:
    """A kind of processor: its audit number, its calls."""

    audit: int
    refused: dict[str, int]
    clone: int
    socket: int
    ioctl: int
    clone3: int = 435
    newest: int = 462
    """The last call that was looked at for this list (mseal, Linux 6.10)."""


_MACHINES = {
    "x86_64": _Machine(audit=0xC000003E, refused=_X86_64 | _BOTH, clone=56, socket=41, ioctl=16),
    "aarch64": _Machine(
        audit=0xC00000B7, refused=_AARCH64 | _BOTH, clone=220, socket=198, ioctl=29
    ),
}


@lru_cache
def seccomp_filter(machine: str = "") -> bytes:
    """Return the program, as `bwrap --seccomp` takes it.

    Args:
        machine: A kind of processor, as `platform.machine` names it; this machine's by default.

    Raises:
        SandboxAbsent: There is no list for this kind of processor.
    """
    name = machine or platform.machine()
    known = _MACHINES.get({"arm64": "aarch64", "AMD64": "x86_64"}.get(name, name))
    if known is None:
        raise SandboxAbsent(
            f"The sandbox has no list of system calls for processors of the kind {name}.",
            f"It has them for {', '.join(_MACHINES)}.",
        )
    return b"".join(struct.pack("=HBBI", *line) for line in _program(known))


_Line = tuple[int, int, int, int]


def _program(known: _Machine) -> list[_Line]:
    lines: list[_Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, known.audit),
        _give(_KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_ABOVE, 0, 1, known.newest),  # also what x86 calls by its 32-bit numbers
        _give(_ERROR | errno.ENOSYS),
    ]
    for number in sorted(known.refused.values()):
        lines += [(_EQUAL, 0, 1, number), _give(_ERROR | errno.EPERM)]
    # The C library falls back to `clone`, whose flags can be looked at.
    lines += [(_EQUAL, 0, 1, known.clone3), _give(_ERROR | errno.ENOSYS)]
    lines += _looking_at(known.clone, 0, _namespaces())
    lines += _looking_at(known.socket, 0, _families())
    lines += _looking_at(known.ioctl, 1, _terminal())
    return [*lines, _give(_ALLOW)]


def _give(what: int) -> _Line:
    return (_RETURN, 0, 0, what)


def _looking_at(call: int, argument: int, then: list[_Line]) -> list[_Line]:
    """Return lines that judge one call by the low half of an argument, and always end there."""
    load = (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
    return [(_EQUAL, 0, 1 + len(then), call), load, *then]


def _namespaces() -> list[_Line]:
    return [(_ANY_BIT, 0, 1, _NEW_NAMESPACES), _give(_ERROR | errno.EPERM), _give(_ALLOW)]


def _families() -> list[_Line]:
    lines = [line for one in _FAMILIES for line in ((_EQUAL, 0, 1, one), _give(_ALLOW))]
    return [*lines, _give(_ERROR | errno.EAFNOSUPPORT)]


def _terminal() -> list[_Line]:
    refused = [
        line for one in _TERMINAL for line in ((_EQUAL, 0, 1, one), _give(_ERROR | errno.EPERM))
    ]
    return [*refused, _give(_ALLOW)]
