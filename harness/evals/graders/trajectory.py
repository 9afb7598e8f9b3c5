"""`trajectory`: which tools were used, in which order, with which arguments.

    - id: claim-12
      input: Check the invoice against the policy and draft the letter.
      checks:
        - trajectory:
            used: [read_file, references_search]
            not_used: [send_mail]
            order: [read_file, write_file]        # in this order; others may come between
            arguments: {write_file: {path: letter.md}}
            most: 20                              # calls of tools, at most

An argument fits where one call of the tool has it with this text, white space and case aside.
The score is the share of the requirements that are met.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from harness.domain.check_specs import TrajectorySpec, spec_of
from harness.domain.formats import AnswerSettings
from harness.domain.markers import fold
from harness.evals.graders.grade import Grade, unread
from harness.evals.graders.work import ToolUse, Work
from harness.values import Check, EvalCase, jsonable

__all__ = ["trajectory"]


def trajectory(check: Check, work: Work, _case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the work by the calls of tools that it made."""
    try:
        spec = spec_of(TrajectorySpec, check.spec)
    except (ValueError, TypeError) as error:
        return unread(check, str(error))
    if work.tools is None:
        return Grade(met=None, score=0.0, why="no record says which tools were used")
    verdicts = list(_verdicts(spec, work.tools))
    wrong = [words for right, words in verdicts if not right]
    score = 1 - len(wrong) / len(verdicts)
    return Grade(met=not wrong, score=score, why="; ".join(wrong))


def _verdicts(spec: TrajectorySpec, calls: Sequence[ToolUse]) -> Iterator[tuple[bool, str]]:
    """Yield for each requirement whether it is met, and what is wrong if not."""
    names = [call.name for call in calls]
    for tool in spec.used:
        yield tool in names, f"`{tool}` was not used"
    for tool in spec.not_used:
        yield tool not in names, f"`{tool}` was used"
    if spec.order:
        missing = _first_out_of_order(spec.order, names)
        yield missing is None, f"`{missing}` was not used in the order {', '.join(spec.order)}"
    for tool, wanted in spec.arguments.items():
        fits = any(
            call.name == tool and all(_fits(call.arguments, *pair) for pair in wanted.items())
            for call in calls
        )
        asked = ", ".join(f"{key}: {value}" for key, value in wanted.items())
        yield fits, f"no call of `{tool}` has {asked}"
    if spec.most is not None:
        yield len(calls) <= spec.most, f"{len(calls)} calls of tools; {spec.most} are the most"


def _first_out_of_order(order: Sequence[str], names: Sequence[str]) -> str | None:
    rest = iter(names)
    return next((tool for tool in order if not any(name == tool for name in rest)), None)


def _fits(arguments: Any, key: str, wanted: str) -> bool:
    if key not in arguments:
        return False
    value = arguments[key]
    said = value if isinstance(value, str) else json.dumps(jsonable(value), ensure_ascii=False)
    return fold(said).casefold() == fold(wanted).casefold()
