"""What stands beside a Word file's text: margins, notes, comments and tracked changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.documents.places import Part
from harness.documents.word_paragraph import paragraph_text
from harness.documents.word_xml import W

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["parts_beside"]

_W = f"{{{W}}}"
_ID, _AUTHOR, _DATE = (f"{_W}{one}" for one in ("id", "author", "date"))


def parts_beside(document: Document) -> list[Part]:
    """Return what stands beside the text, each kind as a part of its own."""
    extra = (
        ("header and footer", _margins(document)),
        ("footnotes and endnotes", _notes(document)),
        ("comments", _comments(document)),
        ("tracked changes", _changes(document)),
    )
    return [Part(where=where, text="\n".join(lines)) for where, lines in extra if lines]


def _margins(document: Document) -> list[str]:
    found: dict[str, None] = {}
    for section in document.sections:
        for place, stands in (("header", section.header), ("footer", section.footer)):
            if not stands.is_linked_to_previous:
                text = " ".join(
                    " ".join(map(paragraph_text, stands._element.iter(f"{_W}p"))).split()
                )
                if text:
                    found[f"{place}: {text}"] = None
    return list(found)


def _notes(document: Document) -> list[str]:
    """Return footnotes and endnotes, which python-docx does not know."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import parse_xml

    found = []
    kinds = {RELATIONSHIP_TYPE.FOOTNOTES: "note", RELATIONSHIP_TYPE.ENDNOTES: "endnote"}
    for relation in document.part.rels.values():
        kind = kinds.get(relation.reltype)
        if kind is None or relation.is_external:
            continue
        for note in parse_xml(relation.target_part.blob):
            text = " ".join(" ".join(map(paragraph_text, note.iter(f"{_W}p"))).split())
            if text and note.get(f"{_W}type") is None:
                found.append(f"[{kind} {note.get(_ID)}] {text}")
    return found


def _comments(document: Document) -> list[str]:
    spoken = _commented(document)
    return [
        f"{comment.author or 'someone'}{_on(comment.timestamp)}"
        f"{_about(spoken.get(str(comment.comment_id), ''))}: {' '.join(comment.text.split())}"
        for comment in document.comments
    ]


def _on(moment: Any) -> str:
    return f", {moment:%Y-%m-%d}" if moment else ""


def _about(words: str) -> str:
    short = " ".join(words.split())
    return f", on “{short[:200]}”" if short else ""


def _commented(document: Document) -> dict[str, str]:
    """Return the words that each comment is about."""
    open_: dict[str, str] = {}
    for element in document.element.body.iter(
        f"{_W}commentRangeStart", f"{_W}commentRangeEnd", f"{_W}t"
    ):
        if element.tag == f"{_W}commentRangeStart":
            open_[element.get(_ID) or ""] = ""
        elif element.tag == f"{_W}commentRangeEnd":
            identity = element.get(_ID) or ""
            open_[f"done {identity}"] = open_.pop(identity, "")
        else:
            for identity in open_:
                if not identity.startswith("done "):
                    open_[identity] += element.text or ""
    return {identity.removeprefix("done "): words for identity, words in open_.items()}


def _changes(document: Document) -> list[str]:
    """Return each tracked change: what, by whom, when."""
    said = {"ins": "inserted", "del": "deleted", "moveFrom": "moved away", "moveTo": "moved here"}
    found = []
    for element in document.element.body.iter(*(f"{_W}{one}" for one in said)):
        texts = (one.text or "" for one in element.iter(f"{_W}t", f"{_W}delText"))
        text = "".join(texts)
        if text:
            kind = said[element.tag.rpartition("}")[2]]
            date = f", {element.get(_DATE)[:10]}" if element.get(_DATE) else ""
            found.append(f"{element.get(_AUTHOR) or 'someone'}{date}, {kind}: “{text}”")
    return found
