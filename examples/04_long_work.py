"""Long work: the model reads a file, asks before it writes a letter, and keeps to two dollars.

Run it: python examples/04_long_work.py [provider:model]       (else a script stands in for it)
"""

import sys
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import Budget, Decision, Delta, Harness
from harness.testing import ScriptedModel, ToolCall, Turn


def calls(tool, **arguments):
    return Turn(tool_calls=(ToolCall(name=tool, arguments=arguments),))


def approve(call):
    print(f"  may it {call.tool} {call.arguments['path']}? Yes.")
    return Decision(allow=True, reason="as we agreed")


letter = calls("write_file", path="letter.txt", text="Dear customer, 1.00 EUR was too much.")
script = [calls("read_file", path="bill.txt"), letter, Turn(text="1.00 EUR too much; I wrote.")]
model = sys.argv[1:2] or [ScriptedModel(script, cost_usd=Decimal("0.01"))]

with TemporaryDirectory() as folder:
    Path(folder, "SKILL.md").write_text(
        "---\nname: fees\ndescription: Fees.\n---\nAt most 5 EUR.\n"
    )
    Path(folder, "domain.yaml").write_text("tools: [files]\napprovals: {ask: [write_file]}\n")
    Path(folder, "bill.txt").write_text("Rome, 600 EUR. Fee 6.00 EUR.\n")
    with Harness(folder, model=model[0], home=f"{folder}/home") as h:
        goal, files = "Check the fee on bill.txt; write letter.txt.", [f"{folder}/bill.txt"]
        with h.run(goal, files=files, approve=approve, budget=Budget(usd=2)) as run:
            for event in run:
                print(event.text if isinstance(event, Delta) else f"[{event.TYPE}]")
        print(f"{run.result.stop}: {run.result.text} ({run.result.usage.cost_usd} US dollars)")
        print(*(file.read_text() for file in run.result.workspace.glob("files/l*")))
