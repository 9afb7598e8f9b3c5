"""The part of `harness demo` that calculates: a run with tools, its model's words a script."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

__all__ = ["calculate"]

FORMULA = "I open the page of the calculator."
CODE = """\
age, weight, height, creatinine = 64, 82, 178, 1.6
bmi = weight / (height / 100) ** 2
ideal = 50 + 2.3 * (height * 0.393701 - 60)
adjusted = ideal + 0.4 * (weight - ideal)
chosen = weight if bmi < 18.5 else min(ideal, weight) if bmi < 25 else adjusted
print(f"BMI {bmi:.1f}, ideal {ideal:.2f} kg, taken {chosen:.2f} kg")
round((140 - age) * chosen / (72 * creatinine), 3)"""


def calculate(
    folder: str, question: str, home: Path | None, say: Callable[..., None]
) -> dict[str, Any]:
    """Work on a question through the loop: a page looked up, a calculation, an answer.

    The tools, the loop and its record are the real ones; what a model would say is written here,
    but for the answer, which is what the calculation gave.

    Args:
        folder: Of the domain.
        question: Its numbers stand in the code.
        home: The state folder.
        say: Prints lines.

    Returns:
        The run, as `--json` prints it.
    """
    from harness.cli.show_runs import told
    from harness.sdk import Harness
    from harness.testing import Call, ScriptedModel, ToolCall, Turn
    from harness.values import Delta, jsonable

    def script(call: Call) -> Turn:
        done = sum(one.type == "tool" for one in call.messages)
        if done == 0:
            arguments = {"query": "Creatinine Clearance Cockcroft-Gault"}
            look = ToolCall(name="search_references", arguments=arguments)
            return Turn(text=FORMULA, tool_calls=(look,))
        if done == 1:
            compute = ToolCall(name="compute", arguments={"code": CODE})
            return Turn(text="I calculate.", tool_calls=(compute,))
        return Turn(text=str(call.messages[-1].text).split("\n\n")[0].splitlines()[-1])

    model = ScriptedModel(script, name="scripted:demo", cost_usd=Decimal(0))
    with Harness(folder, model=model, home=home) as harness, harness.run(question) as run:
        for event in run:
            words = "" if isinstance(event, Delta) else told(event)
            if words:
                say(f"→ compute\n{_indented(CODE)}" if words.startswith("→ compute") else words)
        result = run.result
    return {
        "run": result.run,
        "stop": result.stop,
        "text": result.text,
        "steps": result.steps,
        "usage": jsonable(result.usage),
    }


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.splitlines())
