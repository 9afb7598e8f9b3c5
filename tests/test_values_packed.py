"""A packed context: what it was sent as, and what became of each item."""

from __future__ import annotations

import json
from typing import Any

from harness.values import ItemReport
from harness.values_packed import Message, Packed, Part


def report(name: str, **more: Any) -> ItemReport:
    default = {"kind": "example", "section": "core", "tokens": 3, "similarity": 0.5}
    return ItemReport(**{"id": name, "kept": True, "reason": "r", **default, **more})


def packed(*items: ItemReport) -> Packed:
    calls: list[int] = []

    def account():
        calls.append(1)
        assert len(calls) <= 2, "made once for what is shown, once for all"
        return iter(items)

    return Packed(
        domain="d",
        version="v",
        budget=100,
        core_tokens=10,
        by_section={"instructions": 4, "core": 6, "question": 5},
        prefix_sha256="abc",
        messages=(
            Message(role="system", parts=(Part(text="one", cache=True), Part(text="two"))),
            Message(role="user", parts=(Part(text="three"),)),
        ),
        account=account,
    )


def test_a_packed_context_as_json() -> None:
    """The shape that `harness context --json` prints."""
    one = packed(report("a"), report("b", kept=False, kind="eval", similarity=None))
    assert json.loads(json.dumps(one.to_json())) == {
        "domain": "d",
        "version": "v",
        "budget": 100,
        "ratio": 1.0,
        "tokens": {
            "total": 15,
            "core": 10,
            "tail": 5,
            "by_section": {"instructions": 4, "core": 6, "question": 5},
        },
        "prefix_sha256": "abc",
        "items": [
            {
                "id": "a",
                "kind": "example",
                "section": "core",
                "tokens": 3,
                "similarity": 0.5,
                "kept": True,
                "reason": "r",
            },
            {
                "id": "b",
                "kind": "eval",
                "section": "core",
                "tokens": 3,
                "similarity": None,
                "kept": False,
                "reason": "r",
            },
        ],
        "messages": [
            {"role": "system", "content": "onetwo"},
            {"role": "user", "content": "three"},
        ],
    }


def test_what_is_shown_is_what_was_kept() -> None:
    items = (
        report("a"),
        report("c", kind="eval"),
        report("d", kind="passage"),
        report("b", kept=False),
    )
    one = packed(*items)
    assert [item.id for item in one.shown("example", "eval")] == ["a", "c"]
    assert [item.id for item in one.shown("passage")] == ["d"]
    assert one.shown() == ()
    assert one.items == items
    assert one.items[3] not in one.shown("example", "eval", "passage")
