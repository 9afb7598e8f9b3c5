"""Prints what Inspect's scorers give for the cases of a file; run in an environment that has it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any


async def score(case: dict[str, Any]) -> float:
    from inspect_ai import scorer
    from inspect_ai.model import ChatMessageUser, ModelOutput
    from inspect_ai.solver import TaskState

    options = dict(case["options"])
    choices, marked = options.pop("choices", 0), options.pop("marked", [])
    state = TaskState(
        model="mockllm/model",  # type: ignore[arg-type]  # a name does for a scorer
        sample_id=1,
        epoch=1,
        input="?",
        messages=[ChatMessageUser(content="?")],
        output=ModelOutput.from_content("mockllm/model", case["answer"]),
        choices=[f"choice {number}" for number in range(choices)] or None,
    )
    for number in range(choices):
        state.choices.mark_choice(number, number in marked)
    made = getattr(scorer, case["scorer"])(**options)
    value = (await made(state, scorer.Target(case["target"]))).value
    return {"C": 1.0, "I": 0.0}[value] if isinstance(value, str) else float(value)


async def main() -> None:
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    print(json.dumps([await score(json.loads(line)) for line in lines]))


asyncio.run(main())
