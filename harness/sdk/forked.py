"""A fork's workspace: the files as they were, and which of them the model knows as they were."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.journal.events import FileChanged, RunStarted, ToolFinished, ToolStarted
from harness.loop import KeptFile
from harness.wiring import make_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from harness.seams_journal import Journal

__all__ = ["SHOWING", "fork_workspace"]

SHOWING = frozenset(
    {
        "edit_file",
        "look_at_pages",
        "read_document",
        "read_file",
        "revise_document",
        "search_document",
        "write_document",
        "write_file",
        "write_spreadsheet",
    }
)
"""Tools after which the model knows the files that it named."""


@dataclass(kw_only=True)
class _Files:
    """What a workspace had, and what the model had seen of it; None for a file that is gone."""

    now: dict[str, KeptFile | None] = field(default_factory=dict)
    seen: dict[str, KeptFile | None] = field(default_factory=dict)
    calls: dict[str, ToolStarted] = field(default_factory=dict)

    def showed(self, call: str) -> None:
        """A tool showed the model the files that its call named."""
        for value in self.calls[call].arguments.values():
            path = posixpath.normpath(value) if isinstance(value, str) and value else ""
            if path in self.now:
                self.seen[path] = self.now[path]


def fork_workspace(journal: Journal, folder: Path, parent: str, until: int) -> None:
    """Make the workspace of a fork.

    Args:
        journal: Has the run that it comes from.
        folder: Of the workspace.
        parent: That run.
        until: Its last event that counts.

    Raises:
        StateError: The folder can't be made.
        WorkspaceError: A file can't stand there.
    """
    files = _files(journal, parent, until)
    workspace = make_workspace(folder)
    try:
        for path, kept in files.now.items():
            if kept is None:
                continue
            content = journal.blob(kept.run, kept.blob)
            workspace.write(path, content)
            if files.seen.get(path) == kept:
                workspace.see(path, hashlib.sha256(content).hexdigest())
        workspace.settle()
    finally:
        workspace.close()


def _files(journal: Journal, run: str, until: int | None) -> _Files:
    files = _Files()
    for recorded in journal.read(run, until=until):
        match recorded.event:
            case RunStarted() as event:
                if event.relation in ("fork", "continue"):
                    files = _files(journal, event.parent, event.parent_seq)
                files.now |= {one.path: KeptFile(run=run, blob=one.blob) for one in event.files}
            case FileChanged() as event:
                kept = KeptFile(run=run, blob=event.after) if event.after else None
                files.now[event.path] = kept
            case ToolStarted(tool=tool) as event if tool in SHOWING:
                files.calls[event.call] = event
            case ToolFinished(error=False, call=call) if call in files.calls:
                files.showed(call)
            case _:
                pass
    return files
