"""A dev case that only a rubric judges shows the rubric's criteria, as they are now."""

from __future__ import annotations

from harness import Harness
from harness.testing import HashEmbedder

RUBRICS = "quality:\n  criteria:\n    - {id: clause, text: Names the clause that decides.}\n"
CASES = "- {id: c1, input: Draft the letter of refusal., checks: {rubric: quality}}\n"


def test_a_changed_rubric_is_shown_as_it_is_now(write_domain) -> None:
    files = {"rubrics.yaml": RUBRICS, "evals/dev.yaml": CASES}
    folder = write_domain("letters", **files)
    with Harness(folder, embedder=HashEmbedder()) as harness:
        shown = harness.preview("Decline this claim").messages[-1].text
        assert "<standard>an expert grades by: Names the clause that decides\n" in shown
        text = RUBRICS.replace("Names the clause that decides", "Says how to appeal")
        write_domain("letters", **{"rubrics.yaml": text})
        shown = harness.preview("Decline this claim").messages[-1].text
        assert "<standard>an expert grades by: Says how to appeal\n" in shown
        assert "Names the clause" not in shown
