"""An example as somebody began to change it: what others save meanwhile takes no text away."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from harness.values import Example
from harness_ui import visit
from harness_ui.words import plain

__all__ = ["field_key", "held", "let_go"]


def held(example: Example, fields: Mapping[str, str]) -> Example:
    """Return the example that a person's text is about; it is said where that is not the newest.

    Args:
        example: As it is on disk.
        fields: Which of its fields can be changed here, by the first word of the key.
    """
    name = _name(example.id)
    seen: Example | None = st.session_state.get(name)
    if seen is None or _same(seen, example) or not _changed(seen, fields):
        st.session_state[name] = example
        return example
    st.warning(
        f"Somebody changed {plain(example.id)} while you had it open. Your text is still here: "
        "what you save is kept beside theirs, as a draft."
    )
    return seen


def field_key(word: str, example: Example) -> str:
    """Return the key of a field: another text on disk makes another field."""
    return f"{word}-{example.id}-{hash((example.input, example.output, example.why))}"


def let_go(name: str) -> None:
    """Forget a person's text about an example: it is saved."""
    st.session_state.pop(_name(name), None)


def _name(example: str) -> str:
    return f"held-{visit.current()}-{example}"


def _same(one: Example, other: Example) -> bool:
    return (one.input, one.output, one.why, one.status) == (
        other.input,
        other.output,
        other.why,
        other.status,
    )


def _changed(seen: Example, fields: Mapping[str, str]) -> bool:
    """Say whether anything was written over what was seen."""
    texts = {name: getattr(seen, name) for name in fields.values()}
    return any(
        (st.session_state.get(field_key(word, seen), texts[name]) or "") != texts[name]
        for word, name in fields.items()
    )
