"""The context: guard, select, pack, render. What a model is shown, and why."""

from harness.context.guard import Guard
from harness.context.pack import Packer, in_our_tokens
from harness.context.render import RENDERING, render_item, renderer
from harness.context.tags import Demonstration, read_demonstrations, read_question

__all__ = [
    "RENDERING",
    "Demonstration",
    "Guard",
    "Packer",
    "in_our_tokens",
    "read_demonstrations",
    "read_question",
    "render_item",
    "renderer",
]
