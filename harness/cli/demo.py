"""`harness demo`: the main job on the shipped domains, with real output."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cli.ask import answer_json
from harness.cli.options import open_domain, print_json
from harness.cli.show import context, indexed
from harness.errors import StateError
from harness.evals import report, to_json
from harness.values import jsonable

__all__ = ["run_demo"]

QUESTIONS: Mapping[str, str] = {
    "support-triage": "I paid with my card abroad and was charged twice, how do I get one back?",
    "contract-clauses": "Neither party may assign this Agreement without the prior written "
    "consent of the other party.",
    "clinical-calculators": "A 64-year-old man, 82 kg, 178 cm, creatinine 1.6 mg/dL. What is his "
    "creatinine clearance by the Cockcroft-Gault equation, in mL/min?",
}
CALCULATORS = "clinical-calculators"
CASES = 40


def run_demo(home: Path | None, *, as_json: bool) -> None:
    """Index each shipped domain, show a context, ask, and score a sample of its dev cases."""
    from harness.sdk import bundled_domains

    found = bundled_domains()
    missing = [name for name in QUESTIONS if name not in found]
    if missing:
        raise StateError(
            f"This installation lacks the domains {', '.join(missing)}.",
            "Install domain-harness anew.",
        )
    started = time.perf_counter()
    done = [
        _one(str(found[name]), name, question, home, quiet=as_json)
        for name, question in QUESTIONS.items()
    ]
    calculated = _calculated(str(found[CALCULATORS]), home, quiet=as_json)
    seconds = time.perf_counter() - started
    if as_json:
        print_json({"domains": done, "calculation": calculated, "seconds": seconds})
        return
    print(f"\nAll of it in {seconds:.0f} s, with no key and no download.")
    print(
        "baseline:nearest is the floor that a model has to beat; to try one:\n"
        "  harness eval support-triage --limit 40 --model provider:model"
    )


def _calculated(folder: str, home: Path | None, *, quiet: bool) -> dict[str, Any]:
    """Show a calculation through the loop, and return the run as JSON says it."""
    from harness.cli.demo_compute import calculate

    def say(*lines: str) -> None:
        if not quiet:
            print(*lines, sep="\n", flush=True)

    say(
        f"\n== {CALCULATORS}, with tools ==",
        "Here no model is at work: its words are a script. The tools, the sandbox that calculates "
        "and the record are the real ones.",
        f'$ harness run {CALCULATORS} "{QUESTIONS[CALCULATORS]}"',
    )
    return calculate(folder, QUESTIONS[CALCULATORS], home, say)


def _one(
    folder: str, name: str, question: str, home: Path | None, *, quiet: bool
) -> dict[str, Any]:
    """Do the main job on a domain; print it unless `quiet`, and return it as JSON says it."""

    def say(*lines: str) -> None:
        if not quiet:
            print(*lines, sep="\n", flush=True)

    with open_domain(folder, home=home, model="baseline:nearest") as harness:
        say(f"\n== {name} ==", f"$ harness index {name}")
        done = harness.index()
        say(indexed(done), f'\n$ harness context {name} "{question}"')
        packed = harness.preview(question)
        say("\n\n".join(context(packed, text=False).split("\n\n")[:3]))
        say(f'\n$ harness ask {name} "{question}"')
        answer = harness.ask(question)
        say(answer.text, f"\n$ harness eval {name} --limit {CASES}")
        run = harness.evaluate(limit=CASES)
        say(report(run).split("\n\n")[0])
    context_said = packed.to_json()
    return {
        "index": jsonable(done),
        "context": {key: context_said[key] for key in ("budget", "tokens", "prefix_sha256")},
        "ask": answer_json(answer),
        "eval": to_json(run),
    }
