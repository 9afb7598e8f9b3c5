"""Markdown that experts write: SKILL.md, and a worked example on a page of its own.

---
source: policy 4711
---
# Input
…
# Output
…
# Why
…
# Steps
- …
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.domain.entries import Entry, Mark
from harness.domain.files import DomainFile
from harness.domain.markup import read_yaml
from harness.domain.problems import did_you_mean
from harness.values import Place, Problem

__all__ = ["Page", "read_page", "split_front_matter"]

HEADINGS = {"Input": "input", "Output": "output", "Why": "why", "Steps": "steps"}

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"# +(?P<name>.*?) *#* *")
_STEP = re.compile(r" {0,3}(?:[-*+]|[0-9]+[.)]) +(?P<text>.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A Markdown file: what its front matter says, and the text below.

    Attributes:
        head: The front matter; None where there is none.
        body: The text below it.
        first_line: The line of the file that the body starts at.
    """

    head: Entry | None
    body: str
    first_line: int = 1


def split_front_matter(file: DomainFile, text: str) -> tuple[Page, list[Problem]]:
    """Split a page into its front matter and its body."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        return Page(head=None, body="\n".join(lines)), []
    ends = [number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"]
    if not ends:
        says = "The front matter begins here (`---`) and never ends. Close it with a line `---`."
        problem = Problem(place=Place(file=file.name), code="yaml-syntax", message=says)
        return Page(head=None, body=""), [problem]
    head, problems = read_yaml(file, "\n".join(lines[1 : ends[0]]), first_line=2)
    if head is not None and not isinstance(head.data, dict):
        problems.append(head.problem("wrong-type", "Front matter is `key: value`, one a line."))
        head = None
    return Page(head=head, body="\n".join(lines[ends[0] + 1 :]), first_line=ends[0] + 2), problems


def read_page(file: DomainFile, text: str) -> tuple[Entry | None, list[Problem]]:
    """Read one example from a Markdown file; its id is the file's name unless it says another."""
    page, problems = split_front_matter(file, text)
    if problems:
        return None, problems
    data: dict[str, Any] = dict(page.head.data) if page.head else {}
    marks = page.head.marks if page.head and isinstance(page.head.marks, Mark) else None
    marks = marks or Mark(line=1, column=1)
    if data.get("id") is None:
        data["id"] = file.stem
    for section in _sections(file, page, problems):
        if section.field in data:
            says = f"`{section.field}` is written twice, here and above. Keep one."
            problems.append(_problem(file, "duplicate-key", says, section.line))
            continue
        marks.keys[section.field] = (section.line, 1)
        marks.children[section.field] = Mark(line=section.line, column=1)
        if section.field == "steps":
            data["steps"] = _steps(file, section, problems)
        else:
            data[section.field] = "\n".join(section.lines).strip("\n")
    if problems:
        return None, problems
    return Entry(data=data, file=file.name, marks=marks), []


@dataclass(frozen=True, kw_only=True, slots=True)
class _Section:
    field: str
    line: int
    lines: list[str]


def _sections(file: DomainFile, page: Page, problems: list[Problem]) -> Iterator[_Section]:
    """Yield the stretches below the headings of the first level; those in code are none."""
    section: _Section | None = None
    fence = ""
    stray = False
    for number, line in enumerate(page.body.split("\n"), start=page.first_line):
        opened = _FENCE.match(line)
        if opened and not fence:
            fence = opened[1]
        elif opened and opened[1].startswith(fence) and line.strip() == opened[1]:
            fence = ""
        heading = None if fence else _HEADING.fullmatch(line)
        if heading:
            if section:
                yield section
            field = HEADINGS.get(heading["name"].capitalize())
            section = _Section(field=field, line=number, lines=[]) if field else None
            stray = field is None
            if field is None:
                problems.append(_problem(file, "bad-heading", _unknown(heading["name"]), number))
        elif section:
            section.lines.append(line)
        elif line.strip() and not stray:
            stray = True
            problems.append(_problem(file, "bad-heading", _BEFORE, number))
    if section:
        yield section


def _steps(file: DomainFile, section: _Section, problems: list[Problem]) -> list[str]:
    steps: list[str] = []
    for number, line in enumerate(section.lines, start=section.line + 1):
        if match := _STEP.fullmatch(line):
            steps.append(match["text"].strip())
        elif line.strip() and steps and line.startswith((" ", "\t")):
            steps[-1] += "\n" + line.strip()
        elif line.strip():
            says = "A step begins with `- ` or `1. `; what belongs to the step above is indented."
            problems.append(_problem(file, "bad-heading", says, number))
            break
    return steps


_BEFORE = (
    "Text stands before the first heading. An example on a page of its own has the headings"
    " `# Input`, `# Output`, `# Why`, `# Steps`, and its text below them."
)


def _unknown(name: str) -> str:
    return (
        f"The heading `# {name}` is no field.{did_you_mean(name, HEADINGS)} Use `# Input`,"
        " `# Output`, `# Why` and `# Steps`; headings within their text begin with `##`."
    )


def _problem(file: DomainFile, code: str, message: str, line: int) -> Problem:
    return Problem(place=Place(file=file.name, line=line), code=code, message=message)
