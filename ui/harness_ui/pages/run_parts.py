"""What every page draws of a run alike: what was asked, what was cut off, where quotes are from."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from harness import Harness
from harness.journal.events import RunFinished
from harness_ui.cited import show_cited
from harness_ui.words import model_markdown, plain

__all__ = ["show_asked", "show_cut_off", "show_quotes"]


def show_asked(text: str, files: Iterable[str] = (), *, key: str | None = None) -> None:
    """Draw what was asked, in a box, with the names of the files that came with it."""
    with st.container(border=True, key=key):
        st.markdown(plain(text))
        if names := ", ".join(map(plain, files)):
            st.caption(f"with {names}")


def show_cut_off(text: str, *, by_a_person: bool) -> None:
    """Draw what the model was saying when it was stopped, or its program ended."""
    if not text:
        return
    with st.container(key="answer"):
        st.markdown(model_markdown(text) + " …")
    if not by_a_person:
        st.caption("Cut off here. What had come until then is kept.")


def show_quotes(harness: Harness, run: str, finished: RunFinished) -> None:
    """Draw the quotes of an answer; each opens where it stands."""
    if finished.citations:
        sources = harness.sources(run)
        found = [sources.quoted(one.document, one.quote) for one in finished.citations]
        show_cited(sources, found, run)
