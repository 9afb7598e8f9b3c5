"""The battery: what code in a sandbox may try. Each script says ESCAPED where it gets through.

`{…}` is filled in by the test with what stands on the host: a file, a port, a process. A script
that ends with an error has got nowhere, which is what is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ATTACKS", "Attack"]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One thing to try.

    Attributes:
        name: In words.
        code: The script.
        bare: It does no harm and gets through where there is no sandbox: shown by a test, so that
            the battery is known to be able to fail.
    """

    name: str
    code: str
    bare: bool = False


_CALL = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    done = libc.syscall(*[ctypes.c_long(word) for word in words])
    return done, ctypes.get_errno()
def refused(name, *words):
    done, wrong = call(*words)
    if done >= 0 or wrong not in (errno.EPERM, errno.ENOSYS):
        print("ESCAPED", name, done, wrong)
"""

_READ = """
try:
    text = open({path!r}).read()
except Exception as error:
    print("no:", type(error).__name__)
else:
    if {mark!r} in text:
        print("ESCAPED: read", {path!r})
"""

ATTACKS = (
    Attack(name="read /etc/passwd", code=_READ.replace("{path!r}", "'/etc/passwd'").replace(
        "{mark!r}", "'root:'"), bare=True),
    Attack(name="read a file of the user", code=_READ.replace("{path", "{private"), bare=True),
    Attack(name="list the home", code="""
import os
for home in ({home!r}, "/root", "/home"):
    seen = set()
    try:
        seen = set(os.listdir(home))
    except OSError:
        pass
    more = seen - set({shown!r})
    if more:
        print("ESCAPED: sees", home, sorted(more)[:5])
""", bare=True),
    Attack(name="read a sibling workspace", code=_READ.replace("{path", "{sibling"), bare=True),
    Attack(name="read a sibling workspace by a link", code="""
import os
os.symlink({sibling!r}, "link")
if {mark!r} in open("link").read():
    print("ESCAPED by a link")
""", bare=True),
    Attack(name="read the state folder by the root of another process", code="""
import os
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for way in ("root", "cwd"):
            try:
                text = open(f"/proc/{pid}/{way}/" + {sibling!r}.lstrip("/")).read()
            except OSError:
                continue
            if {mark!r} in text:
                print("ESCAPED through", pid, way)
""", bare=True),
    Attack(name="write outside", code="""
import os
for folder in ("/", "/usr", "/usr/local", "/etc", "/dev", "/proc", "/run", "/var", {folder!r},
               os.path.dirname(os.__file__)):
    try:
        with open(os.path.join(folder, "harness-was-here"), "w") as file:
            file.write("x")
        os.unlink(os.path.join(folder, "harness-was-here"))
        print("ESCAPED: wrote into", folder)
    except OSError as error:
        print("no:", folder, error.errno)
"""),
    Attack(name="remount what is read-only", code=_CALL + """
for folder in (b"/usr", b"/", b"/dev"):
    if libc.mount(None, folder, None, 32 | 4096, None) == 0:  # MS_REMOUNT | MS_BIND
        print("ESCAPED: remounted", folder)
"""),
    Attack(name="TCP to the host", code="""
import socket
with socket.socket() as one:
    one.settimeout(2)
    one.connect(("127.0.0.1", {tcp}))
    one.sendall(b"harness")
print("ESCAPED: connected")
""", bare=True),
    Attack(name="UDP to the host", code="""
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.sendto(b"harness", ("127.0.0.1", {udp}))
print("sent")
"""),  # the host says whether it came
    Attack(name="an abstract unix socket", code="""
import socket
with socket.socket(socket.AF_UNIX) as one:
    one.connect("\\0{abstract}")
print("ESCAPED: connected")
""", bare=True),
    Attack(name="a unix socket by its path", code="""
import socket
with socket.socket(socket.AF_UNIX) as one:
    one.connect({socket!r})
print("ESCAPED: connected")
""", bare=True),
    Attack(name="sockets past the network namespace", code="""
import socket
for family in (16, 17, 40, 38, 44, 31):  # netlink, packet, vsock, alg, xdp, bluetooth
    for kind in (socket.SOCK_STREAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        try:
            socket.socket(family, kind).close()
            print("ESCAPED: family", family)
        except OSError:
            pass
"""),
    Attack(name="secrets in the environment", code="""
import os
if {secret!r} in repr(dict(os.environ)):
    print("ESCAPED: environment")
""", bare=True),
    Attack(name="secrets in /proc", code="""
import os
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for name in ("environ", "cmdline", "maps"):
            try:
                text = open(f"/proc/{pid}/{name}", "rb").read()
            except OSError:
                continue
            if {secret!r}.encode() in text:
                print("ESCAPED:", pid, name)
""", bare=True),
    Attack(name="see host processes", code="""
import os
pids = [one for one in os.listdir("/proc") if one.isdigit()]
for pid in pids:
    try:
        line = open(f"/proc/{pid}/cmdline").read()
    except OSError:
        continue
    if {marker!r} in line:
        print("ESCAPED: sees", pid)
if len(pids) > 8:
    print("ESCAPED: sees", len(pids), "processes")
""", bare=True),
    Attack(name="signal host processes", code="""
import os, signal
for way in (os.kill, os.killpg):
    try:
        way({pid}, signal.SIGKILL)
    except OSError as error:
        print("no:", error.errno)
"""),  # the host says whether it lives
    Attack(name="a new user namespace", code=_CALL + """
for flag in (0x10000000, 0x00020000, 0x40000000, 0x20000000):  # user, mount, net, pid
    if libc.unshare(flag) == 0:
        print("ESCAPED: unshare", hex(flag))
refused("clone", {clone}, 0x10000000 | 17, 0, 0, 0, 0)
refused("clone3", 435, 0, 0)
import subprocess
if subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode == 0:
    print("ESCAPED: unshare(1)")
"""),
    Attack(name="io_uring", code=_CALL + """
buffer = ctypes.create_string_buffer(256)
refused("io_uring_setup", 425, 8, ctypes.addressof(buffer))
"""),
    Attack(name="ptrace and the memory of others", code=_CALL + """
refused("traceme", {ptrace}, 0, 0, 0, 0)
child = os.fork()
if child == 0:
    import time
    time.sleep(20)
    os._exit(0)
refused("seize", {ptrace}, 0x4206, child, 0, 0)
refused("attach", {ptrace}, 16, child, 0, 0)
refused("process_vm_readv", {readv}, child, 0, 0, 0, 0, 0)
os.kill(child, 9)
"""),
    Attack(name="other ways into the kernel", code=_CALL + """
buffer = ctypes.addressof(ctypes.create_string_buffer(256))
for name, number in {calls!r}.items():
    refused(name, number, 0, buffer, 0, 0, 0)
if call(9999, 0)[1] != errno.ENOSYS:
    print("ESCAPED: a call that nobody knows")
"""),
    Attack(name="rights", code="""
import os
said = dict(line.split(":", 1) for line in open("/proc/self/status"))
if int(said["CapEff"], 16) or int(said["CapPrm"], 16):
    print("ESCAPED: capabilities", said["CapEff"])
if said["NoNewPrivs"].strip() != "1" or said["Seccomp"].strip() != "2":
    print("ESCAPED: no filter")
if os.getuid() == 0:
    print("ESCAPED: root")
try:
    os.setuid(0)
    print("ESCAPED: setuid")
except OSError:
    pass
"""),
    Attack(name="600 forks", code="""
import os, time
count = 0
try:
    for _ in range(600):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        count += 1
except OSError as error:
    print("no more after", count, error.errno)
if count >= 600:
    print("ESCAPED: 600 forks")
"""),
    Attack(name="a fork bomb", code="""
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""),
    Attack(name="a disk full in one file", code="""
import os
most = 0
for place in (".", "/tmp", "/dev/shm", "/var/tmp", "/run", "/dev"):
    total = 0
    try:
        with open(os.path.join(place, "big"), "wb") as file:
            while total < {disk} * 3:
                total += file.write(bytes(1 << 20))
    except OSError as error:
        print("no:", place, error.errno, total)
    most += total
if most > {disk} * 1.2 + (8 << 20):
    print("ESCAPED: wrote", most)
"""),
    Attack(name="a disk full in many files", code="""
import os
total = 0
for place in (".", "/tmp", "/dev/shm", "/var/tmp", "/run"):
    try:
        for number in range({disk} * 3 // (1 << 20)):
            with open(f"{place}/many-{number}", "wb") as file:
                total += file.write(bytes(1 << 20))
    except OSError as error:
        print("no:", place, error.errno)
if total > {disk} * 1.2 + (8 << 20):
    print("ESCAPED: wrote", total)
"""),
    Attack(name="files without end and without content", code="""
import os
number = 0
while number < 400_000:
    os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
    number += 1
print("ESCAPED: made", number)
"""),
    Attack(name="memory in one process", code="""
kept = []
for _ in range(64):
    kept.append(bytearray(b"x") * ({memory} // 4))
print("ESCAPED: has", sum(map(len, kept)))
"""),
    Attack(name="memory in many processes", code="""
import os, time
for _ in range(16):
    if os.fork() == 0:
        kept = bytearray(b"x") * ({memory} // 2)
        time.sleep(20)
        os._exit(0)
time.sleep(20)
print("ESCAPED: has", 8 * {memory})
"""),
    Attack(name="memory that no process holds", code=_CALL + """
total = 0
for kind in ("memfd", "shm"):
    for number in range(64):
        if kind == "memfd":
            handle = libc.memfd_create(b"x", 0)
            if handle < 0:
                break
            total += os.write(handle, bytes(8 << 20))
        elif libc.shmget(number, 8 << 20, 0o1600) >= 0:
            total += 8 << 20
        else:
            break
if total:
    print("ESCAPED: holds", total)
"""),
    Attack(name="a loop without end", code="while True: pass"),
    Attack(name="output without end", code="""
while True:
    print("x" * 10_000)
"""),
    Attack(name="a recursion without end", code="""
def f(n): return f(n + 1)
f(0)
print("ESCAPED")
"""),
    Attack(name="devices", code="""
import os, stat
for number in ((8, 0), (1, 1), (254, 0)):
    try:
        os.mknod("device", stat.S_IFBLK | 0o666, os.makedev(*number))
        print("ESCAPED: made a device")
    except OSError as error:
        print("no:", error.errno)
for name in os.listdir("/dev"):
    if name.startswith(("sd", "vd", "nvme", "mem", "kmem", "kvm", "fuse", "loop", "vsock")):
        print("ESCAPED: sees /dev/" + name)
"""),
    Attack(name="speak with the harness in the keeper's name", code="""
import os, struct
name = b"../../escaped.txt"
frame = struct.pack("!BIQ", 1, len(name), 4) + name + b"evil"
for pid in os.listdir("/proc"):
    if pid.isdigit() and int(pid) not in (1, os.getpid()):
        for handle in os.listdir(f"/proc/{pid}/fd"):
            try:
                with open(f"/proc/{pid}/fd/{handle}", "wb") as pipe:
                    pipe.write(frame + b"\\xff" * 100)
                print("spoke to", pid, handle)
            except OSError:
                pass
"""),  # the host says what came of it
)  # fmt: skip
