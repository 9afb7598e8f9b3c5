"""A text as YAML that reads back as the same text, in the form an expert would write it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

__all__ = ["Field", "Fields", "block_value", "flow_value", "item_lines"]

Field = str | tuple[str, ...]
Fields = Mapping[str, Field]
"""What an example says, by key; a tuple is a list."""

_PLAIN = re.compile(r"[^\W_](?:[\w .,;()/+€$£%'\u2019\u2013\u2014?!=-]*[\w.)%?!€$£])?")
_OTHER_TYPE = re.compile(
    r"[-+.\d][\d.,:_eExXoO+-]*|null|true|false|yes|no|on|off|y|n", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def item_lines(fields: Fields, *, indent: int = 0, newline: str = "\n") -> str:
    """Return an item of a YAML list, `- id: …`, its keys in the order given.

    Args:
        fields: Its keys; empty ones are left out.
        indent: Column of the `- `.
        newline: What ends a line.
    """
    said = [
        f"{key}: {block_value(value, indent + 2, newline)}"
        for key, value in fields.items()
        if value
    ]
    lead = " " * indent
    return "".join(
        f"{lead}{'- ' if number == 0 else '  '}{line}{newline}" for number, line in enumerate(said)
    )


def block_value(value: Field, indent: int, newline: str = "\n") -> str:
    """Return a value as it stands behind its key in block style, without a last line break.

    Args:
        value: Text, or a list of texts.
        indent: Column of the key.
        newline: What ends a line.
    """
    if not isinstance(value, str):
        return flow_value(value) if _short(value) else _listed(value, indent, newline)
    if "\n" in value and _fits_literal(value):
        lead = " " * (indent + 2)
        lines = (f"{lead}{line}" if line else "" for line in value.split("\n"))
        return f"|-{newline}" + newline.join(lines)
    return _one_line(value)


def flow_value(value: Field) -> str:
    """Return a value as it stands within `{…}`: texts in double quotes."""
    if isinstance(value, str):
        return _quoted(value)
    return "[" + ", ".join(_bare(one) or _quoted(one) for one in value) + "]"


def _short(values: Iterable[str]) -> bool:
    shown = list(values)
    return all(_bare(one) for one in shown) and sum(map(len, shown)) < 60


def _bare(text: str) -> str:
    """Return the text if it can stand in a flow list without quotes, else nothing."""
    return text if re.fullmatch(r"[^\W_][\w./-]*", text) and not _typed(text) else ""


def _listed(values: Iterable[str], indent: int, newline: str) -> str:
    lead = f"{newline}{' ' * (indent + 2)}- "
    return "".join(lead + block_value(one, indent + 4, newline) for one in values)


def _one_line(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and not _typed(text) else _quoted(text)


def _typed(text: str) -> bool:
    """Say whether another YAML reader would take it for a number, a truth or nothing."""
    return _OTHER_TYPE.fullmatch(text) is not None and _DATE.fullmatch(text) is None


def _quoted(text: str) -> str:
    return _UNSEEN.sub(
        lambda match: match[0] if ord(match[0]) < 32 else f"\\u{ord(match[0]):04x}",
        json.dumps(text, ensure_ascii=False),
    )


def _fits_literal(text: str) -> bool:
    """Say whether a text of several lines can stand after `|-` as it is."""
    if _UNSEEN.search(text) or text != text.strip("\n") or "\r" in text:
        return False
    return not text.startswith((" ", "\t"))
