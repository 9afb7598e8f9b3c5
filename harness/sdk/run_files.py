"""The files that came of a run: listed with their hashes, and saved to a folder.

Their contents come from the journal, not from the workspace: what was there at the end of the run,
whatever became of the folder since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from harness.errors import FileMissing, StateError, UsageError, WorkspaceError
from harness.journal.artifacts import Artifact, artifacts_of
from harness.journal.events import Event, FileChanged, RunStarted

if TYPE_CHECKING:
    from harness.journal.parts import Blob
    from harness.seams_journal import Journal

__all__ = ["RunFile", "RunFiles", "Since"]

Since = Literal["", "changed", "removed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFile:
    """A file that a run made or changed, as it stands at the run's end.

    Attributes:
        path: Below the workspace, with slashes.
        media_type: As `application/pdf`.
        bytes: Its size.
        sha256: Of its content, as `sha256sum` gives it.
        step: The step that wrote it last; 0 where no tool did.
        tool: The tool that wrote it last; empty where none did.
        new: It was not there when the run began.
        since: What became of it in the workspace since; empty where it is as it was, or where
            the workspace itself is gone.
    """

    path: str
    media_type: str
    bytes: int
    sha256: str
    step: int
    tool: str
    new: bool
    since: Since = ""


class RunFiles:
    """The files of one run; what a fork has from before it was forked is among them.

    Args:
        journal: Has the contents.
        run: Its id.
        workspace: Its folder, to see what was changed since; it need not be there.
    """

    def __init__(self, journal: Journal, run: str, workspace: Path) -> None:
        self._journal = journal
        self._workspace = workspace
        self._owners: dict[str, str] = {}
        self._artifacts = artifacts_of(self._events(run, None))

    def __iter__(self) -> Iterator[RunFile]:
        with _looking(self._workspace) as since:
            for one in self._artifacts:
                content = self._content(one.blob)
                yield RunFile(
                    path=one.path,
                    media_type=one.media_type,
                    bytes=len(content),
                    sha256=hashlib.sha256(content).hexdigest(),
                    step=one.step,
                    tool=one.tool,
                    new=one.new,
                    since=since(one.path, content),
                )

    def read(self, path: str) -> bytes:
        """Return the content of one of the files, to the byte.

        Raises:
            UsageError: It is none of them.
        """
        for one in self._artifacts:
            if one.path == path:
                return self._content(one.blob)
        raise UsageError(f"The run has no file {path}.", "`harness runs show` lists them.")

    def save(self, folder: str | Path) -> list[Path]:
        """Write the files below a folder, which is made if need be; return their paths.

        What is written is what the run left, byte for byte, whatever became of its workspace.

        Raises:
            JournalDamaged: The content of one is not there any more, or was altered.
            StateError: A path leads out of the folder.
            OSError: It can't be written.
        """
        return [self._save(one, Path(folder)) for one in self._artifacts]

    def _save(self, one: Artifact, folder: Path) -> Path:
        parts = PurePosixPath(one.path).parts
        if not parts or ".." in parts or one.path.startswith("/"):
            raise StateError(
                f"The path {one.path!r} of the run leads out of its folder.",
                "`harness runs verify` says whether its record was changed.",
            )
        path = folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._content(one.blob))
        return path

    def _content(self, blob: Blob) -> bytes:
        return self._journal.blob(self._owners[blob.hash], blob)

    def _events(self, run: str, until: int | None) -> Iterator[Event]:
        """Yield the events of a run, those of the run that it was forked from before them."""
        for recorded in self._journal.read(run, until=until):
            event = recorded.event
            if isinstance(event, RunStarted) and event.relation == "fork":
                yield from self._events(event.parent, event.parent_seq)
            elif isinstance(event, FileChanged) and event.after is not None:
                self._owners[event.after.hash] = run
            yield event


@contextmanager
def _looking(folder: Path) -> Iterator[Callable[[str, bytes], Since]]:
    """Yield what says whether a file of a workspace is still as it was."""
    from harness.wiring import make_workspace

    if not folder.is_dir():
        yield lambda _path, _content: ""
        return
    workspace = make_workspace(folder)

    def since(path: str, content: bytes) -> Since:
        try:
            return "" if workspace.read(path) == content else "changed"
        except FileMissing:
            return "removed"
        except WorkspaceError:
            return "changed"  # a link, a folder or a device stands there now

    try:
        yield since
    finally:
        workspace.close()
