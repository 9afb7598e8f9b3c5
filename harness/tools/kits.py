"""Kits by name: what a domain's `tools` offers to the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from harness.errors import UsageError
from harness.tools.control import CONTROLS, Control, control_tools
from harness.tools.documents import document_tools
from harness.tools.edits import writing_tools
from harness.tools.files import reading_tools
from harness.tools.references import Library, reference_tools
from harness.tools.texts import Texts

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from harness.seams import Workspace
    from harness.seams_hands import Calculator, Sandbox

__all__ = ["KITS", "make_kit"]

KITS = ("files", "documents", "references", "compute", "python", "shell", "web", *CONTROLS)
"""Names that `make_kit` knows."""


def make_kit(
    names: Iterable[str],
    *,
    workspace: Workspace | None = None,
    library: Library | None = None,
    calculator: Calculator | None = None,
    sandbox: Sandbox | None = None,
    hosts: Sequence[str] = (),
) -> list[BaseTool]:
    """Return the tools of some kits, in the order of `KITS`; each once.

    Args:
        names: Of kits: `files`, `documents`, `references`, and control tools by their own names.
        workspace: For `files` and `documents`.
        library: For `references`.
        calculator: For `compute`.
        sandbox: For `python` and `shell`.
        hosts: For `web`: those that it may fetch from.

    Raises:
        ToolError: A kit can't be offered as the domain asks for it.
        UsageError: There is no such kit, or what it works on was not given.
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in KITS:
            raise UsageError(f"There is no tool kit `{name}`.", f"There are: {', '.join(KITS)}.")
    tools: list[BaseTool] = []
    if "files" in wanted:
        if workspace is None:
            raise UsageError("The kit `files` needs a workspace.")
        texts = Texts(workspace)
        tools += [*reading_tools(texts), *writing_tools(texts)]
    if "documents" in wanted:
        if workspace is None:
            raise UsageError("The kit `documents` needs a workspace.")
        tools += document_tools(workspace)
    if "references" in wanted:
        if library is None:
            raise UsageError("The kit `references` needs a library to look things up in.")
        tools += reference_tools(library)
    tools += _calculating(wanted, workspace, calculator, sandbox)
    if "web" in wanted:
        from harness.tools.web import web_tools

        tools += web_tools(hosts)
    controls = [cast(Control, name) for name in CONTROLS if name in wanted]
    return [*tools, *control_tools(controls)]


def _calculating(
    wanted: Sequence[str],
    workspace: Workspace | None,
    calculator: Calculator | None,
    sandbox: Sandbox | None,
) -> list[BaseTool]:
    from harness.tools.compute import compute_tools
    from harness.tools.python_shell import python_tools, shell_tools

    tools: list[BaseTool] = []
    if "compute" in wanted:
        if calculator is None:
            raise UsageError("The kit `compute` needs something to calculate with.")
        tools += compute_tools(calculator, Texts(workspace) if workspace else None)
    for name, make in (("python", python_tools), ("shell", shell_tools)):
        if name in wanted:
            if sandbox is None or workspace is None:
                raise UsageError(f"The kit `{name}` needs a sandbox and a workspace.")
            tools += make(sandbox, workspace)
    return tools
