"""`core.lock`: the ids of the stable core, and enough of the bank to tell when they have aged.

An id a line, in the order chosen. A comment holds how many examples there were, and a bottom-k
sketch of them (the k smallest of all their hashes; Cohen and Kaplan 2007, "Summarizing data using
bottom-k sketches"): a fair sample, from which the share that has changed since can be estimated.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DomainReadOnly
from harness.values import Example

__all__ = ["CoreLock", "Sketch", "read_core_lock", "write_core_lock"]

KEPT = 64
"""Hashes in a sketch: a share of 10 % is then known to about 4 points, a small bank exactly."""
DIGITS = 8
A_LINE = 12

HEAD = """\
# The examples that stand in every context of this domain, in this order.
# Written by `harness core`; keep it with the folder, so that every machine packs the same.
# By these lines `harness lint` sees when it is time to choose anew:
"""
_SKETCH = re.compile(
    rf"#(?: examples (?P<count>\d{{1,9}}):)?(?P<hashes>(?: [0-9a-f]{{{DIGITS}}})+)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch:
    """The approved examples as they were.

    Attributes:
        count: How many there were.
        hashes: The smallest of their hashes, `KEPT` at most.
    """

    count: int
    hashes: frozenset[str]

    @classmethod
    def of(cls, examples: Iterable[Example]) -> Sketch:
        """Make the sketch of the approved ones of these examples."""
        found = set(_hashes(examples))
        return cls(count=len(found), hashes=frozenset(heapq.nsmallest(KEPT, found)))

    def changed(self, examples: Iterable[Example]) -> float:
        """Estimate how much of the bank has changed: what came or what went, whichever is more.

        An edited example has gone and come.

        Returns:
            A share of what there was, 0 or more; exact where no more than `KEPT` there were.
        """
        now = set(_hashes(examples))
        if not self.count or not self.hashes:
            return float(bool(now))
        same = self.count * len(self.hashes & now) / len(self.hashes)
        return max(0.0, max(self.count, len(now)) - same) / self.count


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreLock:
    """What `core.lock` says.

    Attributes:
        lines: The line of each id, in the order chosen.
        sketch: Of the bank that it was chosen from; None where the file does not say.
    """

    lines: Mapping[str, int]
    sketch: Sketch | None = None


def read_core_lock(text: str) -> CoreLock:
    """Read the text of `core.lock`; an id that comes twice counts once."""
    lines: dict[str, int] = {}
    count, hashes = 0, set[str]()
    for number, line in enumerate(text.split("\n"), start=1):
        name = line.strip()
        # `#7` may be an id, and a `#` within a line may be part of one: only `# ` begins a comment
        if not f"{name} ".startswith("# "):
            if name:
                lines.setdefault(name, number)
        elif said := _SKETCH.fullmatch(name):
            count = int(said["count"] or count)
            hashes.update(said["hashes"].split())
    sketch = Sketch(count=count, hashes=frozenset(hashes))
    return CoreLock(lines=lines, sketch=sketch if count and hashes else None)


def write_core_lock(folder: Path, ids: Sequence[str], examples: Iterable[Example]) -> None:
    """Replace `core.lock` in one step.

    Args:
        folder: The domain folder.
        ids: Chosen for the core, in order.
        examples: Those of the domain that they were chosen from.

    Raises:
        DomainReadOnly: The folder can't be written.
    """
    written = HEAD + "".join(f"{line}\n" for line in (*_said(Sketch.of(examples)), *ids))
    staged = folder / f".core.lock.{secrets.token_hex(6)}"
    try:
        with staged.open("x", encoding="utf-8", newline="\n") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(folder / "core.lock")
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise DomainReadOnly(
            f"{folder / 'core.lock'} can't be written: {error.strerror}.",
            "Give permission to write to the domain folder.",
        ) from error


def _said(sketch: Sketch) -> Iterator[str]:
    hashes = sorted(sketch.hashes)
    for start in range(0, len(hashes), A_LINE):
        count = f" examples {sketch.count}:" if not start else ""
        yield f"#{count} {' '.join(hashes[start : start + A_LINE])}"


def _hashes(examples: Iterable[Example]) -> Iterator[str]:
    for one in examples:
        if one.status == "approved":
            content = "\0".join((one.id, one.text, one.output))
            yield hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
