"""A domain whose checks were eased is not a better one: runs over other checks are told apart."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness import Harness
from harness.errors import EvalError
from harness.testing import ScriptedModel, Turn

CASES = """\
- {id: n1, input: how far, expected: '100', checks: [number]}
- {id: n2, input: how near, expected: '100', checks: [{number: {value: '100', within: 1 %}}]}
"""


@pytest.fixture
def measured(opened, write_domain, tmp_path: Path):
    """Opens a domain of numbers, its tolerance the domain's."""

    def open_(within: str) -> Harness:
        files = {
            "domain.yaml": f"answer: {{kind: number, within: {within}}}\n",
            "evals/dev.yaml": CASES,
        }
        model: Any = ScriptedModel(lambda call: Turn(text="110"), cost_usd=Decimal("0.01"))
        return opened(write_domain("measured", **files), model=model, home=tmp_path / "state")

    return open_


def test_a_tolerance_that_changed_makes_another_case(measured) -> None:
    harness = measured("1 %")
    first = harness.evaluate()
    second = measured("20 %").evaluate()
    assert (first.score.mean, second.score.mean) == (0, 0.5)
    found = harness.evals.compare(first, second)
    assert (found.changed, found.difference.n, found.difference.mean) == (("n1",), 1, 0)
    assert any("domain was changed" in words for words in found.warnings)


def test_regraded_answers_say_by_which_domain(measured) -> None:
    harness = measured("1 %")
    first = harness.evaluate()
    eased = measured("20 %")
    again = eased.evaluate(regrade=first.run)
    assert again.version == eased.domain.version != first.version
    assert (again.answered, again.config) == (first.version, first.config)
    assert eased.evals.load(again.run).answered == first.version
    found = harness.evals.compare(first, again)
    assert found.changed == ("n1",)
    assert any("graded by two versions" in words for words in found.warnings)
    twice = eased.evaluate(regrade=again.run)
    assert (twice.answered, twice.version) == (first.version, again.version)
    # graded alike, the two are compared whole
    whole = eased.evals.compare(twice, again)
    assert (whole.changed, whole.difference.n, whole.warnings) == ((), 2, ())


def test_where_every_case_changed_it_says_which_and_how_to_mend_it(measured) -> None:
    first = measured("1 %").evaluate(cases=["n1"])
    harness = measured("20 %")
    second = harness.evaluate(cases=["n1"])
    with pytest.raises(EvalError, match=r"checked in another way: n1\.") as raised:
        harness.evals.compare(first, second)
    assert f"--regrade {first.run}" in raised.value.mend
    again = harness.evaluate(cases=["n1"], regrade=first.run)
    assert harness.evals.compare(again, second).difference.n == 1


def test_reused_answers_are_kept_with_the_run(measured) -> None:
    harness = measured("1 %")
    harness.evaluate()
    reused = harness.evaluate(reuse=True)
    assert harness.evals.load(reused.run).cases == reused.cases
