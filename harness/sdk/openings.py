"""How runs begin: the first events, the packed request, the files, and what is said on resuming."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.context import in_our_tokens
from harness.errors import UsageError
from harness.journal.events import ContextPacked, ModelRequested, RunStarted
from harness.journal.parts import File, Limits
from harness.loop import Opening, cut_short
from harness.sdk.equipment import work_note
from harness.values_packed import Message, Packed, Part
from harness.wiring import make_counter

if TYPE_CHECKING:
    from harness.domain import Domain
    from harness.sdk.opened import Current
    from harness.seams_journal import Writer

__all__ = ["filled", "keep_files", "notices", "offered", "opening_of", "pack_task", "readers"]


def opening_of(domain: Domain, packed: Packed, *, goal: str, model: str, **more: Any) -> Opening:
    """Return how a run begins.

    Args:
        domain: It keeps to this version.
        packed: What its model is shown first.
        goal: The request, word for word.
        model: Name of the model.
        **more: Of `run.started`.
    """
    options = {"folder": str(domain.path.absolute()), **more.pop("options", {})}
    return Opening(
        started=RunStarted(
            goal=goal,
            domain=domain.name,
            domain_version=domain.version,
            model=model,
            prefix_sha256=packed.prefix_sha256,
            options=options,
            **more,
        ),
        packed=ContextPacked(
            step=0,
            tokens=packed.tokens,
            budget=packed.budget,
            by_section=dict(packed.by_section),
            prefix_sha256=packed.prefix_sha256,
        ),
        messages=packed.messages,
    )


def pack_task(current: Current, goal: str, files: Sequence[str], how: Mapping[str, Any]) -> Packed:
    """Pack for a request that is worked on with tools: how to work stands below it.

    Args:
        current: The domain.
        goal: The request.
        files: Names of what is in the workspace.
        how: As of `Packer.pack`.
    """
    note = work_note(files)
    ratio = how.get("ratio") or 1.0
    budget = in_our_tokens(how.get("budget") or current.domain.settings.context.budget, ratio)
    tokens = make_counter().count(note)
    packed = current.packer.pack(goal, **{**how, "budget": max(1, budget - tokens), "ratio": 1.0})
    *before, last = packed.messages
    asked = Message(role=last.role, parts=(*last.parts, Part(text=f"\n\n{note}\n")))
    sections = {**packed.by_section, "question": packed.by_section["question"] + tokens}
    return replace(
        packed, budget=budget, ratio=ratio, by_section=sections, messages=(*before, asked)
    )


def offered(tools: list[Any], *, here: bool) -> list[Any]:
    """Return the tools, without `ask` where calls are decided on here and no question is."""
    if here:
        return [one for one in tools if one.name != "ask"]
    return tools


def keep_files(writer: Writer, contents: Mapping[str, bytes]) -> tuple[File, ...]:
    """Keep files in the journal, to the byte."""
    return tuple(
        File(path=path, blob=writer.put_blob(content, exact=True))
        for path, content in contents.items()
    )


def filled(given: Limits, domain: Domain) -> Limits:
    """Return limits, their gaps filled from the `budgets` of `domain.yaml`."""
    usual = domain.settings.budgets
    minutes = None if usual.minutes is None else float(usual.minutes)
    return Limits(
        usd=usual.usd if given.usd is None else given.usd,
        tokens=usual.tokens if given.tokens is None else given.tokens,
        steps=usual.steps if given.steps is None else given.steps,
        minutes=minutes if given.minutes is None else given.minutes,
    )


def readers(contents: Mapping[str, bytes]) -> dict[str, Callable[[], bytes]]:
    """Return what reads each of some contents."""
    return {name: partial(bytes, content) for name, content in contents.items()}


def notices(
    started: RunStarted, domain: Domain, model: str, cut: ModelRequested | None = None
) -> tuple[str, ...]:
    """Return what differs from the start of a run, in words.

    Args:
        started: Its first event.
        domain: As it is now.
        model: That it goes on with.
        cut: A call to the model that its last process did not see the end of.

    Raises:
        UsageError: It is a run of another domain.
    """
    if started.domain != domain.name:
        raise UsageError(
            f"The run is of the domain {started.domain}, not of {domain.name}.",
            "Open that domain to go on with it.",
        )
    found = []
    if started.domain_version != domain.version:
        found.append(
            f"The domain changed since the run began (version {started.domain_version}, now "
            f"{domain.version}). The run keeps the context that it began with; searches in "
            "references and examples see the domain as it is now."
        )
    if started.model != model:
        found.append(f"The run began with {started.model} and goes on with {model}.")
    if cut is not None:
        found.append(cut_short(cut))
    return tuple(found)
