"""The files that came of a run: what each is, how large, and which step made it."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from harness.journal.event import Event
from harness.journal.events_tool import FileChanged, ToolStarted
from harness.journal.parts import Blob

__all__ = ["Artifact", "artifacts_of", "media_type_of"]

_OFFICE = "application/vnd.openxmlformats-officedocument."
_TYPES = {  # not every system's own list has them
    ".docx": f"{_OFFICE}wordprocessingml.document",
    ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}presentationml.presentation",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".yaml": "application/yaml",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that a run made or changed, as it stands at the run's end.

    Attributes:
        path: Below the workspace, with slashes.
        media_type: As `application/pdf`.
        blob: Names its content in the journal; has its size and hash.
        step: The step that wrote it last; 0 where no tool did.
        tool: The tool that wrote it last; empty where none did.
        new: It was not there when the run began.
    """

    path: str
    media_type: str
    blob: Blob
    step: int
    tool: str
    new: bool


def media_type_of(path: str) -> str:
    """Return a file's media type by its ending."""
    ending = PurePosixPath(path).suffix.lower()
    return _TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def artifacts_of(events: Iterable[Event]) -> tuple[Artifact, ...]:
    """Return the files that came of a run, by path; what was taken away again is none.

    Args:
        events: Of the run, in order.
    """
    calls: dict[str, tuple[int, str]] = {}
    began: dict[str, Blob | None] = {}
    found: dict[str, Artifact] = {}
    for event in events:
        if isinstance(event, ToolStarted):
            calls[event.call] = (event.step, event.tool)
        if not isinstance(event, FileChanged):
            continue
        before = began.setdefault(event.path, event.before)
        if event.after is None or event.after == before:
            found.pop(event.path, None)
            continue
        step, tool = calls.get(event.call, (0, ""))
        found[event.path] = Artifact(
            path=event.path,
            media_type=media_type_of(event.path),
            blob=event.after,
            step=step,
            tool=tool,
            new=before is None,
        )
    return tuple(found[path] for path in sorted(found))
