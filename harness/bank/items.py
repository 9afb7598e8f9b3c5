"""From a domain to the items of its bank, each with a digest of all that makes it what it is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.values import BankItem, EvalCase, Example, ItemKind, Passage, Rubric, jsonable

if TYPE_CHECKING:
    from harness.domain import Domain

__all__ = ["Entry", "bank_items", "entries", "version_of"]

FORMAT = 3
"""Raised whenever an index written before can't be read any more: it is then built anew."""

Entry = tuple[str, ItemKind, Example | EvalCase | Passage]
"""(digest, kind, what the expert wrote)."""


def entries(domain: Domain, rendering: str) -> list[Entry]:
    """Return what may be packed, in the folder's order: approved examples, dev cases, passages.

    Args:
        domain: A domain as read.
        rendering: Names the way that items are rendered; part of each digest.
    """
    salt = f"{FORMAT}\0{rendering}\0{domain.settings.answer.kind}"
    rubrics = {rubric.name: rubric for rubric in domain.rubrics}
    approved = [one for one in domain.examples if one.status == "approved"]
    dev = [case for case in domain.cases if case.split == "dev"]
    return [
        *((_digest(salt, "example", one), "example", one) for one in approved),
        *(
            (_digest(_with_rubrics(salt, case, rubrics), "eval", case), "eval", case)
            for case in dev
        ),
        *((_digest(salt, "passage", one), "passage", one) for one in domain.passages),
    ]


def _with_rubrics(salt: str, case: EvalCase, rubrics: Mapping[str, Rubric]) -> str:
    """Return the salt with the rubrics that a case's checks name: they are part of what it says."""
    named = [
        rubrics[check.spec]
        for check in case.checks
        if check.grader == "rubric" and isinstance(check.spec, str) and check.spec in rubrics
    ]
    criteria = [[dataclasses.astuple(one) for one in rubric.criteria] for rubric in named]
    return f"{salt}\0{json.dumps(criteria, default=str)}" if named else salt


def _digest(salt: str, kind: str, written: Example | EvalCase | Passage) -> str:
    """Hash all fields but the place: moving an item to another file changes nothing."""
    content = [
        getattr(written, field.name)
        for field in dataclasses.fields(written)
        if field.name != "place"
    ]
    if isinstance(written, EvalCase):
        content[content.index(written.checks)] = [(c.grader, c.spec) for c in written.checks]
    said = json.dumps([salt, kind, content], default=jsonable, ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def version_of(items: list[Entry], models: str) -> str:
    """Return the name of the index over these items, embedded and counted by these models."""
    content = "\n".join([models, *(digest for digest, _, _ in items)])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def bank_items(
    items: list[Entry],
    *,
    by_label: bool,
    render: Callable[[Example | EvalCase | Passage], str],
    count: Callable[[str], int],
    known: Mapping[str, BankItem],
) -> list[BankItem]:
    """Render and count the items; those whose digest is known are taken as they are.

    Args:
        items: From `entries`.
        by_label: The domain answers by label, so outputs are labels.
        render: Gives an item as it stands in the context.
        count: Counts tokens.
        known: Items of an earlier index by digest.
    """
    return [
        known.get(digest) or _item(kind, one, by_label, render, count)
        for digest, kind, one in items
    ]


def _item(
    kind: ItemKind,
    written: Example | EvalCase | Passage,
    by_label: bool,
    render: Callable[[Example | EvalCase | Passage], str],
    count: Callable[[str], int],
) -> BankItem:
    rendered = render(written)
    said = written.output if isinstance(written, Example) else getattr(written, "expected", None)
    return BankItem(
        key=f"{kind}/{written.id}",
        id=written.id,
        kind=kind,
        text=written.text,
        label=said if by_label and isinstance(said, str) else "",
        source="" if isinstance(written, Passage) else written.source,
        document=written.document if isinstance(written, Passage) else "",
        rendered=rendered,
        tokens=count(rendered),
    )
