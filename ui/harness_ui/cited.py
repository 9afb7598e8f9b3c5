"""Where an answer is from: each quote opens its passage, with the words marked and the page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import PurePosixPath

import streamlit as st

from harness import HarnessError
from harness.sdk.sources import Source, Sources
from harness_ui.troubles import show_error
from harness_ui.words import count, plain, short

__all__ = ["passage_html", "show_cited", "show_shown"]

FOUND = {True: "found there", False: "**not found there**", None: "**no such document**"}
MOST_SHOWN = 20
PASSAGE = (
    "white-space: pre-wrap; overflow-wrap: anywhere; max-height: 28rem; overflow-y: auto; "
    "border-left: 3px solid #8aa; padding-left: .8rem; line-height: 1.5"
)
MARK = "background: #ffe08a; color: #1a1a1a; padding: 0 .1em"


def show_cited(sources: Sources, found: Sequence[Source], key: str) -> None:
    """Draw the quotes of an answer; each opens where it stands.

    Args:
        sources: What can be quoted.
        found: The quotes, looked up.
        key: Of what is drawn, unique on the page.
    """
    if not found:
        return
    good = sum(one.verified is True for one in found)
    all_of = "all found word for word" if good == len(found) else f"{good} found word for word"
    st.markdown(f"**Where it is from** · {count(len(found), 'quote')}, {all_of}")
    for number, one in enumerate(found):
        _line(sources, one, f"cited-{key}-{number}")


def show_shown(sources: Sources, found: Sequence[Source], key: str) -> None:
    """Draw the passages that the model was shown, folded away; each opens."""
    if not found:
        return
    title = f"References it was shown ({len(found)})"
    with st.expander(title, key=f"shown-{key}", on_change="rerun") as opened:
        if getattr(opened, "open", True) is False:
            return
        for number, one in enumerate(found[:MOST_SHOWN]):
            _line(sources, one, f"passage-{key}-{number}")
        if len(found) > MOST_SHOWN:
            st.caption(f"and {len(found) - MOST_SHOWN} more: see *What the model saw*.")


def _line(sources: Sources, one: Source, key: str) -> None:
    where = f", {plain(one.where)}" if one.where else ""
    said = f"“{plain(short(one.quote, 160))}”" if one.quote else plain(short(one.text, 160))
    mark = f" · {FOUND[one.verified]}" if one.quote else ""
    with st.container(key=f"source-{key}", gap=None):
        if one.text:
            if st.button(f"{plain(one.document)}{where}", key=key, type="tertiary"):
                _open(sources, one, key)
        else:
            st.markdown(f"{plain(one.document)}{where}")
        st.caption(f"{said}{mark}")


@st.dialog("Where it is from", width="large")
def _open(sources: Sources, one: Source, key: str) -> None:
    """Show the passage with the quote marked, the page, and the file."""
    where = f", {plain(one.where)}" if one.where else ""
    st.markdown(f"**{plain(one.document)}**{where}")
    with st.container(key="passage"):
        st.html(passage_html(one))
    name = PurePosixPath(one.document).name
    try:
        data = sources.file(one.document)
        st.download_button(
            f"Fetch {plain(name)}", data, file_name=name, key=f"fetch-{key}", on_click="ignore"
        )
        if one.page is not None:
            with st.container(border=True):
                says = f"Page {one.page} of {name}; its passage stands above as text"
                st.image(sources.page(one), caption=f"Page {one.page}", width=720, alt=says)
    except HarnessError as error:
        show_error(error)


def passage_html(one: Source) -> str:
    """Return a passage as HTML that shows it as it was read, its quote marked."""
    start, end = one.mark or (0, 0)
    before, quote, after = (
        html.escape(text) for text in (one.text[:start], one.text[start:end], one.text[end:])
    )
    marked = f'<mark style="{MARK}">{quote}</mark>' if quote else ""
    return f'<div tabindex="0" style="{PASSAGE}">{before}{marked}{after}</div>'
