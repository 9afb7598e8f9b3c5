"""Events as JSON and back: nothing lost, nothing guessed."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.journal.codec import blobs_of, dump, load_command, load_event, to_bytes
from harness.journal.commands import COMMANDS, Cancel
from harness.journal.events import (
    EVENTS,
    Event,
    FileChanged,
    MessageCompleted,
    ModelRequested,
    RunStarted,
    ToolFinished,
    ToolRequested,
    UnknownEvent,
)
from harness.journal.parts import Blob, File, ToolCall

# Half surrogate pairs too: a broken stream brings them.
TEXT = st.text(st.characters(), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Any: JSON,
    str: TEXT,
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
}


def a(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type, as events use it."""
    if hint in PLAIN:
        return PLAIN[hint]
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{f.name: a(hints[f.name]) for f in dataclasses.fields(hint)})
    if typing.get_origin(hint) is tuple:
        return st.lists(a(typing.get_args(hint)[0]), max_size=3).map(tuple)
    if typing.get_origin(hint) is typing.Literal:
        return st.sampled_from(typing.get_args(hint))
    if type(None) in typing.get_args(hint):
        return st.none() | a(next(one for one in typing.get_args(hint) if one is not type(None)))
    assert typing.get_origin(hint) is Mapping, hint
    return st.dictionaries(TEXT, JSON, max_size=3)


@settings(max_examples=300, deadline=None)
@given(st.one_of([a(kind) for kind in EVENTS.values()]))
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    payload = dump(event)
    assert load_event(event.TYPE, event.VERSION, payload) == event
    assert b"\n" not in payload
    payload.decode()  # UTF-8, also with half a surrogate pair


@given(st.one_of([a(kind) for kind in COMMANDS.values()]))
def test_every_command_comes_back_as_it_was(command: Any) -> None:
    assert load_command(command.TYPE, command.VERSION, dump(command)) == command


def test_all_event_types_of_the_design_are_there() -> None:
    named = (
        "run.started run.resumed context.packed model.requested message.streamed "
        "message.completed tool.requested approval.requested approval.decided tool.started "
        "tool.finished plan.updated question.asked question.answered steer.received "
        "file.changed budget.warned context.compacted monitor.flagged run.finished"
    )
    assert set(EVENTS) == set(named.split())


def test_arguments_keep_the_order_that_the_model_wrote() -> None:
    event = ToolRequested(step=1, call="c", tool="t", arguments={"z": 1, "a": {"y": 1, "b": 2}})
    again = load_event(event.TYPE, 1, dump(event))
    assert isinstance(again, ToolRequested)
    assert json.dumps(again.arguments) == '{"z": 1, "a": {"y": 1, "b": 2}}'


def test_numbers_that_json_lacks_are_kept_as_text() -> None:
    event = ToolRequested(step=1, call="c", tool="t", arguments={"x": math.nan, "y": [math.inf]})
    again = load_event(event.TYPE, 1, dump(event))
    assert isinstance(again, ToolRequested)
    assert again.arguments == {"x": "NaN", "y": ["Infinity"]}
    late = ToolFinished(step=1, call="c", tool="t", seconds=-math.inf)
    assert load_event(late.TYPE, 1, dump(late)) == late


@pytest.mark.parametrize(("name", "version"), [("tool.dreamt", 1), ("run.started", 2)])
def test_what_a_newer_program_wrote_goes_back_byte_for_byte(name: str, version: int) -> None:
    payload = b'{"b" : 1.0,  "a":"\\u00e4"}'
    event = load_event(name, version, payload, ("ab",))
    assert isinstance(event, UnknownEvent)
    assert (event.name, event.version, blobs_of(event)) == (name, version, ("ab",))
    assert dump(event) == payload


def whole() -> dict[str, Any]:
    event = ModelRequested(step=1, model="m:x", reserved_usd=Decimal("0.10"))
    tree: dict[str, Any] = json.loads(dump(event))
    return tree


@pytest.mark.parametrize(
    "change",
    [
        {"step": "1"},
        {"step": True},
        {"step": None},
        {"model": 7},
        {"purpose": "play"},
        {"purpose": ["step"]},
        {"reserved_usd": "much"},
        {"reserved_usd": 0.1},
        {"more": 1},
    ],
)
def test_a_field_of_the_wrong_kind_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_event(ModelRequested.TYPE, 1, to_bytes({**whole(), **change}))


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'{"step":NaN}', b"\xff", b'"text"'])
def test_what_is_no_event_is_an_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_event(ModelRequested.TYPE, 1, payload)


def test_a_missing_field_is_an_error_and_no_default() -> None:
    tree = whole()
    del tree["purpose"]
    with pytest.raises(ValueError, match="ModelRequested"):
        load_event(ModelRequested.TYPE, 1, to_bytes(tree))


def test_lists_and_calls_are_checked_within() -> None:
    event = MessageCompleted(step=1, calls=(ToolCall(id="c", tool="t"),))
    tree = json.loads(dump(event))
    for calls in ("c", [{"id": "c"}], [None]):
        with pytest.raises(ValueError, match=r"."):
            load_event(event.TYPE, 1, to_bytes({**tree, "calls": calls}))


def test_a_command_of_a_newer_program_is_refused() -> None:
    with pytest.raises(ValueError, match="dance"):
        load_command("dance", 1, b"{}")
    with pytest.raises(ValueError, match="version 2"):
        load_command(Cancel.TYPE, 2, b"{}")


def test_blobs_are_found_wherever_an_event_names_them() -> None:
    one, two = Blob(hash="1" * 64, bytes=1), Blob(hash="2" * 64, bytes=2)
    started = RunStarted(
        goal="g",
        domain="d",
        domain_version="v",
        model="m",
        files=(File(path="a", blob=one), File(path="b", blob=two), File(path="c", blob=one)),
    )
    assert blobs_of(started) == (one.hash, two.hash)
    assert blobs_of(FileChanged(path="a", before=None, after=two, turn=1)) == (two.hash,)
    assert blobs_of(ModelRequested(step=1, model="m")) == ()
