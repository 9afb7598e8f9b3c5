"""A Word file revised with tracked changes, as a lawyer marks up a draft.

Only the words that differ are struck and put in, each under the author's name with the date, so
that Word shows them and every one can be accepted or refused by itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.documents.kinds import kind_of
from harness.documents.marks import Marks
from harness.documents.runs import Stretch, folded, in_note, paragraphs_of, stretches, text_of
from harness.documents.word_text import opened
from harness.errors import DocumentError

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["Revised", "Revision", "revise"]

_TOKEN = re.compile(r"\d[\d.,]*\d|\w+|\s+|[^\w\s]")
_ALIKE = 0.35
"""How alike two wordings have to be for the change to be shown word by word, 0 to 1."""


_NEAR = 60
"""How like the words a paragraph has to be to be named as the nearest, 0 to 100."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One change to a document.

    Attributes:
        old: Words of one paragraph as they stand. With `new` as None they stay.
        new: What shall stand there; empty to strike the words, and with all of a paragraph's
            words the paragraph. With `after` set, a new paragraph for each of its lines.
        after: Words of the paragraph after which `new` is put in as paragraphs of their own.
        comment: Said beside it, in the margin.
        everywhere: Do it wherever the words stand; else they have to stand only once.
    """

    old: str = ""
    new: str | None = None
    after: str = ""
    comment: str = ""
    everywhere: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Revised:
    """A revised document, and what was done in words, a line for each change."""

    content: bytes
    done: tuple[str, ...]


def revise(
    name: str, content: bytes, revisions: Sequence[Revision], *, author: str, date: datetime
) -> Revised:
    """Revise a Word file. All of it is done, or nothing.

    Args:
        name: Of the file, for messages.
        content: Its bytes.
        revisions: What to change, in this order.
        author: Under whose name the changes stand.
        date: When they were made; with a time zone.

    Raises:
        DocumentError: It is no Word file, or a change can't be made; says which and why.
    """
    kind, _ = kind_of(name, content)
    if kind != "docx":
        raise DocumentError(
            f"`{name}` is a {kind} file; only a Word file (.docx) can have tracked changes."
        )
    if not revisions:
        raise DocumentError("No change was given.", "Give at least one.")
    document = _open(name, content)
    marks = Marks(document, author=author, date=date)
    done: list[str] = []
    wrong: list[str] = []
    for number, revision in enumerate(revisions, 1):
        try:
            done.append(_apply(document, marks, revision))
        except DocumentError as error:
            wrong.append(f"Change {number}: {error}")
    if wrong:
        raise DocumentError(" ".join([f"`{name}` was left as it is.", *wrong]))
    out = BytesIO()
    document.save(out)
    return Revised(content=out.getvalue(), done=tuple(done))


def _open(name: str, content: bytes) -> Document:
    try:
        return opened(content)
    except Exception as error:  # whatever is wrong inside of the package
        raise DocumentError(
            f"`{name}` is damaged ({type(error).__name__}).", "Open it in Word and save it anew."
        ) from error


def _apply(document: Document, marks: Marks, revision: Revision) -> str:
    if revision.after:
        return _insert(document, marks, revision)
    if not revision.old.strip():
        raise DocumentError(
            "`old` is empty.",
            "Give the words to change, or `after` for where new paragraphs are put in.",
        )
    found = _found(document, revision.old, everywhere=revision.everywhere)
    for stretch in found:
        _replace(marks, stretch, revision)
    times = f" ({len(found)} times)" if len(found) > 1 else ""
    if revision.new is None:
        return f"commented: {_short(revision.old)}{times}"
    return f"{_short(revision.old)} → {_short(revision.new) or '(struck)'}{times}"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 60 else f"{plain[:59]}…"


def _insert(document: Document, marks: Marks, revision: Revision) -> str:
    lines = [line.strip() for line in (revision.new or "").split("\n") if line.strip()]
    if not lines or revision.old:
        raise DocumentError("With `after`, `new` has the paragraphs to put in, and `old` is empty.")
    place = _found(document, revision.after, everywhere=False)[0].paragraph
    for line in reversed(lines):
        made = marks.new_paragraph(place, line)
    if revision.comment:
        marks.comment([made], revision.comment)
    return f"after {_short(revision.after)}: {len(lines)} paragraph{'s' * (len(lines) > 1)} put in"


def _found(document: Document, words: str, *, everywhere: bool) -> list[Stretch]:
    """Return where words stand.

    Raises:
        DocumentError: Nowhere, or at several places and one was asked for.
    """
    found = [
        stretch for paragraph in paragraphs_of(document) for stretch in stretches(paragraph, words)
    ]
    if not found:
        raise DocumentError(
            f"{_short(words)!r} does not stand in one paragraph.{_near(document, words)}"
        )
    if len(found) > 1 and not everywhere:
        raise DocumentError(
            f"{_short(words)!r} stands there {len(found)} times: {_places(found)}.",
            "Give more of the words around it, or set `everywhere`.",
        )
    # From the end, so that what is done to one does not move the others.
    return list(reversed(found))


def _near(document: Document, words: str) -> str:
    """Return a hint: the paragraph that has most of the words."""
    from rapidfuzz import fuzz, process

    texts = [text_of(paragraph) for paragraph in paragraphs_of(document)]
    looks = [folded(text).casefold() for text in texts]
    best = process.extractOne(
        folded(words).casefold(), looks, scorer=fuzz.token_set_ratio, score_cutoff=_NEAR
    )
    return f" The nearest paragraph is: “{texts[best[2]][:300]}”." if best else ""


def _places(found: Sequence[Stretch]) -> str:
    shown = [f"“{_short(stretch.around())}”" for stretch in found[:4]]
    return "; ".join(shown) + (" …" if len(found) > 4 else "")


def _replace(marks: Marks, stretch: Stretch, revision: Revision) -> None:
    """Mark one stretch: strike what goes, put in what comes, say what there is to say."""
    changed: list[Any] = []
    if revision.new is None:
        changed = stretch.isolate(stretch.start, stretch.end)
    elif not revision.new and stretch.whole:
        if in_note(stretch.paragraph):
            raise DocumentError(
                "A whole note goes with its mark in the text, which can't be struck here.",
                "Change its words, or say in a comment beside the text that it shall go.",
            )
        changed = marks.strike_paragraph(stretch.paragraph)
    else:
        if "\n" in revision.new:
            raise DocumentError("`new` has several lines.", "Put paragraphs in with `after`.")
        # From the end to the start, so that places before stay where they are.
        for start, end, new in reversed(list(_edits(stretch.text, revision.new))):
            at = Stretch(stretch.paragraph, stretch.start + start, stretch.start + end)
            changed += marks.change(at, new)
    if revision.comment:
        if not changed:
            raise DocumentError(
                f"{_short(revision.old)!r} and what shall stand there are the same."
            )
        marks.comment(changed, revision.comment)
    elif not changed:
        raise DocumentError(f"{_short(revision.old)!r} and what shall stand there are the same.")


def _edits(old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and new text of each stretch that differs, word by word.

    Changes that only blanks part are one, as a person would mark them; wordings that have
    little in common are changed as a whole.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    # Signs that only look different are the document's own: they stay.
    looks = [folded(token) for token in before], [folded(token) for token in after]
    matcher = difflib.SequenceMatcher(None, looks[0], looks[1], autojunk=False)
    if matcher.ratio() < _ALIKE:
        yield 0, len(old), new
        return
    starts = [0]
    for token in before:
        starts.append(starts[-1] + len(token))
    joined: list[list[int]] = []
    for kind, b1, b2, a1, a2 in matcher.get_opcodes():
        if kind == "equal":
            continue
        if joined and not "".join(before[joined[-1][1] : b1]).strip():
            joined[-1][1], joined[-1][3] = b2, a2
        else:
            joined.append([b1, b2, a1, a2])
    for b1, b2, a1, a2 in joined:
        yield starts[b1], starts[b2], "".join(after[a1:a2])
