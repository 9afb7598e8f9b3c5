"""What a run is given beside its model: tools over its workspace, a quote finder, checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.domain.answers import ReadAnswer, read_answer
from harness.domain.own_tools import RESERVED
from harness.errors import UsageError
from harness.tools import KITS, Library, QuoteFinder, make_kit
from harness.tools.own import refuse_shadows
from harness.values import Example, Passage, jsonable

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from harness.context import Guard
    from harness.domain import Domain
    from harness.sdk.hands import Hands
    from harness.sdk.opened import Current
    from harness.seams import Workspace

__all__ = [
    "DEFAULT_KITS",
    "checks_of",
    "kits_of",
    "library_of",
    "quotes_of",
    "reader_of",
    "tools_of",
    "values_of",
    "work_note",
]

DEFAULT_KITS = ("files", "references", "plan", "ask")
"""Where the domain names none; `finish` is always there."""
PASSAGES_FOUND = 8
EXAMPLES_FOUND = 5
PROMPT = Path(__file__).parent / "prompts" / "work.md"


def kits_of(domain: Domain) -> tuple[str, ...]:
    """Return the kits that a run of the domain gets.

    Raises:
        UsageError: The domain names one that is not there yet.
    """
    named = domain.settings.tools or DEFAULT_KITS
    missing = [name for name in named if name not in KITS]
    if missing:
        raise UsageError(
            f"The tool kit {', '.join(missing)} that domain.yaml names is not there yet.",
            f"There are: {', '.join(KITS)}.",
        )
    return tuple(dict.fromkeys([*named, "finish"]))


def tools_of(
    current: Current, workspace: Workspace, hands: Hands, guard: Guard | None = None
) -> list[BaseTool]:
    """Return the tools of a run: the kits that the domain names, and the tools that it brings.

    Args:
        current: The domain.
        workspace: Of the run.
        hands: What the tools work with.
        guard: Keeps an eval case out of what the tools find.

    Raises:
        ToolsNotTrusted: The domain brings tools that the user has not said yes or no to.
        ToolError: A tool can't be offered.
    """
    domain = current.domain
    kits = make_kit(
        kits_of(domain),
        workspace=workspace,
        library=library_of(current, guard),
        calculator=hands.calculator,
        sandbox=hands.sandbox,
        hosts=domain.settings.web.hosts,
    )
    own = hands.own_tools(domain.path, workspace)
    refuse_shadows(own, {*RESERVED, *(one.name for one in kits)})
    return [*kits, *own]


def library_of(current: Current, guard: Guard | None = None) -> Library:
    """Return what the references kit looks things up in, what the guard refuses left out."""
    domain = current.domain
    refused = _refused(current, guard)
    passages = {one.id: one for one in domain.passages if one.id not in refused["passage"]}
    examples = {
        one.id: one
        for one in domain.examples
        if one.status == "approved" and one.id not in refused["example"]
    }

    def search_passages(query: str) -> Sequence[Passage]:
        return _found(current, query, "passages", passages, PASSAGES_FOUND)

    def search_examples(query: str) -> Sequence[Example]:
        return _found(current, query, "demonstrations", examples, EXAMPLES_FOUND)

    return Library(
        passages=lambda: list(passages.values()),
        search_passages=search_passages,
        search_examples=search_examples,
    )


def _refused(current: Current, guard: Guard | None) -> Mapping[str, set[str]]:
    """Return the ids, by kind, of what may not be found."""
    refused: dict[str, set[str]] = {"passage": set(), "example": set(), "eval": set()}
    if guard is None:
        return refused
    import numpy as np

    items = current.bank.items
    for row in guard.refusals(current.bank, np.arange(len(items))):
        refused[items[row].kind].add(items[row].id)
    return refused


def _found(
    current: Current, query: str, group: Any, known: Mapping[str, Any], most: int
) -> list[Any]:
    bank = current.bank
    kind = "passage" if group == "passages" else "example"
    hits = bank.search(query, bank.embed(query), group)
    items = (bank.items[row] for row in hits.rows)
    return [known[item.id] for item in items if item.kind == kind and item.id in known][:most]


def quotes_of(
    domain: Domain, attached: Mapping[str, Callable[[], bytes]] | None = None
) -> QuoteFinder:
    """Return what checks the quotes of an answer.

    Args:
        domain: Its references can be quoted.
        attached: The files that the run was given, as they were then.
    """
    return QuoteFinder(domain.passages, attached)


def checks_of(
    domain: Domain, schema: Mapping[str, Any] | None = None
) -> Callable[[str], list[str]]:
    """Return the checks of a domain that need no expected answer: is it of the form asked for?

    Args:
        domain: Its `answer` settings say what form.
        schema: A JSON Schema for this answer alone.
    """
    read = reader_of(domain, schema)

    def check(answer: str) -> list[str]:
        problem = read(answer).problem
        return [f"The answer is not of the form that is asked for: {problem}."] if problem else []

    return check


def work_note(files: Sequence[str]) -> str:
    """Return what the model of a run reads below the request: how it works, what it was given."""
    parts = [PROMPT.read_text("utf-8").strip()]
    if files:
        parts.append("Files in your workspace: " + ", ".join(f"`{name}`" for name in files))
    return "\n\n".join(parts)


def values_of(domain: Domain, schema: Mapping[str, Any] | None = None) -> Callable[[str], Any]:
    """Return what reads an answer's typed value, as JSON."""
    read = reader_of(domain, schema)
    return lambda answer: jsonable(read(answer).value)


def reader_of(domain: Domain, schema: Mapping[str, Any] | None) -> Callable[[str], ReadAnswer]:
    """Return what reads an answer as the domain asks for one."""
    settings = domain.settings.answer
    return partial(
        read_answer,
        kind="json" if schema else settings.kind,
        labels=domain.labels,
        unit=settings.unit,
        schema=schema or settings.schema,
        abstain=settings.abstain,
        locale=domain.settings.language or "en",
    )
