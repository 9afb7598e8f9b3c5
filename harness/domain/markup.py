"""YAML as text with places. Anchors, aliases and tags are refused: what is meant is written out."""

from __future__ import annotations

from typing import Any, NoReturn

from harness.domain.entries import MAX_DEPTH, Entry, Mark, Plain, forbidden, not_text
from harness.domain.files import DomainFile
from harness.values import Place, Problem

__all__ = ["read_yaml"]


def read_yaml(
    file: DomainFile, text: str, *, first_line: int = 1
) -> tuple[Entry | None, list[Problem]]:
    """Read one YAML document.

    Args:
        file: Where the text comes from.
        text: The text.
        first_line: The line that it starts at in the file.

    Returns:
        What was written (None where the file says nothing, or on a problem), and every problem.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    stand_ins = _stand_ins(text)
    builder = _Builder(file, first_line, {sign: kept for kept, sign in stand_ins.items()})
    try:
        for event in YAML(typ="safe", pure=True).parse(text.translate(stand_ins)):
            builder.take(event)
    except _Stop:
        pass
    except ReaderError as error:
        at = min(error.position, len(text) - 1)
        line, column = text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1
        builder.report("bad-character", not_text(text[at]), line, column)
    except MarkedYAMLError as error:
        builder.report(*_syntax(error, text))
    if builder.problems or builder.root is None:
        return None, builder.problems
    data, mark = builder.root
    return Entry(data=data, file=file.name, line=mark.line, column=mark.column, marks=mark), []


def _stand_ins(text: str) -> dict[int, int]:
    """Return signs for the characters that ruamel takes for line breaks and YAML 1.2 does not.

    They come with text that is pasted from other programs; ruamel would fold them into spaces.
    """
    found = [ord(character) for character in "\x85\u2028\u2029" if character in text]
    unused = (code for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    return dict(zip(found, unused, strict=False))


class _Stop(Exception):
    """Nothing after this can be read."""


class _Builder:
    """Builds data and marks from YAML's events, with a stack of its own instead of recursion."""

    def __init__(self, file: DomainFile, first_line: int, stand_ins: dict[int, int]) -> None:
        self.file = file
        self.stand_ins = stand_ins
        self.offset = first_line
        self.problems: list[Problem] = []
        self.root: tuple[Any, Mark] | None = None
        self.documents = 0
        self.stack: list[tuple[Any, Mark]] = []
        self.pending: list[str | None] = []

    def report(self, code: str, message: str, line: int, column: int) -> None:
        place = Place(file=self.file.name, line=line + self.offset, column=column + 1)
        self.problems.append(Problem(place=place, code=code, message=message))

    def take(self, event: Any) -> None:
        name = type(event).__name__
        line, column = event.start_mark.line, event.start_mark.column
        if name == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                self._stop("yaml-syntax", _SECOND_DOCUMENT, line, column)
        elif name == "AliasEvent":
            self.report("alias", _ALIAS.format(f"*{event.anchor}"), line, column)
            self._place(None, Mark(line=line + self.offset, column=column + 1), None)
        elif name in ("SequenceEndEvent", "MappingEndEvent"):
            self.stack.pop()
            self.pending.pop()
        elif name in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent"):
            self._value(name, event, line, column)

    def _value(self, name: str, event: Any, line: int, column: int) -> None:
        if event.anchor:
            self.report("alias", _ALIAS.format(f"&{event.anchor}"), line, column)
        if event.tag:
            self.report("tag", _TAG.format(event.tag), line, column)
        mark = Mark(line=line + self.offset, column=column + 1)
        if name == "ScalarEvent":
            self._place(self._scalar(event, line, column), mark, event)
            return
        value: Any = {} if name == "MappingStartEvent" else []
        if len(self.stack) >= MAX_DEPTH:
            self._stop(
                "too-deep", f"Nested more than {MAX_DEPTH} deep. Write it flatter.", line, column
            )
        self._place(value, mark, None)
        self.stack.append((value, mark))
        self.pending.append(None)

    def _scalar(self, event: Any, line: int, column: int) -> str | None:
        text: str = event.value.translate(self.stand_ins) if self.stand_ins else event.value
        if event.style == '"' and (says := forbidden(text)):
            self.report("bad-character", says, line, column)
        if event.style is None:
            return Plain(text) if text else None
        # the line break that ends a block belongs to its layout, not to the text
        return text.removesuffix("\n") if event.style in ("|", ">") else text

    def _place(self, value: Any, mark: Mark, scalar: Any) -> None:
        if not self.stack:
            self.root = (value, mark)
            return
        holder, around = self.stack[-1]
        if isinstance(holder, list):
            around.children[len(holder)] = mark
            holder.append(value)
        elif self.pending[-1] is None:
            self.pending[-1] = self._key(value, mark, scalar, holder, around)
        else:
            key, self.pending[-1] = self.pending[-1], None
            if key not in holder:
                holder[key] = value
                around.children[key] = mark

    def _key(self, value: Any, mark: Mark, scalar: Any, holder: Any, around: Mark) -> str:
        line, column = mark.line - self.offset, mark.column - 1
        if scalar is None or value is None:
            self._stop("yaml-syntax", _BAD_KEY, line, column)
        key = str(value)
        if key in holder:
            first = around.keys[key]
            self.report(
                "duplicate-key",
                f"The key `{key}` stands here a second time (first in line {first[0]}). Keep one.",
                line,
                column,
            )
        else:
            around.keys[key] = (mark.line, mark.column)
        return key

    def _stop(self, code: str, message: str, line: int, column: int) -> NoReturn:
        self.report(code, message, line, column)
        raise _Stop


_ALIAS = (
    "`{}`: YAML anchors and aliases are not used here. Write out what is meant, or put it in"
    " quotes."
)
_TAG = "`{}`: YAML tags are not used here. Leave it out, or put the text in quotes."
_SECOND_DOCUMENT = (
    "A second document begins here (`---`). Put all items in one list, each beginning with `- `."
)
_BAD_KEY = "A key has to be a word before the colon. Put the text in quotes if it is meant as text."


_MISTAKES = (
    # in ruamel's problem, in its context; what it means; whether it lies where the context began
    (
        "mapping values are not allowed",
        "",
        "A colon followed by a space stands inside the text, or the indentation is off. Put the"
        " text in quotes, or after `|` on lines of its own.",
        False,
    ),
    ("end of stream", "quoted", "A quotation mark is opened here and never closed.", True),
    (
        "",
        "flow",
        "A bracket is opened here and not closed properly. Close it, or use quotes.",
        True,
    ),
    (
        "could not find expected ':'",
        "",
        "This line has no colon where a key is expected. Write `key: value`, or indent the line so"
        " that it belongs to the text above.",
        True,
    ),
    (
        "",
        "block",
        "The indentation is off: this line belongs neither to what stands above nor to a new item."
        " Line it up with the keys above, or with the `- ` of the items.",
        False,
    ),
    (
        "unknown escape character",
        "",
        "A backslash in double quotes has a meaning of its own. Use single quotes.",
        False,
    ),
    (
        "cannot start any token",
        "",
        "A text can't begin with this character. Put it in quotes.",
        False,
    ),
)


def _syntax(error: Any, text: str) -> tuple[str, str, int, int]:
    """Put ruamel's words in plain ones, for the mistakes that people make."""
    mark = error.problem_mark or error.context_mark
    problem, around = str(error.problem or ""), str(error.context or "")
    lines = text.split("\n")
    written = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return "yaml-syntax", "There is a tab here. Use spaces to indent.", mark.line, 0
    for in_problem, in_context, says, at_context in _MISTAKES:
        if in_problem in problem and in_context in around:
            place = (error.context_mark or mark) if at_context else mark
            return "yaml-syntax", says, place.line, place.column
    says = f"This is no YAML: {problem or around}. Put the text in quotes if it is meant as text."
    return "yaml-syntax", says, mark.line, mark.column
