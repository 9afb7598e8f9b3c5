"""Paths below a folder, opened component by component without following a link.

A path is text from a model: it is taken apart first, and each part is opened beneath the one
before (`openat` with O_NOFOLLOW), so that no link, no `..` and no race leads out of the folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import unicodedata
from collections.abc import Iterator

from harness.errors import FileMissing, WorkspaceError

__all__ = [
    "MAX_BYTES",
    "kind_of",
    "open_folder",
    "open_root",
    "parts_of",
    "read_beneath",
    "remove_beneath",
    "shown",
    "write_beneath",
]

MAX_BYTES = 50 * 1024 * 1024
"""Bytes of a file; what is larger is neither read nor written."""
MAX_NAME = 255
MAX_DEPTH = 24
TEMPORARY = ".harness-"
"""How the names of files begin that are being written."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CONTROL = ("Cc", "Cf", "Cs", "Zl", "Zp")


def shown(path: str) -> str:
    """Return a path as it can stand in a line of text."""
    safe = "".join(
        one if unicodedata.category(one) not in _CONTROL else ascii(one)[1:-1] for one in path
    )
    return safe if len(safe) <= 200 else f"{safe[:200]}…"


def parts_of(path: str) -> tuple[str, ...]:
    """Return the parts of a path below the workspace.

    Raises:
        WorkspaceError: It leads elsewhere, or can't be a name.
    """
    name = shown(path)
    if path.startswith(("/", "~")) or path[1:3] in (":\\", ":/"):
        raise WorkspaceError(
            f"`{name}` is not a path below the workspace.", "Write it from there: `drafts/a.md`."
        )
    if "\\" in path:
        raise WorkspaceError(f"`{name}` has a backslash.", "Folders are written with `/`.")
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if not parts:
        raise WorkspaceError(f"`{name}` names no file.", "Write a path such as `drafts/a.md`.")
    if ".." in parts:
        raise WorkspaceError(f"`{name}` has `..` in it.", "Paths go down from the workspace only.")
    if len(parts) > MAX_DEPTH:
        raise WorkspaceError(f"`{name}` goes down {len(parts)} folders; {MAX_DEPTH} are the limit.")
    for part in parts:
        _check_name(part, name)
    return parts


def _check_name(part: str, name: str) -> None:
    if any(unicodedata.category(one) in _CONTROL for one in part):
        raise WorkspaceError(
            f"`{name}` has characters that can't be seen.", "Name the file with plain characters."
        )
    if len(part.encode("utf-8")) > MAX_NAME:
        raise WorkspaceError(f"`{name}` has a name of more than {MAX_NAME} bytes.", "Shorten it.")
    if part.startswith(TEMPORARY):
        raise WorkspaceError(f"`{name}` is kept for files being written.", "Choose another name.")


def open_root(path: str | os.PathLike[str]) -> int:
    """Return a descriptor of the workspace's own folder."""
    return os.open(path, _FOLDER)


def open_folder(name: str, beneath: int) -> int:
    """Return a descriptor of a folder directly in another one; a link is not followed."""
    return os.open(name, _FOLDER, dir_fd=beneath)


def kind_of(mode: int) -> str:
    """Return what kind of thing that is no plain file a mode is of, in words."""
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


@contextlib.contextmanager
def _parent(root: int, parts: tuple[str, ...], *, make: bool = False) -> Iterator[int]:
    """Yield a descriptor of the folder that the last part stands in."""
    here = os.dup(root)
    try:
        for number, part in enumerate(parts[:-1], 1):
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=here)
                    os.fsync(here)
            try:
                below = open_folder(part, here)
            except FileNotFoundError:
                raise
            except OSError as error:
                what = shown("/".join(parts[:number]))
                raise WorkspaceError(f"`{what}` is not a folder that may be entered.") from error
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _plain(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise WorkspaceError(
            f"`{name}` is {kind_of(status.st_mode)}, not a file, and is not opened."
        )
    if status.st_nlink > 1:
        raise WorkspaceError(f"`{name}` is also a file elsewhere (a hard link); it is not opened.")
    if status.st_size > MAX_BYTES:
        raise WorkspaceError(
            f"`{name}` has {status.st_size / 2**20:,.0f} MB; {MAX_BYTES / 2**20:,.0f} MB are the"
            " limit, so it is not opened."
        )


def read_beneath(root: int, parts: tuple[str, ...]) -> bytes:
    """Return the content of a plain file.

    Raises:
        WorkspaceError: It is not there, is no plain file, or is too large.
    """
    name = shown("/".join(parts))
    try:
        with _parent(root, parts) as folder:
            # Looked at before it is opened: to open some devices is to use them.
            _plain(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False), name)
            opened = os.open(parts[-1], _READ, dir_fd=folder)
    except FileNotFoundError:
        raise FileMissing(
            f"There is no file `{name}`.", "`list_files` says which there are."
        ) from None
    except OSError as error:
        raise WorkspaceError(f"`{name}` can't be opened ({error.strerror}).") from error
    with os.fdopen(opened, "rb") as file:
        _plain(os.fstat(opened), name)
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise WorkspaceError(f"`{name}` grew over {MAX_BYTES / 2**20:,.0f} MB while it was read.")
    return content


def write_beneath(root: int, parts: tuple[str, ...], content: bytes) -> None:
    """Write a file: the old content stands until the new one is on the disk.

    Raises:
        WorkspaceError: It is too large, or something else stands there.
    """
    name = shown("/".join(parts))
    if len(content) > MAX_BYTES:
        raise WorkspaceError(
            f"{len(content) / 2**20:,.0f} MB for `{name}`; the limit is"
            f" {MAX_BYTES / 2**20:,.0f} MB.",
            "Write several files.",
        )
    try:
        with _parent(root, parts, make=True) as folder:
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISREG(status.st_mode):
                    raise WorkspaceError(
                        f"`{name}` is {kind_of(status.st_mode)}, so no file can be written there.",
                        "Choose another name.",
                    )
            _replace(folder, parts[-1], content)
    except OSError as error:
        raise WorkspaceError(f"`{name}` can't be written ({error.strerror}).") from error


def _replace(folder: int, name: str, content: bytes) -> None:
    temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
    opened = os.open(temporary, _NEW, 0o644, dir_fd=folder)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(opened)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def remove_beneath(root: int, parts: tuple[str, ...]) -> None:
    """Take a file away; a link goes, never what it leads to. Nothing there is fine.

    Raises:
        WorkspaceError: A folder stands there.
    """
    try:
        with _parent(root, parts) as folder:
            os.unlink(parts[-1], dir_fd=folder)
            os.fsync(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        name = shown("/".join(parts))
        raise WorkspaceError(f"`{name}` can't be removed ({error.strerror}).") from error
