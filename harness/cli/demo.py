"""`harness demo`: the main job on the shipped domains, with real output."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cli.options import open_domain
from harness.cli.show import context, indexed
from harness.errors import StateError
from harness.evals import report

__all__ = ["run_demo"]

QUESTIONS: Mapping[str, str] = {
    "support-triage": "I paid with my card abroad and was charged twice, how do I get one back?",
    "contract-clauses": "Neither party may assign this Agreement without the prior written "
    "consent of the other party.",
    "clinical-calculators": "A 64-year-old man, 82 kg, 178 cm, creatinine 1.6 mg/dL. What is his "
    "creatinine clearance by the Cockcroft-Gault equation, in mL/min?",
}
CASES = 40


def run_demo(home: Path | None) -> None:
    """Index each shipped domain, show a context, ask, and score a sample of its dev cases."""
    from harness.sdk import bundled_domains

    found = bundled_domains()
    missing = [name for name in QUESTIONS if name not in found]
    if missing:
        raise StateError(f"This installation lacks the domains {', '.join(missing)}.")
    started = time.perf_counter()
    for name, question in QUESTIONS.items():
        _show(str(found[name]), name, question, home)
    print(f"\nAll three in {time.perf_counter() - started:.0f} s, with no key and no download.")
    print("baseline:nearest is the floor that a model has to beat: harness ask DOMAIN … --model")


def _show(folder: str, name: str, question: str, home: Path | None) -> None:
    how: dict[str, Any] = {"home": home, "model": "baseline:nearest"}
    with open_domain(folder, **how) as harness:
        print(f"\n== {name} ==\n$ harness index {name}")
        print(indexed(harness.index()))
        print(f'\n$ harness context {name} "{question}"')
        packed = harness.preview(question)
        print("\n".join(context(packed, text=False).splitlines()[:12]))
        print(f'\n$ harness ask {name} "{question}"')
        print(harness.ask(question).text)
        print(f"\n$ harness eval {name} --limit {CASES}")
        print(report(harness.evaluate(limit=CASES)).split("\n\n")[0])
