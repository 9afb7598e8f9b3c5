"""The files in examples/ and evals/: which there are, and who reads each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from harness.domain.entries import Entry
from harness.domain.files import DomainFile, Unusable, decode, editor_file, read_bytes, walk
from harness.domain.formats import AnswerSettings, CaseItem, ExampleItem
from harness.domain.items import read_cases, read_examples
from harness.domain.jsonlines import read_jsonl
from harness.domain.markup import read_yaml
from harness.domain.pages import read_page
from harness.domain.problems import listed
from harness.domain.tables import read_csv
from harness.values import EvalCase, Example, Place, Problem, Split

__all__ = ["ENDINGS", "entries_of", "read_all_cases", "read_all_examples", "read_example_file"]

ENDINGS = (".yaml", ".yml", ".jsonl", ".csv", ".xlsx")
"""Endings of files with items; examples may be `.md` too."""

Schema = type[ExampleItem] | type[CaseItem]

_SAVE_AS = {".xls": ".xlsx", ".ods": ".xlsx", ".tsv": ".csv", ".json": ".jsonl", ".docx": ".md"}
_SPLITS: dict[str, Split] = {"dev": "dev", "holdout": "holdout"}


def read_all_examples(
    root: Path, answer: AnswerSettings, broken: list[Example] | None = None
) -> tuple[list[Example], list[Problem]]:
    """Read every file directly in examples/; its subfolders hold files that examples name.

    Args:
        root: The domain folder, resolved.
        answer: The domain's.
        broken: Takes those that are left out, as for `read_examples`.
    """
    problems: list[Problem] = []
    entries: list[Entry] = []
    for file in _files(root, "examples", problems):
        entries += entries_of(file, root, ExampleItem, problems)
    examples, wrong = read_examples(entries, answer, broken)
    return examples, problems + _unsaid(wrong, problems)


def read_all_cases(
    root: Path, answer: AnswerSettings, broken: list[EvalCase] | None = None
) -> tuple[list[EvalCase], list[Problem]]:
    """Read dev.* and holdout.* in evals/. Nothing in evals/sealed/ is opened.

    Args:
        root: The domain folder, resolved.
        answer: The domain's.
        broken: Takes those that are left out, as for `read_cases`.
    """
    problems: list[Problem] = []
    cases: list[EvalCase] = []
    for file in _files(root, "evals", problems):
        split = _SPLITS.get(file.path.name.split(".")[0])
        if split is None or file.path.is_dir():
            problems.append(_no_split(file))
            continue
        entries = entries_of(file, root, CaseItem, problems)
        found, wrong = read_cases(entries, answer, split, broken)
        cases += found
        problems += _unsaid(wrong, problems)
    return cases, problems


def read_example_file(
    name: str, data: bytes, answer: AnswerSettings
) -> tuple[list[Example], list[Problem]]:
    """Read the bytes of one file as if they stood in examples/, whatever stands there now.

    Args:
        name: Of the file, from the domain folder: `examples/corrections.yaml`.
        data: Its bytes.
        answer: The domain's.
    """
    file = DomainFile(name=name, path=Path(name))
    try:
        _refuse_ending(file, ExampleItem)
        entries, problems = _parse(file, data, ExampleItem)
    except Unusable as error:
        return [], [error.problem]
    examples, wrong = read_examples(entries, answer)
    return examples, problems + _unsaid(wrong, problems)


def _unsaid(found: list[Problem], said: list[Problem]) -> list[Problem]:
    """Return the problems but those of cells that are empty for want of a formula's result."""
    cells = {_cell(one) for one in said if one.code == "formula-without-value"}
    return [one for one in found if not cells or _cell(one) not in cells]


def _cell(problem: Problem) -> tuple[Place, str]:
    return problem.place, problem.message.partition(" (sheet `")[2]


def _files(root: Path, folder: str, problems: list[Problem]) -> Iterator[DomainFile]:
    if not os.path.lexists(root / folder):
        return
    try:
        if not (root / folder).resolve().is_relative_to(root):
            raise DomainFile(name=folder, path=root / folder).unusable(
                "outside-folder",
                f"`{folder}` is a link that leads out of the domain folder."
                " Put the folder itself here.",
            )
        yield from walk(root, folder, deep=False)
        if folder == "evals":
            for path in sorted((root / folder).iterdir()):
                real = path.is_dir() and not path.is_symlink()
                if real and path.name not in {"sealed", "files"} and not editor_file(path.name):
                    yield DomainFile(name=f"{folder}/{path.name}", path=path)
    except Unusable as error:
        problems.append(error.problem)


def _no_split(file: DomainFile) -> Problem:
    says = (
        f"`{file.name}` belongs to no split. Name it `dev` or `holdout` with its ending, as"
        " `evals/dev.csv`; sealed cases stand in `evals/sealed/`."
    )
    return Problem(place=Place(file=file.name), code="unknown-split", message=says)


def entries_of(
    file: DomainFile, root: Path, schema: Schema, problems: list[Problem]
) -> list[Entry]:
    """Return a file's entries; what is wrong with it is added to `problems`."""
    try:
        entries, wrong = _read(file, root, schema)
    except Unusable as error:
        entries, wrong = [], [error.problem]
    problems += wrong
    return entries


def _read(file: DomainFile, root: Path, schema: Schema) -> tuple[list[Entry], list[Problem]]:
    _refuse_ending(file, schema)
    return _parse(file, read_bytes(file, root), schema)


def _refuse_ending(file: DomainFile, schema: Schema) -> None:
    page = file.ending == ".md" and schema is ExampleItem
    if file.ending not in ENDINGS and not page:
        raise file.unusable("unsupported-format", _unsupported(file, schema))


def _parse(file: DomainFile, data: bytes, schema: Schema) -> tuple[list[Entry], list[Problem]]:
    if file.ending == ".xlsx":
        from harness.domain.excel import read_xlsx

        return read_xlsx(file, data, schema)
    text = decode(file, data)
    if not text.strip():
        says = f"`{file.name}` is empty. Write items into it, or delete it."
        place = Place(file=file.name)
        return [], [Problem(place=place, code="empty-file", message=says, severity="warning")]
    if file.ending == ".jsonl":
        return read_jsonl(file, text)
    if file.ending == ".csv":
        return read_csv(file, text, schema)
    if file.ending == ".md":
        entry, problems = read_page(file, text)
        return [entry] if entry else [], problems
    return _yaml_items(file, text)


def _yaml_items(file: DomainFile, text: str) -> tuple[list[Entry], list[Problem]]:
    entry, problems = read_yaml(file, text)
    if entry is None or entry.data is None:
        return [], problems
    if not isinstance(entry.data, list):
        says = "Items are a list: each begins with `- id: …`, its other fields below, indented."
        return [], [entry.problem("wrong-type", says)]
    return [entry.part(number) for number in range(len(entry.data))], []


def _unsupported(file: DomainFile, schema: Schema) -> str:
    known = [*ENDINGS, ".md"] if schema is ExampleItem else ENDINGS
    other = _SAVE_AS.get(file.ending)
    mend = (
        f"Save it as {other}." if other in known else "Move it out of this folder, or convert it."
    )
    return f"`{file.name}` can't be read here; known endings are {listed(known)}. {mend}"
