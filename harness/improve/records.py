"""Who did what to which example, and when: append-only, in the state folder."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from harness.errors import StateError
from harness.values import Example

__all__ = ["Deed", "ReviewLog", "ReviewRecord", "content_digest"]

Deed = Literal[
    "proposed",
    "edited",
    "accepted",
    "rejected",
    "retired",
    "imported",
    "saved",
    "liked",
    "disliked",
    "labelled",
]


@dataclass(frozen=True, kw_only=True)
class ReviewRecord:
    """One line of the record.

    Attributes:
        at: UTC, ISO 8601 to the second.
        by: Who.
        deed: What they did.
        id: To which example, file of the domain (`saved`), or verdict of a judge (`labelled`).
        digest: Of the example's content as it was then; agreement is with that content alone.
        reason: Why, in their words.
        run: The answer that it corrects, where it does.
    """

    at: str
    by: str
    deed: Deed
    id: str
    digest: str = ""
    reason: str = ""
    run: str = ""


def content_digest(example: Example) -> str:
    """Return a hash of what an example teaches: neither its status nor its place count."""
    said = [example.input, example.output, example.why, *example.steps, example.source]
    said += [*example.tags, *example.files]
    return hashlib.sha256("\0".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class ReviewLog:
    """The record of one domain folder.

    Args:
        home: The state folder.
        folder: The domain folder.
    """

    def __init__(self, home: Path, folder: Path) -> None:
        name = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
        self.path = home / "reviews" / f"{folder.name[:60]}-{name[:12]}.jsonl"

    def add(
        self, deed: Deed, name: str, *, by: str, digest: str = "", reason: str = "", run: str = ""
    ) -> None:
        """Write a line, and have the disk hold it.

        Raises:
            StateError: It can't be written.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        record = ReviewRecord(
            at=at, by=by, deed=deed, id=name, digest=digest, reason=reason, run=run
        )
        line = json.dumps(dataclasses.asdict(record), ensure_ascii=True) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:  # one write of a short line: appends never mix
                file.write(line.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StateError(
                f"{self.path} can't be written: {error.strerror}.",
                "See that there is room, and that you may write there.",
            ) from error

    def __iter__(self) -> Iterator[ReviewRecord]:
        if not self.path.is_file():
            return
        for line in self.path.read_text("ascii", "replace").splitlines():
            with contextlib.suppress(ValueError, TypeError):  # a line cut short by a power cut
                yield ReviewRecord(**json.loads(line))

    def of(self, name: str) -> list[ReviewRecord]:
        """Return the lines on one example, oldest first."""
        return [one for one in self if one.id == name]

    def agreed(self, example: Example) -> list[str]:
        """Return who stands behind an example as it is now: who wrote it, who accepted it."""
        digest = content_digest(example)
        people = [
            one.by
            for one in self.of(example.id)
            if one.digest == digest and one.deed in ("proposed", "edited", "imported", "accepted")
        ]
        if example.author and not any(one.deed == "edited" for one in self.of(example.id)):
            people.insert(0, example.author)
        return list(dict.fromkeys(people))
