"""The tools that a run may use, as LangChain tools; the loop knows them only as such."""

from harness.tools.control import control_tools
from harness.tools.kits import KITS, make_kit
from harness.tools.quotes import QuoteFinder
from harness.tools.references import Library

__all__ = ["KITS", "Library", "QuoteFinder", "control_tools", "make_kit"]
