"""An expert's labels of a judge's verdicts: which there are to label, and `labels.csv` written."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.evals.labels import COLUMNS, LabelKey
from harness.evals.statistics import Agreement
from harness.improve.records import ReviewLog
from harness.improve.saving import locked, read_current, write_over
from harness.sdk.bundled import refuse_bundled

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.evals import EvalStore, GradeRow
    from harness.evals.graders import Grade
    from harness.values import Criterion, EvalCase

__all__ = ["LABELS", "Agreement", "Judged", "judged", "write_label"]

LABELS = "labels.csv"
TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One verdict of a judge, as an expert is asked about it.

    Attributes:
        run: Id of the run.
        case: Id of the case.
        repeat: Counted from 0.
        criterion: Its id in the rubric.
        words: What it asks for; its id where the rubric is not there any more.
        counts_against: An answer that meets it loses points.
        question: What was asked; "" where the case is not there any more.
        expected: An expert's own answer, where the case has one.
        answer: What was judged.
        met: What the judge says.
        why: The judge's reason.
        said: What experts have said so far, by name.
    """

    run: str
    case: str
    repeat: int
    criterion: str
    words: str
    counts_against: bool
    question: str
    expected: Any
    answer: str
    met: bool
    why: str
    said: Mapping[str, bool]


def judged(store: EvalStore, run: str, domain: Domain, home: Path) -> list[Judged]:
    """Return the verdicts of a run's judge in an order by chance, the same each time.

    By chance, because labels of answers that were picked say nothing about the rest. A label
    that is on record as given on another run's answer is not taken for one on this run's.

    Raises:
        EvalError: There is no such run.
    """
    graders = {one.id: one.graders for one in store.record(run).cases}
    answers = {(one.case, one.repeat): one.work for one in store.generations(run)}
    cases = {one.id: one for one in domain.cases}
    said = _said(domain.path / LABELS)
    for name, by, other in _labelled(ReviewLog(home, domain.path)):
        if other not in ("", run):
            said = {
                key: {who: met for who, met in people.items() if (_id(*key), who) != (name, by)}
                for key, people in said.items()
            }
    found: list[Judged] = []
    for row in store.grades(run):
        work, case = answers.get((row.case, row.repeat)), cases.get(row.case)
        for number, (grader, grade) in enumerate(zip(graders[row.case], row.grades, strict=False)):
            if work is not None and grader == "rubric":
                criteria = _criteria(case, number, domain)
                found += _of_grade(
                    row, grade, work.text, run=run, case=case, criteria=criteria, said=said
                )
    return sorted(found, key=lambda one: _chance(run, one))


def _of_grade(
    row: GradeRow,
    grade: Grade,
    answer: str,
    *,
    run: str,
    case: EvalCase | None,
    criteria: Mapping[str, Criterion],
    said: Mapping[LabelKey, Mapping[str, bool]],
) -> Iterator[Judged]:
    for part in grade.parts:
        if part.met is None:
            continue
        criterion = criteria.get(part.name)
        yield Judged(
            run=run,
            case=row.case,
            repeat=row.repeat,
            criterion=part.name,
            words=criterion.text if criterion else part.name,
            counts_against=bool(criterion and criterion.points < 0),
            question=case.input if case else "",
            expected=case.expected if case else None,
            answer=answer,
            met=part.met,
            why=part.why,
            said=said.get((row.case, row.repeat, part.name), {}),
        )


def write_label(
    domain: Domain,
    home: Path,
    one: Judged,
    *,
    met: bool,
    by: str,
    comment: str = "",
) -> None:
    """Write what an expert says of one verdict, in the place of what they said before.

    Args:
        domain: As read.
        home: The state folder.
        one: The verdict.
        met: The answer meets the criterion.
        by: Who says so.
        comment: Why, in their words.

    Raises:
        DomainReadOnly: The folder ships with Harness, or can't be written.
        UsageError: Nobody is named, or another program writes the file all the time.
    """
    if not by.strip():
        raise UsageError("Nobody is named who says so.", "Give a name.")
    refuse_bundled(domain.path)
    row = {
        "case": one.case,
        "repeat": str(one.repeat + 1),
        "criterion": one.criterion,
        "met": "yes" if met else "no",
        "expert": by.strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "comment": " ".join(comment.split()),
    }
    path = domain.path / LABELS
    with locked(domain.path, home):
        for _ in range(TRIES):
            seen = read_current(path)
            if write_over(path, seen, _with(seen, row)):
                break
        else:
            raise UsageError(f"{LABELS} is being changed by another program.", "Close it there.")
    ReviewLog(home, domain.path).add(
        "labelled",
        _id(one.case, one.repeat, one.criterion),
        by=by.strip(),
        reason=row["met"],
        run=one.run,
    )


def _with(seen: bytes, row: Mapping[str, str]) -> bytes:
    """Return the file with a row more, or with the expert's own row changed; the rest stays."""
    text = seen.decode("utf-8-sig", "surrogateescape")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = list(csv.reader(io.StringIO(text, newline="")))
    head = lines[0] if lines else list(COLUMNS)
    head = [*head, *(name for name in COLUMNS if name not in head)]
    at = next((n for n, old in enumerate(lines[1:], 1) if _same(head, old, row)), None)
    if at is None and lines and head == lines[0]:
        ended = text if text.endswith(("\n", "\r")) else text + newline
        return _mark(seen) + _bytes(ended + _line([row.get(name, "") for name in head], newline))
    body = lines[1:]
    new = [row.get(name, "") for name in head]
    if at is None:
        body = [*body, new]
    else:
        body[at - 1] = new
    return _mark(seen) + _bytes("".join(_line(one, newline) for one in (head, *body)))


def _same(head: Sequence[str], old: Sequence[str], row: Mapping[str, str]) -> bool:
    said = dict(zip(head, (value.strip() for value in old), strict=False))
    said["repeat"] = said.get("repeat") or "1"
    who = said.get("expert", "").casefold() == row["expert"].casefold()
    return who and all(said.get(name) == row[name] for name in ("case", "repeat", "criterion"))


def _line(values: Sequence[str], newline: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator=newline).writerow(values)
    return out.getvalue()


def _mark(seen: bytes) -> bytes:
    return b"\xef\xbb\xbf" if seen.startswith(b"\xef\xbb\xbf") else b""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _said(path: Path) -> dict[LabelKey, dict[str, bool]]:
    """Return what experts have said; rows that can't be used are told of by `calibrate`."""
    found: dict[LabelKey, dict[str, bool]] = {}
    for row in _rows(path):
        repeat = row.get("repeat") or "1"
        if row.get("met", "").casefold() in ("yes", "no") and repeat.isdecimal():
            key = (row.get("case", ""), int(repeat) - 1, row.get("criterion", ""))
            found.setdefault(key, {})[row.get("expert", "")] = row["met"].casefold() == "yes"
    return found


def _labelled(log: ReviewLog) -> Iterator[tuple[str, str, str]]:
    """Yield (verdict, who, run) of the last label that each expert gave each verdict."""
    last = {(one.id, one.by): one.run for one in log if one.deed == "labelled"}
    yield from ((name, by, run) for (name, by), run in last.items())


def _id(case: str, repeat: int, criterion: str) -> str:
    return f"{case} ({repeat + 1}): {criterion}"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    text = read_current(path).decode("utf-8-sig", "replace")
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield {str(key): (value or "").strip() for key, value in row.items() if key}


def _criteria(case: EvalCase | None, number: int, domain: Domain) -> Mapping[str, Criterion]:
    """Return the criteria of a case's check as they are now, by id."""
    from harness.domain.rubrics import read_rubric

    if case is None or number >= len(case.checks) or case.checks[number].grader != "rubric":
        return {}
    try:
        rubric = read_rubric(case.checks[number], {one.name: one for one in domain.rubrics})
    except ValueError:
        return {}
    return {one.id: one for one in rubric.criteria}


def _chance(run: str, one: Judged) -> bytes:
    text = f"{run}\0{one.case}\0{one.repeat}\0{one.criterion}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
