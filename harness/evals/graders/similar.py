"""`similar`: the answer means about the same as a text, by the domain's embedder.

    - id: summary-2
      input: Summarise the visit in one sentence.
      expected: Follow-up for well-controlled asthma; no change of therapy.
      checks:
        - similar                                   # cosine of at least 0.8 with `expected`
        - similar: {to: "Asthma is well controlled.", at_least: 0.7}

The score is the cosine similarity, nothing below 0. Similar words are no proof of a right
answer: `covered` and `not covered` are close. Use it beside another check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.domain.check_specs import SimilarSpec, spec_of
from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade, Grader, shown, unread
from harness.values import Check, EvalCase
from harness.words.blank import is_blank

if TYPE_CHECKING:
    import numpy as np

__all__ = ["similar_grader"]


def similar_grader(embed: Callable[[Sequence[str]], np.ndarray]) -> Grader:
    """Return the grader over an embedder.

    Args:
        embed: Texts to rows of length 1.
    """

    async def similar(
        check: Check, answer: str, case: EvalCase, _settings: AnswerSettings
    ) -> Grade:
        from anyio.to_thread import run_sync

        try:
            spec = _spec(check.spec)
        except ValueError as error:
            return unread(check, str(error))
        wanted = spec.to if spec.to is not None else case.expected
        if not isinstance(wanted, str):
            return unread(check, "`similar` compares with a text, and there is none")
        if is_blank(answer):
            return Grade(met=False, score=0.0, why="the answer is empty")
        rows = await run_sync(embed, [answer, wanted])
        cosine = min(1.0, max(0.0, float(rows[0] @ rows[1])))
        least = float(spec.at_least)
        if cosine >= least:
            return Grade(met=True, score=cosine)
        why = f"similarity {cosine:.2f}, where {least:.2f} is the least, with {shown(wanted)}"
        return Grade(met=False, score=cosine, why=why)

    return similar


def _spec(written: Any) -> SimilarSpec:
    if written is None:
        return SimilarSpec()
    return SimilarSpec(to=written) if isinstance(written, str) else spec_of(SimilarSpec, written)
