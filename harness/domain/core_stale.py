"""When a `core.lock` has aged: an id that may not stand in the core, or a bank much changed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.domain.folder import Domain
from harness.domain.problems import did_you_mean
from harness.values import EvalCase, Example
from harness.words import TwinIndex, words

__all__ = ["MOST_CHANGED", "stale"]

MOST_CHANGED = 0.1
"""Share of the bank: a core chosen before more of it changed is stale."""


def stale(domain: Domain) -> Iterator[tuple[int, str]]:
    """Yield the line of core.lock and the words of everything for which it should be made anew."""
    if domain.core_lock is None:
        return
    examples = {one.id: one for one in domain.examples}
    relatives = _Relatives(domain.cases)
    for name in domain.core_lock:
        example = examples.get(name)
        if example is None:
            wrong = f"`{name[:80]}` is the id of no example.{did_you_mean(name, examples)}"
        elif example.status != "approved":
            wrong = f"`{name}` is {example.status}, so it can't stand in the core."
        else:
            wrong = relatives.objection(example)
        if wrong:
            yield domain.lock_lines.get(name, 1), wrong
    changed = domain.lock_sketch.changed(domain.examples) if domain.lock_sketch else 0.0
    if changed > MOST_CHANGED:
        yield 1, f"About {changed:.0%} of the bank has changed since this core was chosen."


class _Relatives:
    """The eval cases, by what makes an example a twin or a sibling of one."""

    def __init__(self, cases: tuple[EvalCase, ...]) -> None:
        self._cases = cases
        self._twins = TwinIndex(case.text for case in cases)
        self._of_source = {case.source.strip().casefold(): case for case in reversed(cases)}

    def objection(self, example: Example) -> str:
        """Return why an example may not stand in the core; nothing where it may."""
        twin = next(self._twins.twins(words(example.text)), None)
        case = None if twin is None else self._cases[twin]
        shared = "text, or almost the text,"
        if case is None and example.source.strip():
            case = self._of_source.get(example.source.strip().casefold())
            shared = "source"
        if case is None:
            return ""
        return (
            f"`{example.id}` has the {shared} of the eval case `{case.id}` ({case.place}), so it"
            " can't stand in the core."
        )
