"""What can be wrong in a domain folder: every code, and how a problem is put in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from harness.values import Problem

__all__ = ["CODES", "did_you_mean", "listed", "one_line"]

CODES: Mapping[str, str] = MappingProxyType(
    {
        # the file as such
        "binary": "The file is not text, whatever its name says.",
        "bad-character": "A character that no text may hold: NUL, or half of a character.",
        "broken-link": "A link that leads nowhere.",
        "damaged": "The file can't be opened as what its name says it is.",
        "empty-document": "The document is there, but nothing is in it.",
        "empty-file": "The file is there, but nothing is in it.",
        "encoding": "The file is not UTF-8.",
        "file-name": "A file name that can't be written down: control characters, or not UTF-8.",
        "misnamed": "A file or folder whose name is close to one that would be read.",
        "no-permission": "A file or folder that the current user may not read.",
        "no-text": "A document with pages, but without text: a scan.",
        "not-a-file": "A pipe, a device or a folder where a file should be; never opened.",
        "not-read": "Nothing reads this file: no place for it, or no item that names it.",
        "outside-folder": "A link or path that leads out of the domain folder; never followed.",
        "pages-without-text": "A PDF of which some pages are pictures without text.",
        "password": "The document is protected by a password.",
        "too-big": "The file is larger than the limit.",
        "unsupported-format": "No reader for a file with this ending.",
        "unknown-split": "A file in evals/ that belongs to no split.",
        "unreadable": "The operating system can't read the file.",
        "zip-bomb": "The file unpacks to far more than it should.",
        # its syntax
        "alias": "YAML anchors and aliases are not used here: what is meant is written out.",
        "csv-syntax": "The table breaks off: a quotation mark or a row is off.",
        "duplicate-key": "The same key or column twice.",
        "json-syntax": "A line that is no JSON.",
        "tag": "YAML tags are not used here: the schema gives types.",
        "too-deep": "Lists or mappings nested too deeply.",
        "yaml-syntax": "The file is no YAML.",
        "python-syntax": "A file of tools that is no Python.",
        # the words in it
        "bad-checks": "A check's specification is not what its grader takes.",
        "bad-heading": "A Markdown example has a heading that is no field, or text outside.",
        "bad-json": "JSON is expected here, and this is none.",
        "bad-name": "The domain's name is not one that a skill may have.",
        "bad-schema": "The JSON Schema is none.",
        "bad-value": "The value is not one that this key takes.",
        "empty-field": "The field is there, but empty.",
        "extra-cells": "A row has more cells than the table has columns.",
        "formula-without-value": "An Excel formula without a stored result, or with an error.",
        "missing-column": "The table lacks a column that every item needs.",
        "missing-field": "A field that every item needs is missing.",
        "nothing-to-check": "A case or a check that gives nothing to compare with.",
        "unknown-column": "A column that is no field.",
        "unknown-grader": "No grader of this name.",
        "unknown-key": "A key that is not known here.",
        "wrong-type": "A list where text should be, or the like.",
        # one thing against another
        "bad-id": "An id that can't name a file: empty, too long, or with slashes or line breaks.",
        "contradiction": "The same input with different outputs.",
        "core-stale": "core.lock names what can't stand in the core, or the bank has changed much.",
        "duplicate-id": "The same id twice in the domain.",
        "expected-fails": "A check that rejects what its own case expects.",
        "long-item": "One item of more than a million characters; it works, but seldom fits.",
        "missing-file": "An item names a file that is not there.",
        "name-mismatch": "SKILL.md's name is not the folder's, as other agents want it.",
        "no-examples": "The domain has no approved example and no dev case: nothing to learn from.",
        "no-front-matter": "SKILL.md lacks the name or description that other agents want.",
        "not-a-number": "A number is expected here, and this is none.",
        "tool-effect": "A tool's `Effect:` is not one that there is.",
        "tool-form": "A function in tools/ that can't be a tool: no docstring, or not a plain one.",
        "tool-name": "A tool has the name of another one, or one that no model can call.",
        "tool-type": "An argument of a tool has no type, or one that a model can't fill in.",
        "twin": "A holdout case with the text of an example.",
        "unknown-label": "A label that is not among the domain's.",
        "unknown-pin": "`context.pinned` names nothing that is there.",
        "unknown-rubric": "A check names a rubric that rubrics.yaml does not have.",
        "unused-setting": "A setting that has no effect with this `answer.kind`.",
    }
)
"""Every error code that a domain folder can give, with a sentence on what it means. Stable."""


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 70.0) -> str:
    """Return a question with the closest known word, or nothing where none is close.

    Args:
        word: What was written.
        known: What could have been meant.
        cutoff: Least similarity, 0 to 100 (normalised indel similarity).
    """
    from rapidfuzz import fuzz, process, utils

    found = process.extractOne(
        word, list(known), scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=cutoff
    )
    return f" Did you mean `{found[0]}`?" if found else ""


def listed(words: Iterable[str], *, most: int = 12) -> str:
    """Return the words as a list in a sentence, and how many more there are."""
    words = [f"`{word}`" for word in words]
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(problem: Problem) -> Problem:
    """Return the problem as one line of text, whatever an expert's file put into its words.

    Line breaks could forge other problems, and marks of direction turn a line around.
    """
    message, file = (_shown(text) for text in (problem.message, problem.place.file))
    if message == problem.message and file == problem.place.file:
        return problem
    return replace(problem, message=message, place=replace(problem.place, file=file))


def _shown(text: str) -> str:
    return _UNSHOWN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
