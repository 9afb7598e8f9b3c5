"""One item of a YAML file changed or added; every other byte of the file stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from harness.improve.scalars_out import Fields, block_value, flow_value, item_lines

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

__all__ = ["add_item", "change_item", "change_mapping", "line_end", "set_key"]

Splice = tuple[int, int, str]
"""Replace what stands from here to there by this."""


def line_end(text: str) -> str:
    """Return what ends a line in this text."""
    return "\r\n" if "\r\n" in text else "\n"


def add_item(text: str, fields: Fields) -> str | None:
    """Return the text with one more item at its end; None where the file is no block list."""
    newline = line_end(text)
    root = _composed(text)
    if root is None:
        indent = 0
    elif _is_list(root) and not root.flow_style:
        indent = int(root.start_mark.column)
    else:
        return None
    gap = "" if not text or text.endswith("\n") else newline
    return text + gap + item_lines(fields, indent=indent, newline=newline)


def change_item(text: str, name: str, fields: Fields) -> str | None:
    """Return the text with keys of the item `name` set; None where it can't be found.

    Args:
        text: Of the file.
        name: The item's id.
        fields: Its keys to set; those that are there keep their place.
    """
    root = _composed(text)
    for item in root.value if root is not None and _is_list(root) else ():
        if _is_mapping(item) and _says(item, "id") == name:
            return _spliced(text, _splices(text, item, fields))
    return None


def change_mapping(text: str, fields: Fields) -> str | None:
    """Return the text of a mapping, as front matter, with keys set; None where it is none."""
    newline = line_end(text)
    root = _composed(text)
    if root is None:
        added = (f"{key}: {block_value(value, 0, newline)}" for key, value in fields.items())
        gap = "" if not text or text.endswith("\n") else newline
        return text + gap + newline.join(added) + newline
    return _spliced(text, _splices(text, root, fields)) if _is_mapping(root) else None


def set_key(text: str, path: tuple[str, ...], value: str | Sequence[str] | None) -> str | None:
    """Return the text of a settings file with one key set, or taken away where value is None.

    Args:
        text: Of the file: one mapping.
        path: The key; two parts for a key within another.
        value: Text, or a list of texts; None takes the key away.
    """
    newline = line_end(text)
    root = _composed(text)
    said = None if value is None else _setting(value)
    *outer, key = path
    holder = root
    for name in outer:
        holder = _under(holder, name)
    if said is None:
        return _without(text, holder, key)
    if holder is not None and _is_mapping(holder) and holder.value:
        found = next((pair for pair in holder.value if pair[0].value == key), None)
        if found is None and not holder.flow_style:
            column = int(holder.value[0][0].start_mark.column)
            at = text.find("\n", _end(text, holder))
            at = len(text) if at < 0 else at - (text[at - 1] == "\r")
            return f"{text[:at]}{newline}{' ' * column}{key}: {said}{text[at:]}"
        if found is None:
            last = _end(text, holder.value[-1][1])
            return f"{text[:last]}, {key}: {said}{text[last:]}"
        start, end = found[1].start_mark.index, _end(text, found[1])
        if start == end or text[start:end].startswith("-"):
            start = text.index(":", found[0].end_mark.index) + 1
            end = max(start, end)
            said = " " + said
        return text[:start] + said + text[end:]
    if outer and root is not None and _under(root, outer[0]) is not None:
        return None  # something else than a mapping stands there
    gap = "" if not text or text.endswith("\n") else newline
    lines = f"{outer[0]}:{newline}  {key}: {said}" if outer else f"{key}: {said}"
    return text + gap + lines + newline


def _setting(value: str | Sequence[str]) -> str:
    if not isinstance(value, str):
        return flow_value(tuple(value))
    if re.fullmatch(r"[^\W_][\w.:/+ %-]*", value) and ": " not in value and value == value.strip():
        return value
    return flow_value(value)


def _under(node: Node | None, key: str) -> Node | None:
    """Return what stands under a key of a mapping; None where there is nothing."""
    if node is None or not _is_mapping(node):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _without(text: str, holder: Node | None, key: str) -> str | None:
    """Return the text without a key on lines of its own; as it is where the key is not there."""
    found = _under(holder, key)
    if holder is None or found is None or not _is_mapping(holder):
        return text
    name = next(name for name, value in holder.value if name.value == key)
    start = text.rfind("\n", 0, name.start_mark.index) + 1
    if holder.flow_style or text[start : name.start_mark.index].strip() or len(holder.value) == 1:
        return None
    end = text.find("\n", _end(text, found))
    return text[:start] + (text[end + 1 :] if end >= 0 else "")


def _composed(text: str) -> Node | None:
    """Return the tree of nodes; ruamel takes some characters for line breaks that are none."""
    from ruamel.yaml import YAML

    stand_ins = dict.fromkeys(map(ord, "\x85\u2028\u2029"), "\ue000")
    root: Node | None = YAML(typ="safe", pure=True).compose(text.translate(stand_ins))
    return root


def _is_list(node: Any) -> TypeGuard[SequenceNode]:
    return type(node).__name__ == "SequenceNode"


def _is_mapping(node: Any) -> TypeGuard[MappingNode]:
    return type(node).__name__ == "MappingNode"


def _says(item: MappingNode, key: str) -> str | None:
    return next((str(value.value) for name, value in item.value if name.value == key), None)


def _splices(text: str, item: MappingNode, fields: Fields) -> Iterator[Splice]:
    newline = line_end(text)
    column = int(item.value[0][0].start_mark.column)
    there = {key.value: (key, value) for key, value in item.value}
    for key in [key for key in fields if key in there]:
        node = there[key][1]
        start, end = node.start_mark.index, _end(text, node)
        if item.flow_style:
            yield start, end, flow_value(fields[key])
        elif start == end:  # left empty: the value goes right behind the colon
            behind = text.index(":", there[key][0].end_mark.index) + 1
            yield behind, behind, " " + block_value(fields[key], column, newline)
        elif text[start:end].startswith("-") and _is_list(node):
            # the dashes of a list stand on lines of their own, to which the key's line end leads
            after = there[key][0].end_mark.index + 1
            yield after, end, " " + block_value(fields[key], column, newline).lstrip(" ")
        else:
            yield start, end, block_value(fields[key], column, newline)
    new = [key for key in fields if key not in there]
    if not new:
        return
    last = _end(text, item.value[-1][1])
    if item.flow_style:
        yield last, last, "".join(f", {key}: {flow_value(fields[key])}" for key in new)
        return
    at = text.find("\n", last)
    at = len(text) if at < 0 else at - (text[at - 1] == "\r")
    lead = newline + " " * column
    yield (
        at,
        at,
        "".join(f"{lead}{key}: {block_value(fields[key], column, newline)}" for key in new),
    )


def _end(text: str, node: Any) -> int:
    """Return where a value ends; a block's last line break and a comment below are not in it."""
    if (_is_list(node) or _is_mapping(node)) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end = int(node.end_mark.index)
    if getattr(node, "style", None) in ("|", ">"):
        while end > node.start_mark.index and text[end - 1] in " \t\r\n":
            end -= 1
    return end


def _spliced(text: str, splices: Iterator[Splice]) -> str:
    for start, end, new in sorted(splices, key=lambda one: one[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text
