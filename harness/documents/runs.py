"""Words of a Word file's paragraph, and the runs that they stand in.

A paragraph's text is spread over runs, one for each style and for each time that somebody typed.
A stretch of it is found by its characters, and cut out so that whole runs carry it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.documents.word_xml import W

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["Stretch", "folded", "in_note", "paragraphs_of", "roots_of", "stretches", "text_of"]

_W = f"{{{W}}}"
_T = f"{_W}t"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_SKIPPED = {f"{_W}{one}" for one in ("del", "moveFrom", "pPr", "rPr", "instrText", "txbxContent")}
_NOTES = (f"{_W}footnote", f"{_W}endnote")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"

# One character for one, so that places stay.
_FOLD = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u202f\u2009\t\n", " "),
    }
)


def folded(text: str) -> str:
    """Return a text without what a word processor makes of its signs; as long as before."""
    return text.translate(_FOLD)


@dataclass(frozen=True, slots=True)
class _Atom:
    """One character: the run and the element that it stands in, and where in its text."""

    run: Any
    element: Any
    offset: int
    sign: str


def _atoms(paragraph: Any) -> Iterator[_Atom]:
    def walk(element: Any, run: Any) -> Iterator[_Atom]:
        for child in element:
            tag = child.tag
            if tag in _SKIPPED or tag == _FALLBACK:
                continue
            if tag == _T and run is not None:
                for offset, sign in enumerate(child.text or ""):
                    yield _Atom(run, child, offset, sign)
            elif tag in _SIGNS and run is not None:
                yield _Atom(run, child, 0, _SIGNS[tag])
            elif tag == f"{_W}r":
                yield from walk(child, child)
            else:
                yield from walk(child, run)

    yield from walk(paragraph, None)


def text_of(paragraph: Any) -> str:
    """Return a paragraph's text, as if every tracked change were accepted."""
    return "".join(atom.sign for atom in _atoms(paragraph))


def paragraphs_of(document: Document) -> list[Any]:
    """Return every paragraph: text, tables, text boxes, then headers and footers, then notes."""
    return [paragraph for root in roots_of(document) for paragraph in _paragraphs(root)]


def roots_of(document: Document) -> list[Any]:
    """Return what paragraphs stand in: the text, headers and footers, footnotes and endnotes."""
    roots = [document.element.body]
    for section in document.sections:
        roots += [
            part._element
            for part in (section.header, section.footer)
            if not part.is_linked_to_previous
        ]
    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.endswith(("/footnotes", "/endnotes")):
            notes = getattr(relation.target_part, "_element", ())
            roots += [one for one in notes if one.get(f"{_W}type") is None]  # no separators
    return roots


def in_note(paragraph: Any) -> bool:
    """Return whether a paragraph stands in a footnote or an endnote."""
    return any(above.tag in _NOTES for above in paragraph.iterancestors())


def _paragraphs(root: Any) -> Iterator[Any]:
    for paragraph in root.iter(f"{_W}p"):
        if not any(above.tag == _FALLBACK for above in paragraph.iterancestors()):
            yield paragraph


def stretches(paragraph: Any, words: str) -> Iterator[Stretch]:
    """Yield where words stand in a paragraph, however their quotes, dashes and blanks look."""
    parts = folded(words).split()
    if not parts:
        return
    pattern = re.compile(r"\s+".join(map(re.escape, parts)))
    for match in pattern.finditer(folded(text_of(paragraph))):
        yield Stretch(paragraph, match.start(), match.end())


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters of a paragraph, from `start` up to `end`."""

    paragraph: Any
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters."""
        return text_of(self.paragraph)[self.start : self.end]

    @property
    def whole(self) -> bool:
        """It is all of the paragraph's words."""
        text = text_of(self.paragraph)
        return not (text[: self.start] + text[self.end :]).strip()

    def around(self) -> str:
        """Return the characters with some before and after."""
        return text_of(self.paragraph)[max(self.start - 20, 0) : self.end + 20]

    def isolate(self, start: int, end: int) -> list[Any]:
        """Cut the runs so that some carry these characters and nothing else; return them."""
        _cut(self.paragraph, end)
        _cut(self.paragraph, start)
        runs: list[Any] = []
        for atom in list(_atoms(self.paragraph))[start:end]:
            if not runs or runs[-1] is not atom.run:
                runs.append(atom.run)
        return runs

    def run_before(self, at: int) -> Any:
        """Return the run whose last character stands before a place; None at the beginning."""
        _cut(self.paragraph, at)
        atoms = list(_atoms(self.paragraph))
        return atoms[at - 1].run if at else None

    def first_run(self) -> Any:
        """Return the paragraph's first run with characters; None where it has none."""
        return next((atom.run for atom in _atoms(self.paragraph)), None)


def _cut(paragraph: Any, at: int) -> None:
    """Make a run begin at a place, if none does."""
    atoms = list(_atoms(paragraph))
    if not 0 < at < len(atoms) or atoms[at].run is not atoms[at - 1].run:
        return
    here = atoms[at]
    rest = copy.deepcopy(here.run)
    for child in list(rest):
        if child.tag != f"{_W}rPr":
            rest.remove(child)
    element = here.element
    if here.offset:
        text = element.text or ""
        tail = copy.deepcopy(element)
        _write(element, text[: here.offset])
        _write(tail, text[here.offset :])
        element.addnext(tail)
        element = tail
    siblings = list(here.run)
    # What stands deeper than in the run itself (a ruby, a symbol's fallback) moves as a whole.
    while element.getparent() is not here.run:
        element = element.getparent()
    for moved in siblings[siblings.index(element) :] if element in siblings else _from(element):
        rest.append(moved)
    here.run.addnext(rest)


def _from(element: Any) -> list[Any]:
    return [element, *element.itersiblings()]


def _write(element: Any, text: str) -> None:
    element.text = text
    element.set(_SPACE, "preserve")
