"""A run with real tools becomes the steps of an example, and those stand in the context."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import Harness
from harness.errors import UsageError
from harness.testing import ProviderServer, ToolCall, Turn
from tests.sdk.runs.conftest import Desk

DOMAIN = Path(__file__).parents[3] / "domains" / "clinical-calculators"
TRACED = DOMAIN / "examples" / "traced.jsonl"
NOTE = """\
A 71-year-old woman is seen before a course of intravenous antibiotics. She has hypertension and \
osteoarthritis. Weight 84 kg, height 162 cm. Blood pressure 138/82 mm Hg, heart rate 76 per \
minute, temperature 36.9 °C. Haemoglobin 12.4 g/dL, sodium 139 mmol/L, potassium 4.3 mmol/L, urea \
7.1 mmol/L, creatinine 118 µmol/L. Urine output is normal.

What is the patient's Creatinine Clearance using the Cockcroft-Gault Equation in terms of mL/min? \
You should use the patient's adjusted body weight in kg instead of the patient's actual body \
weight if the patient is overweight or obese based on their BMI. If the patient's BMI is normal, \
set their adjusted body weight to the minimum of the ideal body and actual weight. If the patient \
is underweight, please set their adjusted body weight to their actual body weight."""
CODE = """\
age, weight, height = 71, 84, 162
creatinine = 118 / 88.4  # µmol/L to mg/dL
bmi = weight / (height / 100) ** 2
ideal = 45.5 + 2.3 * (height * 0.393701 - 60)
adjusted = ideal + 0.4 * (weight - ideal)
chosen = weight if bmi < 18.5 else min(ideal, weight) if bmi < 25 else adjusted
clearance = (140 - age) * chosen * 0.85 / (72 * creatinine)
print(f"creatinine {creatinine:.4f} mg/dL, BMI {bmi:.2f}, ideal {ideal:.3f} kg, taken {chosen:.3f}")
round(clearance, 3)"""
ANSWER = "40.347"


def turn(tool: str, said: str, /, **arguments: object) -> Turn:
    return Turn(text=said, tool_calls=(ToolCall(name=tool, arguments=arguments),))


SCRIPT = [
    turn(
        "search_references",
        "I open the calculator's page for the formula and the choice of weight.",
        query="Creatinine Clearance Cockcroft-Gault",
    ),
    turn(
        "compute",
        "Woman, 71 years, 84 kg, 162 cm, creatinine 118 µmol/L: unit first, then BMI, then weight.",
        code=CODE,
    ),
    Turn(text=ANSWER),
]


def recorded(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, tuple[str, ...]]:
    """Work on the note over a provider's wire; the tools are real, the model's words a script."""
    with ProviderServer(SCRIPT) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        with Harness(DOMAIN, model="openai:gpt-5-mini", home=home) as harness:
            result = harness.run(NOTE).result
            assert result.completed, result.problems
            return result.text, harness.runs.worked_steps(result.run)


def test_the_traced_example_is_what_the_run_gives(
    shipped_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = map(json.loads, TRACED.read_text("utf-8").splitlines())
    answer, steps = recorded(shipped_home, monkeypatch)
    assert (example["input"], example["output"]) == (NOTE, answer)
    assert len(steps) == 2
    assert steps[1] == example["steps"][1]
    assert CODE in steps[1]
    assert steps[1].endswith(f"\n{ANSWER}")
    assert steps[0] == example["steps"][0]


def test_its_steps_stand_in_the_context(shipped_home: Path) -> None:
    with Harness(DOMAIN, model="baseline:nearest", home=shipped_home) as harness:
        packed = harness.preview("Cockcroft-Gault, woman, 66 years?", include=["t01"])
    said = "\n".join(one.text for one in packed.messages)
    assert "chosen = weight if bmi &lt; 18.5" in said or "chosen = weight if bmi < 18.5" in said
    assert "→ creatinine 1.3348 mg/dL" in said


def test_a_run_becomes_a_draft_and_when_accepted_a_demonstration(
    own: Callable[..., Desk],
) -> None:
    harness = own().opened(
        turn("search_references", "I look the fee up.", query="fee"),
        turn("write_file", "", path="a.txt", text="5 EUR\x1b[0m a month"),
        turn("read_file", "", path="missing.txt"),
        turn("finish", "", answer='5 EUR [fees.md: "The fee is 5 EUR a month"]'),
    )
    assert harness.run("What is the fee of the blue card?").result.completed
    saved = harness.example_of("last", answer="5 EUR", why="The list says so.", by="ada")
    example = saved.example
    assert (example.status, example.input) == ("draft", "What is the fee of the blue card?")
    assert (example.output, saved.waits_for) == ("5 EUR", "review")
    looked, written = example.steps  # what failed, and handing in, show nobody how
    assert looked.startswith("I look the fee up.\nsearch_references: fee\n→ ")
    assert written.startswith('write_file: {"path": "a.txt", "text": "5 EUR')
    harness.examples.accept(example.id, by="ben")
    packed = harness.preview("And the fee of the red card?", include=[example.id])
    assert "I look the fee up." in "\n".join(one.text for one in packed.messages)


def test_a_run_without_steps_makes_no_worked_example(own: Callable[..., Desk]) -> None:
    harness = own().opened(Turn(text="5 EUR"))
    harness.ask("What is the fee?")
    with pytest.raises(UsageError, match="has no steps to show"):
        harness.example_of("last")
