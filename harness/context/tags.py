"""The tagged form in which material stands in a context, and how it is read back.

A case of one line costs few tokens (`<ex>input<out>output`); tags of several lines are for long
items. Content can't close or forge a tag: a `<` that would open one of ours is written `&lt;`,
and reading puts it back.

Every piece begins with `<` and ends with one newline. No token of o200k_base reaches over such
a seam (its pattern ends a token after a newline that a `<` follows), so the tokens of a context
are the sum of its pieces' tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "Demonstration",
    "block",
    "demonstration",
    "neutral",
    "read_demonstrations",
    "read_question",
    "restored",
]

NAMES = (
    "ex", "out", "example", "input", "output", "why", "steps", "standard", "passage", "rule",
    "question", "file",
)  # fmt: skip

_UNSEEN = (
    r"\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters, and what Unicode calls ignorable
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff"
)
# Possessive (`*+`): a `<` before a million blanks is looked at once, not a million times.
_GAP = rf"[\s{_UNSEEN}]*+"
_SPELT = "|".join(rf"[{_UNSEEN}]*+".join(name) for name in NAMES)
_NAME = rf"(?={_GAP}(?:/{_GAP})?(?:{_SPELT})(?![0-9A-Za-z_]))"
FORGED = re.compile(rf"(?:<|&(?P<amp>(?:amp;)*)lt;){_NAME}", re.IGNORECASE)
ESCAPED = re.compile(rf"&(?P<amp>(?:amp;)*)lt;{_NAME}", re.IGNORECASE)
LINE_BREAK = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def neutral(text: str) -> str:
    """Return the text with every would-be tag of ours made harmless; `restored` undoes it."""
    if "<" not in text and "lt;" not in text.lower():
        return text
    return FORGED.sub(lambda found: "&lt;" if found[0] == "<" else f"&amp;{found[0][1:]}", text)


def restored(text: str) -> str:
    """Return what `neutral` was given."""
    if "lt;" not in text.lower():
        return text
    return ESCAPED.sub(
        lambda found: f"&{found[0][5:]}" if found["amp"] else f"<{found[0][4:]}", text
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Demonstration:
    """A worked case as a context shows it."""

    input: str
    output: str


def block(name: str, text: str, origin: str = "") -> str:
    """Return a tag of several lines around a text; `origin` goes into its `from`."""
    said = " ".join(re.sub(r'["<>]', "'", origin.replace(" > ", " / ")).split())
    opening = f'<{name} from="{said}">' if said else f"<{name}>"
    return f"{opening}\n{neutral(text)}\n</{name}>\n"


def demonstration(
    given: str,
    answer: str,
    *,
    answer_tag: str = "output",
    files: Sequence[tuple[str, str]] = (),
    between: Iterable[tuple[str, str]] = (),
) -> str:
    """Return a case: on one line where it fits on one, else in tags of several lines.

    Args:
        given: The input.
        answer: The output, or the standard that an answer is held to.
        answer_tag: `output` or `standard`.
        files: (name, text) of files that belong to the input.
        between: (tag, text) of what stands between them: steps, reasons.
    """
    between = [(tag, text) for tag, text in between if text]
    if not between and not files and not LINE_BREAK.search(given) and not LINE_BREAK.search(answer):
        short = "out" if answer_tag == "output" else answer_tag
        return f"<ex>{neutral(given)}<{short}>{neutral(answer)}\n"
    inner = [("input", given), *between, (answer_tag, answer)]
    attached = "".join(block("file", text, name) for name, text in files)
    return f"<example>\n{attached}{''.join(block(tag, text) for tag, text in inner)}</example>\n"


SHORT = re.compile(r"^<ex>(?P<input>[^\n]*?)<out>(?P<output>[^\n]*)\n", re.MULTILINE)
LONG = re.compile(r"^<example>\n(?P<body>.*?)^</example>\n", re.MULTILINE | re.DOTALL)
INPUT, OUTPUT = (
    re.compile(rf"^<{name}>\n(?P<{name}>.*?)\n</{name}>\n", re.MULTILINE | re.DOTALL)
    for name in ("input", "output")
)


def read_demonstrations(text: str) -> Iterator[Demonstration]:
    """Yield the worked cases of a rendered context, in its order."""
    found = [(short.end(), short["input"], short["output"]) for short in SHORT.finditer(text)]
    for long in LONG.finditer(text):
        # An expert's page may leave an `<example>` open; no content can.
        body = f"\n{long['body']}".rpartition("\n<example>\n")[2]
        given, answer = INPUT.search(body), OUTPUT.search(body)
        if given and answer:
            found.append((long.end(), given["input"], answer["output"]))
    for _, one, other in sorted(found):
        yield Demonstration(input=restored(one), output=restored(other))


QUESTION = re.compile(r"^<question>\n(?P<text>.*)\n</question>\n", re.MULTILINE | re.DOTALL)


def read_question(text: str) -> str:
    """Return the question of a rendered context; the whole text where none is marked."""
    found = QUESTION.search(text)
    return restored(found["text"]) if found else text
