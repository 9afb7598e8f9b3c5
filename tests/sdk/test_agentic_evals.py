"""Cases of a domain with tools are worked on through the loop, and the guard holds there too."""

from __future__ import annotations

from pathlib import Path

from harness import Harness
from harness.testing import HashEmbedder, ScriptedModel, ToolCall, Turn

SKILL = "---\nname: sums\ndescription: adds\n---\nAdd up.\n"
ROWS = """\
- {id: a, input: What is seven plus five in all for the clinic, output: "12", source: s1}
- {id: b, input: What is one plus one in all for the clinic, output: "2", source: s2}
"""
CASES = """\
- id: c
  input: What is seven plus five in all for the clinic?
  expected: "12"
  source: s1
  checks:
    - number: {value: 12}
    - trajectory: {used: [search_examples]}
"""


def domain(folder: Path) -> Path:
    (folder / "examples").mkdir(parents=True)
    (folder / "evals").mkdir()
    (folder / "SKILL.md").write_text(SKILL)
    (folder / "domain.yaml").write_text("tools: [references]\nanswer: {kind: number}\n")
    (folder / "examples" / "rows.yaml").write_text(ROWS)
    (folder / "evals" / "dev.yaml").write_text(CASES)
    return folder


def work(folder: Path, *, guard: bool) -> tuple[Harness, ScriptedModel, float | None]:
    look = ToolCall(name="search_examples", arguments={"query": "seven plus five for the clinic"})
    model = ScriptedModel([Turn(text="I look.", tool_calls=(look,)), "12"])
    with Harness(folder, model=model, embedder=HashEmbedder()) as harness:
        run = harness.evaluate(split="dev", guard=guard)
    return harness, model, run.score.mean


def test_a_case_is_worked_on_with_tools_and_graded_on_its_way(tmp_path: Path) -> None:
    _, model, score = work(domain(tmp_path / "sums"), guard=True)
    assert score == 1.0
    found = str(model.calls[-1].messages[-1].content)
    assert "[example b]" in found


def test_a_tool_does_not_find_the_twin_of_the_case(tmp_path: Path) -> None:
    _, guarded, _ = work(domain(tmp_path / "one" / "sums"), guard=True)
    _, open_, _ = work(domain(tmp_path / "two" / "sums"), guard=False)
    shown = [str([one.content for one in model.calls[-1].messages]) for model in (guarded, open_)]
    assert "[example a]" not in shown[0]
    assert "[example a]" in shown[1]


def test_its_runs_stay_out_of_the_list_of_runs(tmp_path: Path) -> None:
    harness, _, _ = work(domain(tmp_path / "sums"), guard=True)
    assert harness.runs.list() == []
    (one,) = harness.runs.list(evals=True)
    assert harness.runs.find(one.run[:12]) == one.run
    assert harness.runs.verify(one.run)[0].clean


def test_a_baseline_calls_no_tools_and_is_asked_in_one_call(tmp_path: Path) -> None:
    folder = domain(tmp_path / "sums")
    with Harness(folder, model="baseline:nearest", embedder=HashEmbedder()) as harness:
        run = harness.evaluate(split="dev")
        assert harness.runs.list(evals=True) == []
    assert (run.scored, run.unscored) == (1, 0)
