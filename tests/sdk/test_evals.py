"""Evals through the SDK: resume, regrade, judge, seal, ablate, bulk work, over real folders."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness import Harness
from harness.errors import (
    DomainInvalid,
    DomainReadOnly,
    EvalError,
    MissingKey,
    UsageError,
)
from harness.sdk.trust import look_at, record_trust
from harness.testing import Fault, ScriptedModel, Turn

CASES = """\
- {id: d1, input: my card is lost, expected: lost_card, tags: [loss]}
- {id: d2, input: top up by card, expected: top_up, tags: [money]}
- {id: d3, input: where is my card, expected: card_arrival, tags: [money]}
"""


def always(text: str) -> ScriptedModel:
    return ScriptedModel(lambda call: Turn(text=text), cost_usd=Decimal("0.01"))


@pytest.fixture
def evals(opened, write, tmp_path: Path):
    """Opens a small domain with these cases and a state folder of its own."""

    def open_(model: Any, cases: str = CASES, **how: Any) -> Harness:
        files = {"evals/dev.yaml": cases, **how.pop("files", {})}
        folder = how.pop("folder", None) or write(files)
        return opened(folder, model=model, home=tmp_path / "state", **how)

    return open_


def test_runs_are_kept_and_compared(evals) -> None:
    harness = evals(always("lost_card"))
    first = harness.evaluate()
    second = evals(always("top_up"), folder=harness.domain.path).evaluate()
    assert harness.evals.load(first.run).score == first.score
    assert [one["run"] for one in harness.evals.runs()] == [second.run, first.run]
    found = harness.evals.compare(first.run, second)
    assert (found.newly_passing, found.newly_failing) == (("d2",), ("d1",))
    assert found.verdict == "not shown"


def test_only_some_cases_and_several_times(evals) -> None:
    harness = evals(always("top_up"))
    run = harness.evaluate(tags=["money"], repeats=3)
    assert [(case.id, case.passed, case.tries) for case in run.cases] == [
        *(("d2", 3, 3), ("d3", 0, 3))
    ]
    assert harness.evals.load(run.run).cases == run.cases
    with pytest.raises(EvalError, match="no case with the tag"):
        harness.evaluate(tags=["none"])


def test_a_stopped_run_is_resumed(evals) -> None:
    calls: list[str] = []

    def script(call: Any) -> Turn:
        calls.append(call.messages[1].text)
        if len(calls) == 2:
            raise MissingKey("No key.")
        return Turn(text="lost_card")

    harness = evals(ScriptedModel(script))
    with pytest.raises(EvalError, match="stopped early"):
        harness.evaluate(resume="latest")
    with pytest.raises(MissingKey):
        harness.evaluate(jobs=1)
    run = harness.evaluate(jobs=1, resume="latest")
    assert (run.n, run.scored) == (3, 3)
    assert len(calls) <= 5
    with pytest.raises(EvalError, match="stopped early"):
        harness.evaluate(resume="latest")
    with pytest.raises(EvalError, match="another model"):
        harness.evaluate(resume=run.run, policy="nearest")
    with pytest.raises(EvalError, match="not asked for now"):
        harness.evaluate(resume=run.run, cases=["d1"])
    with pytest.raises(UsageError, match="not both"):
        harness.evaluate(resume=run.run, regrade=run.run)


def test_what_failed_is_asked_again_when_told(evals) -> None:
    turns = iter(
        [Turn(text="lost_card"), Turn(fault=Fault(kind="refused")), Turn(text="card_arrival")]
    )
    later = iter([Turn(text="top_up")])
    harness = evals(ScriptedModel(lambda call: next(turns, None) or next(later)))
    run = harness.evaluate(jobs=1)
    assert (run.scored, run.unscored) == (2, 1)
    again = harness.evaluate(jobs=1, resume="latest", retry_errors=True)
    assert (again.run, again.scored, again.score.mean) == (run.run, 3, 1)


def test_answers_are_graded_anew_without_asking(evals, write) -> None:
    model = always("Answer: lost_card")
    harness = evals(model)
    run = harness.evaluate()
    asked = len(model.calls)
    changed = CASES.replace("expected: top_up", "checks: [{contains: lost}]")
    (harness.domain.path / "evals" / "dev.yaml").write_text(changed, "utf-8")
    again = harness.evaluate(regrade=run.run)
    assert [case.score for case in again.cases] == [1, 1, 0]
    assert (again.regrades, again.model) == (run.run, run.model)
    assert len(model.calls) == asked
    assert harness.evals.compare(run, again).changed == ("d2",)
    other = CASES.replace("my card", "MY CARD").replace("top up", "TOP").replace("where", "W")
    (harness.domain.path / "evals" / "dev.yaml").write_text(other, "utf-8")
    with pytest.raises(EvalError, match="no answer to any"):
        harness.evaluate(regrade=run.run)


def test_answers_are_used_again_when_asked_for(evals) -> None:
    model = always("lost_card")
    harness = evals(model)
    harness.evaluate()
    asked = len(model.calls)
    harness.evaluate(reuse=True)
    assert len(model.calls) == asked
    harness.evaluate()
    assert len(model.calls) == 2 * asked


def test_a_budget_stops_and_resume_goes_on(evals) -> None:
    harness = evals(always("lost_card"))
    run = harness.evaluate(jobs=1, budget_usd="0.02")
    assert run.n < 3
    assert "budget" in run.warnings[0]
    assert harness.evaluate(resume="latest", budget_usd=1).n == 3


def test_two_processes_do_not_work_on_one_run(evals) -> None:
    from filelock import FileLock

    harness = evals(always("lost_card"))
    run = harness.evaluate()
    other = FileLock(harness.home / "evals" / f"{run.run}.lock")
    with other, pytest.raises(EvalError, match="Another process"):
        harness.evaluate(resume=run.run)


def test_trying_many_configurations_is_warned_of(evals) -> None:
    harness = evals(always("lost_card"))
    for policy in ("nearest", "diverse", "balanced"):
        run = harness.evaluate(policy=policy)
    assert any("3 configurations have been tried" in words for words in run.warnings)


# --- judges -----------------------------------------------------------------------------------

RUBRICS = """\
reply:
  pass_at: 50 %
  criteria:
    - {id: kind, text: It is kind., points: 2}
    - {id: wrong, text: It is wrong., points: -1}
"""
JUDGED = "- {id: d1, input: my card is lost, checks: [{rubric: reply}]}\n"


def a_judge(call: Any) -> Turn:
    nonce = re.findall(r"VERDICT-([0-9a-f]+): YES", call.messages[0].text)[0]
    asked = call.messages[1].text.partition("criterion")[2]
    return Turn(text=f"So.\nVERDICT-{nonce}: {'YES' if 'kind' in asked[:40] else 'NO'}")


def test_a_rubric_is_judged_and_the_judge_calibrated(evals) -> None:
    labels = "case,repeat,criterion,met,expert,date,comment\n"
    rows = "d1,1,kind,yes,ana,,\nd1,1,wrong,yes,ana,,\nd1,1,wrong,no,ben,,\n"
    harness = evals(
        always("Dear customer"),
        JUDGED,
        files={"rubrics.yaml": RUBRICS, "labels.csv": labels + rows},
    )
    with pytest.raises(EvalError, match="none is named"):
        harness.evaluate()
    run = harness.evaluate(judge=ScriptedModel(a_judge, name="scripted:judge"))
    assert (run.judge, run.score.mean, run.unreadable) == ("scripted:judge", 1, 0)
    assert run.cases[0].checks[0].parts == ((("kind", True), ("wrong", False)),)
    assert run.judged is not None
    assert harness.evals.load(run.run).cases == run.cases
    found = harness.evals.calibrate(run.run)
    assert (found.agreement.n, found.agreement.tpr) == (1, 1.0)  # a tie of experts is left out
    assert "Only 1 label:" in found.warning
    path = harness.domain.path / "labels.csv"
    path.write_text(labels + "d1,0,kind,perhaps,,,\n,,,yes,,,\nd1,x,kind,yes,,,\n", "utf-8")
    with pytest.raises(DomainInvalid) as raised:
        harness.evals.calibrate(run.run)
    assert [one.place.line for one in raised.value.problems] == [2, 3, 4]
    path.write_text(labels + "d9,1,kind,yes,,,\n", "utf-8")
    with pytest.raises(EvalError, match="no label"):
        harness.evals.calibrate(run.run)


# --- checks against what is expected ----------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "case", "code"),
    [
        ("answer: {kind: number}", "expected: '5', checks: [{number: 6}]", "expected-fails"),
        ("answer: {kind: text}", "expected: a b, checks: [{contains_any: [c]}]", "expected-fails"),
        ("answer: {kind: text}", "expected: a b, checks: [{matches: '^b'}]", "expected-fails"),
        ("answer: {kind: text}", "checks: [{matches: '(['}]", "bad-checks"),
        ("answer: {kind: text}", "checks: [{rubric: reply}]", "unknown-rubric"),
        ("answer: {kind: number}", "expected: '5', checks: [{number: 5 ± 1}]", None),
        ("answer: {kind: label}", "expected: a, checks: [label, {contains: because}]", None),
    ],
)
def test_a_check_that_rejects_what_is_expected_is_an_error(
    opened, write_domain, settings: str, case: str, code: str | None
) -> None:
    files = {"domain.yaml": settings, "evals/dev.yaml": f"- {{id: d1, input: q, {case}}}\n"}
    files["examples/a.csv"] = "id,input,output\ne1,x,a\n" if "label" in settings else ""
    harness = opened(write_domain("checked", **files), model=always("x"))
    found = [one for one in harness.lint() if one.severity == "error"]
    assert [one.code for one in found] == ([code] if code else [])
    if code:
        assert found[0].place.file == "evals/dev.yaml"
        with pytest.raises(DomainInvalid):
            harness.evaluate()


# --- sealed -----------------------------------------------------------------------------------


def test_sealed_cases_are_opened_only_when_counted(
    evals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "keys" / "small.seal"
    monkeypatch.setenv("HARNESS_SEAL_KEY", str(key))
    sealed = (
        "- {id: s1, input: I lost my card in Paris, expected: lost_card}\n"
        "- {id: s2, input: nothing like the others, expected: top_up, source: mail 3}\n"
    )
    harness = evals(always("lost_card"), files={"evals/holdout.yaml": sealed})
    with pytest.raises(EvalError, match="no sealed cases"):
        harness.evaluate(split="sealed")
    done = harness.evals.seal("holdout")
    assert (done.cases, done.key) == (2, key)
    root = harness.domain.path
    assert not (root / "evals" / "holdout.yaml").exists()
    assert key.stat().st_mode & 0o777 == 0o600
    everything = b"".join(path.read_bytes() for path in (root / "evals" / "sealed").iterdir())
    assert b"Paris" not in everything
    # the twin among the examples is known without opening anything, and kept out of the core
    assert [one.code for one in harness.lint()] == ["twin"]
    assert "e1" not in harness.core(write=False)
    run = harness.evaluate(split="sealed")
    assert [(case.id, case.score) for case in run.cases] == [("s1", 1), ("s2", 0)]
    assert run.openings == 1
    again = harness.evaluate(split="sealed")
    assert again.openings == 2
    assert any("opened 2 times" in words for words in again.warnings)
    assert harness.evaluate(split="dev").openings == 2  # every report says so
    with pytest.raises(EvalError, match="sealed cases already"):
        harness.evals.seal("dev")
    kept = key.read_bytes()
    key.write_bytes(b"A" * 43 + b"=\n")
    with pytest.raises(EvalError, match="does not open"):
        harness.evaluate(split="sealed")
    key.write_bytes(kept)
    monkeypatch.setenv("HARNESS_SEAL_KEY", str(tmp_path / "nowhere"))
    with pytest.raises(EvalError, match="HARNESS_SEAL_KEY"):
        harness.evaluate(split="sealed")
    assert harness.evaluate(split="dev").openings == 2  # a wrong key opened nothing


def test_open_sealed_cases_work_and_shipped_domains_are_not_sealed(
    evals, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = evals(
        always("top_up"),
        files={"evals/sealed/a.yaml": "- {id: s1, input: new, expected: top_up}\n"},
    )
    assert harness.evaluate(split="sealed").score.mean == 1
    assert harness.evals.domain().cases[0].id == "d1"
    monkeypatch.setattr("harness.sdk.bundled.INSTALLED", harness.domain.path.parent)
    with pytest.raises(DomainReadOnly):
        harness.evals.seal("dev")


# --- ablation ------------------------------------------------------------------------------


def test_an_ablation_holds_each_context_against_none(evals) -> None:
    model = ScriptedModel(
        lambda call: Turn(text="lost_card" if "stolen" in str(call.messages) else "top_up")
    )
    found = evals(model).evals.ablate()
    assert [arm.name for arm in found.arms] == [
        *("none", "core only", "nearest", "balanced", "everything")
    ]
    none, everything = found.arms[0], found.arms[-1]
    assert [case.score for case in none.run.cases] == [0, 1, 0]
    assert [case.score for case in everything.run.cases] == [1, 0, 0]
    assert everything.comparison is not None
    assert everything.comparison.first.run == none.run.run


def test_a_seal_that_was_changed_is_noticed(
    evals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_SEAL_KEY", str(tmp_path / "key"))
    open_ = "- {id: s1, input: new, expected: top_up}\n"
    harness = evals(always("top_up"), files={"evals/sealed/a.yaml": open_})
    with pytest.raises(EvalError, match="no case to seal"):
        harness.evals.seal("holdout")
    with pytest.raises(UsageError, match="no split"):
        harness.evals.seal("test")  # type: ignore[arg-type]
    done = harness.evals.seal()
    folder = harness.domain.path / "evals" / "sealed"
    assert sorted(path.name for path in folder.iterdir()) == ["SEAL.json", "cases.sealed"]
    seal = folder / "SEAL.json"
    whole = seal.read_text("utf-8")
    seal.write_text(whole.replace(done.sha256, "0" * 64), "utf-8")
    with pytest.raises(EvalError, match="not those that were sealed"):
        harness.evaluate(split="sealed")
    seal.write_text(whole, "utf-8")
    cipher = folder / "cases.sealed"
    sound = cipher.read_bytes()
    cipher.write_bytes(sound[:50] + bytes([sound[50] ^ 1]) + sound[51:])
    with pytest.raises(EvalError, match="changed after they were sealed"):
        harness.evaluate(split="sealed")
    cipher.write_bytes(sound)
    assert harness.evaluate(split="sealed").openings == 1


def test_sealed_cases_with_errors_are_said(evals) -> None:
    harness = evals(always("x"), files={"evals/sealed/a.yaml": "- {id: s1, input: new}\n"})
    for wrong in (harness.evals.seal, lambda: harness.evaluate(split="sealed")):
        with pytest.raises(DomainInvalid) as raised:
            wrong()
        assert [one.code for one in raised.value.problems] == ["nothing-to-check"]


def test_checks_over_references_embeddings_and_own_code(evals) -> None:
    cases = (
        "- id: d1\n  input: is it covered\n  checks:\n    - cites: guide.md\n"
        "    - similar: {to: it is covered as the guide says, at_least: 10 %}\n"
        "    - python: checks.py:kind\n    - steps: 1\n"
    )
    code = (
        "def kind(answer: str, case: dict) -> bool:\n    'Whether the guide is cited.'\n"
        "    return 'guide' in answer and case.id == 'd1'\n"
    )
    files = {"references/guide.md": "Burst pipes are covered.\n", "tools/checks.py": code}
    harness = evals(
        always("It is covered, as the guide says: “burst pipes are covered”."), cases, files=files
    )
    run = harness.evaluate(trust_tools=True)
    assert [(check.grader, check.met) for check in run.cases[0].checks] == [
        *(("cites", True), ("similar", True), ("python", True), ("steps", True))
    ]
    assert "not trusted" in harness.evaluate().cases[0].error
    own, _ = look_at(harness.domain.path, harness.home)
    record_trust(harness.domain.path, harness.home, own)
    assert "--host kind" in harness.evaluate().cases[0].error
    record_trust(harness.domain.path, harness.home, own, host=["kind"])
    assert harness.evaluate().cases[0].error == ""
