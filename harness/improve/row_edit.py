"""One item of a CSV file, of JSON lines or of a Markdown page changed; the others stay as is."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from harness.domain.files import DomainFile
from harness.domain.pages import HEADINGS, read_page
from harness.improve.scalars_out import Field, Fields
from harness.improve.yaml_edit import change_mapping, line_end

__all__ = ["change_json_line", "change_page", "change_row"]


def change_row(text: str, line: int, fields: Fields) -> str | None:
    """Return a CSV text with cells of one row set; a missing column is added to the first row.

    Args:
        text: Of the file.
        line: Physical line that the row starts at, from 1.
        fields: Cells to set, by column.
    """
    lines = list(io.StringIO(text, newline=""))
    delimiter = max(",;\t", key=(lines[0] if lines else "").count)
    reader = csv.reader(lines, delimiter=delimiter)
    names = [name.strip() for name in next(reader, [])]
    head = reader.line_num
    start = head + 1
    found: list[str] | None = None
    for cells in reader:
        if start == line:
            found = cells
            break
        start = reader.line_num + 1
    if found is None:
        return None
    new = [key for key in fields if key not in names]
    columns = [*names, *new]
    padded = [*found, *[""] * (len(columns) - len(found))]
    for key, value in fields.items():
        padded[columns.index(key)] = _cell(value)
    row = io.StringIO()
    csv.writer(row, delimiter=delimiter, lineterminator=line_end(text)).writerow(padded)
    if new:
        body = lines[head - 1].rstrip("\r\n")
        lines[head - 1] = body + "".join(delimiter + key for key in new) + line_end(text)
    return "".join([*lines[: start - 1], row.getvalue(), *lines[reader.line_num :]])


def _cell(value: Field) -> str:
    return value if isinstance(value, str) else "; ".join(value)


def change_json_line(text: str, line: int, fields: Fields) -> str | None:
    """Return a text of JSON lines with keys of one line set.

    Args:
        text: Of the file.
        line: Which line, from 1.
        fields: Keys to set.
    """
    lines = text.split("\n")
    ending = "\r" if lines[line - 1].endswith("\r") else ""
    said: dict[str, Any] = json.loads(lines[line - 1], parse_float=str, parse_int=str)
    said.update(
        {key: value if isinstance(value, str) else list(value) for key, value in fields.items()}
    )
    lines[line - 1] = json.dumps(said, ensure_ascii=False) + ending
    return "\n".join(lines)


def change_page(name: str, text: str, fields: Fields) -> str | None:
    """Return a Markdown example with sections and keys of its front matter set.

    Args:
        name: Of the file.
        text: Of the file.
        fields: What to set.
    """
    newline = line_end(text)
    lines = text.replace("\r\n", "\n").split("\n")
    entry, problems = read_page(DomainFile(name=name, path=None), text)  # type: ignore[arg-type]  # only its name is asked for
    if entry is None or problems:
        return None
    places: dict[str, tuple[int, int]] = getattr(entry.marks, "keys", {})
    headings = {key: at[0] for key, at in places.items() if _heading(lines, at[0]) == key}
    for key in sorted(headings, key=lambda one: headings[one], reverse=True):
        if key in fields:
            first = headings[key]
            after = min((at for at in headings.values() if at > first), default=len(lines) + 1)
            lines[first : after - 1] = _section(fields[key])
    front = {}
    for key, value in fields.items():
        if key in headings:
            continue
        title = next((title for title, field in HEADINGS.items() if field == key), "")
        if title and key not in places:
            lines += [f"# {title}", *_section(value)]
        else:
            front[key] = value
    whole = "\n".join(lines)
    if front:
        whole = _with_front_matter(whole, front)
    return whole.replace("\n", newline)


def _heading(lines: list[str], line: int) -> str:
    words = lines[line - 1].strip("# ").capitalize() if lines[line - 1].startswith("# ") else ""
    return HEADINGS.get(words, "")


def _section(value: Field) -> list[str]:
    lines = value.split("\n") if isinstance(value, str) else [f"- {one}" for one in value]
    return ["", *lines, ""]


def _with_front_matter(text: str, fields: Fields) -> str:
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return f"---\n{change_mapping('', fields)}---\n{text}"
    end = next(number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---")
    head = "".join(f"{line}\n" for line in lines[1:end])
    changed = change_mapping(head, fields)
    return "\n".join([lines[0], *(changed or head).rstrip("\n").split("\n"), *lines[end:]])
