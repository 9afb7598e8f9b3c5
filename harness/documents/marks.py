"""The marks of tracked changes: what is struck, what is put in, what is said in the margin."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.documents.blocks import legible
from harness.documents.runs import Stretch, roots_of
from harness.documents.word_xml import W, child, element, in_order
from harness.errors import DocumentError

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["Marks"]

_W = f"{{{W}}}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_NOT_COPIED = ("sectPr", "pPrChange", "rPr", "framePr")


class Marks:
    """Makes the marks in one document.

    Args:
        document: Being revised.
        author: Under whose name.
        date: When; kept in UTC, as Word keeps it.
    """

    def __init__(self, document: Document, *, author: str, date: datetime) -> None:
        self._document = document
        self._author = legible(author)
        self._date = date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._next = 1 + max(
            (
                int(one.get(f"{_W}id") or 0)
                for part in roots_of(document)
                for one in part.iter(f"{_W}ins", f"{_W}del", f"{_W}moveFrom", f"{_W}moveTo")
                if (one.get(f"{_W}id") or "").isdecimal()
            ),
            default=999,
        )

    def _mark(self, tag: str) -> Any:
        self._next += 1
        given = {"w:id": str(self._next), "w:author": self._author, "w:date": self._date}
        return element(tag, **given)

    def change(self, stretch: Stretch, new: str) -> list[Any]:
        """Strike a stretch and put in a text; return the runs that were touched, in order."""
        struck = stretch.isolate(stretch.start, stretch.end)
        if not new:
            return [self._strike(run) for run in struck]
        like = struck[0] if struck else stretch.run_before(stretch.start)
        like = stretch.first_run() if like is None else like
        made = _run(like, new)
        if struck:
            for run in struck:
                self._strike(run)
            self._put_after(struck[-1].getparent(), made)
        elif stretch.start:
            self._put_after(like, made)
        elif like is not None:
            self._put_before(like, made)
        else:
            stretch.paragraph.append(self._wrapped(made))
        return [*struck, made]

    def strike_paragraph(self, paragraph: Any) -> list[Any]:
        """Strike all of a paragraph, its end included."""
        properties = paragraph.get_or_add_pPr()
        run = properties.find(f"{_W}rPr")
        if run is None:
            run = in_order(properties, "w:rPr")
        mark = self._mark("w:del")
        in_order(run, "w:del", **_attributes(mark))
        every = Stretch(paragraph, 0, 10**9)
        return [self._strike(one) for one in every.isolate(0, 10**9)]

    def new_paragraph(self, before: Any, text: str) -> Any:
        """Put in a paragraph after another one, in its style; return its run."""
        made = element("w:p")
        old = before.find(f"{_W}pPr")
        properties = copy.deepcopy(old) if old is not None else element("w:pPr")
        for one in list(properties):
            if one.tag.removeprefix(_W) in _NOT_COPIED:
                properties.remove(one)
        made.append(properties)
        mark = self._mark("w:ins")
        in_order(in_order(properties, "w:rPr"), "w:ins", **_attributes(mark))
        run = _run(Stretch(before, 0, 0).first_run(), text)
        made.append(self._wrapped(run))
        before.addnext(made)
        return run

    def comment(self, runs: Sequence[Any], text: str) -> None:
        """Say something about runs, in the margin.

        Raises:
            DocumentError: They stand where Word has no comments.
        """
        from docx.text.run import Run

        body = self._document.element.body
        if not any(above is body for above in runs[0].iterancestors()):
            raise DocumentError(
                "Word has no comments in headers, footers and notes.", "Leave it out."
            )
        order = {run: at for at, run in enumerate(body.iter(f"{_W}r"))}
        ordered = sorted(runs, key=lambda run: order.get(run, 0))
        ends = [Run(run, self._document) for run in (ordered[0], ordered[-1])]
        initials = "".join(word[0] for word in self._author.split() if word)[:4]
        made = self._document.add_comment(ends, legible(text), self._author, initials)
        made._comment_elm.set(f"{_W}date", self._date)
        self._lift(body, str(made.comment_id))

    def _lift(self, body: Any, identity: str) -> None:
        """Take a comment's marks out of a change, so that refusing the change leaves it there."""
        wanted = (f"{_W}commentRangeStart", f"{_W}commentRangeEnd", f"{_W}commentReference")
        for one in [mark for mark in body.iter(*wanted) if mark.get(f"{_W}id") == identity]:
            reference = one.tag == f"{_W}commentReference"
            moved = one.getparent() if reference else one
            outer = moved.getparent()
            if outer.tag not in (f"{_W}ins", f"{_W}del"):
                continue
            if one.tag == f"{_W}commentRangeStart":
                outer.addprevious(moved)
                continue
            at = outer
            while at.getnext() is not None and at.getnext().tag == f"{_W}commentRangeEnd":
                at = at.getnext()
            at.addnext(moved)

    def _strike(self, run: Any) -> Any:
        mark = self._mark("w:del")
        run.addprevious(mark)
        mark.append(run)
        for text in list(run.iter(f"{_W}t")):
            text.tag = f"{_W}delText"
            text.set(_SPACE, "preserve")
        return run

    def _wrapped(self, run: Any) -> Any:
        mark = self._mark("w:ins")
        mark.append(run)
        return mark

    def _put_after(self, place: Any, run: Any) -> None:
        """Put a new run after an element; what somebody else put in is parted around it."""
        outer = place.getparent()
        if outer.tag == f"{_W}ins":
            rest = element("w:ins", **_attributes(outer))
            for following in list(place.itersiblings()):
                rest.append(following)
            outer.addnext(self._wrapped(run))
            if len(rest):
                run.getparent().addnext(rest)
        else:
            place.addnext(self._wrapped(run))

    def _put_before(self, place: Any, run: Any) -> None:
        outer = place.getparent()
        target = outer if outer.tag == f"{_W}ins" else place
        target.addprevious(self._wrapped(run))


def _attributes(mark: Any) -> dict[str, str]:
    return {f"w:{key.removeprefix(_W)}": value for key, value in mark.attrib.items()}


def _run(like: Any, text: str) -> Any:
    """Return a new run with a text, in the style of another one."""
    made = element("w:r")
    style = None if like is None else like.find(f"{_W}rPr")
    if style is not None:
        kept = copy.deepcopy(style)
        for one in list(kept):
            if one.tag in (f"{_W}rPrChange", f"{_W}ins", f"{_W}del"):
                kept.remove(one)
        made.append(kept)
    for number, part in enumerate(legible(text).replace("\n", " ").split("\t")):
        if number:
            child(made, "w:tab")
        if part:
            child(made, "w:t").text = part
            made[-1].set(_SPACE, "preserve")
    return made
