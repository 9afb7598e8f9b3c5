"""Turns and domains that the tests of this room share."""

from __future__ import annotations

from typing import Any

from harness.testing import ToolCall, Turn

__all__ = ["ASKING", "DOMAIN", "call"]

DOMAIN = {
    "SKILL.md": "---\nname: small\ndescription: A small domain.\n---\nBe exact.\n",
    "examples/cases.yaml": "- id: e1\n  input: My card is lost\n  output: Block the card.\n",
    "references/fees.md": "# Fees\n\nThe fee is 5 EUR a month.\n\n# Limits\n\nAt most 900 EUR.\n",
}
ASKING = "tools: [files, delegate, ask]\napprovals:\n  ask: [write_file]\n"


def call(tool: str, said: str = "", /, **arguments: Any) -> Turn:
    """Return a turn that calls one tool."""
    return Turn(text=said, tool_calls=(ToolCall(name=tool, arguments=arguments),))
