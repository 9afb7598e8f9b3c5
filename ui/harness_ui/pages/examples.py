"""Examples: search, compare, mend and retire them; near-duplicates, the map, import."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.examples import Saved
from harness.values import Example
from harness_ui import visit
from harness_ui.held import field_key, held, let_go
from harness_ui.pages.correct import answer_field, show_near
from harness_ui.pages.example_import import show_import
from harness_ui.pages.example_map import show_map
from harness_ui.troubles import show_error
from harness_ui.words import count, plain, short

__all__ = ["show"]

STATUSES = {"": "all", "approved": "in use", "draft": "waits for review", "retired": "retired"}
FIELDS = {"i": "input", "o": "output", "w": "why"}
"""What can be changed of an example, by the first word of the field's key."""
PAGE = 200


def show() -> None:
    """Draw the page."""
    st.title("Examples", anchor=False)
    harness = visit.opened()
    if harness is None:
        return
    if said := st.session_state.pop("changed", None):
        st.success(said)
    tabs = {"List": _listing, "Similar": _similar, "Near-duplicates": _duplicates, "Map": show_map}
    tabs |= {"Never used": _never, "Import": show_import}
    chosen = st.segmented_control(
        "Show", list(tabs), default="List", required=True, key="view", label_visibility="collapsed"
    )
    tabs[chosen or "List"](harness)


def _table(found: list[Example]) -> pd.DataFrame:
    columns = ["Id", "Question", "Answer", "Status", "Source", "Author", "Date", "Where"]
    return pd.DataFrame(
        [
            [
                one.id,
                short(one.input, 160),
                short(one.output, 80),
                STATUSES[one.status],
                one.source,
                one.author,
                one.date,
                _where(one),
            ]
            for one in found
        ],
        columns=columns,
    )


def _where(one: Example) -> str:
    return f"{one.place.file}, line {one.place.line}"


def _listing(harness: Harness) -> None:
    one, two, three = st.columns([3, 1, 1])
    text = one.text_input("Search", key="search", placeholder="words in any field")
    status: Any = two.selectbox(
        "Status", list(STATUSES), format_func=STATUSES.__getitem__, key="status"
    )
    domain = harness.examples.domain
    labels = ["", *domain.labels] if domain.labels else [""]
    label = three.selectbox("Answer", labels, key="label", format_func=lambda one: one or "all")
    found = harness.examples.list(text=text, status=status or None, label=label or "")
    st.caption(f"{count(len(found), 'example')}. Choose one to see it whole.")
    state = st.dataframe(
        _table(found[:PAGE]),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="table",
        height=360,
        alt="Examples that were found",
    )
    if len(found) > PAGE:
        st.caption(f"The first {PAGE} are shown. Search for what you want to see.")
    rows = state.selection.rows
    asked = st.query_params.get("id", "")
    if rows and rows[0] < len(found):
        _one(harness, found[rows[0]])
    elif asked in [example.id for example in domain.examples]:
        _one(harness, harness.examples.get(asked))


def _one(harness: Harness, example: Example) -> None:
    with st.container(border=True, key="one"):
        st.markdown(
            f"**{plain(example.id)}** · {STATUSES[example.status]} · {plain(_where(example))}"
        )
        if not visit.may("expert"):
            st.markdown(
                f"{plain(example.input)}\n\n**{plain(example.output)}**\n\n{plain(example.why)}"
            )
            return
        example = held(example, FIELDS)
        question = st.text_area(
            "The question", value=example.input, key=field_key("i", example), height=110
        )
        answer = answer_field(harness, example.output, key=field_key("o", example))
        why = st.text_area("Why", value=example.why, key=field_key("w", example), height=80)
        fields = {"input": question, "output": answer, "why": why}
        changed = {name: text for name, text in fields.items() if text != getattr(example, name)}
        one, two = st.columns(2)
        if one.button(
            "Save", key="save-one", disabled=not changed, type="primary", width="stretch"
        ):
            _do(
                example.id,
                lambda: harness.examples.edit(
                    example.id, seen=example, by=visit.person(), **changed
                ),
            )
        if visit.may("reviewer") and example.status != "retired":
            with two.popover("Retire …", width="stretch"):
                reason = st.text_input("Why?", key=f"retire-{example.id}")
                if st.button("Retire it", key="retire-one", disabled=not reason.strip()):
                    _do(
                        example.id,
                        lambda: harness.examples.retire(example.id, reason, by=visit.person()),
                    )
        near = harness.examples.similar(example.input, most=5, but=example.id)
        show_near(Saved(example=example, near=tuple(near)))


def _do(name: str, deed: Any) -> None:
    try:
        saved: Saved = deed()
    except HarnessError as error:
        show_error(error)
        return
    let_go(name)
    said = f"{plain(saved.example.id)} is saved."
    if saved.beside:
        said = (
            f"Somebody changed {plain(saved.beside)} meanwhile. Your text is kept as the draft "
            f"{plain(saved.example.id)}; Review shows both."
        )
    elif saved.example.status == "retired":
        said = f"{plain(saved.example.id)} is retired. It stays in its file."
    st.session_state["changed"] = said
    st.rerun()


def _similar(harness: Harness) -> None:
    text = st.text_area("A question", key="like", height=90)
    if not text.strip():
        st.caption("Write a question to see the examples that are like it.")
        return
    found = harness.examples.similar(text, most=20)
    st.dataframe(
        pd.DataFrame(
            [
                [
                    one.similarity,
                    f"{one.shared:.0%}",
                    one.twin,
                    one.example.id,
                    short(one.example.input, 160),
                    short(one.example.output, 60),
                ]
                for one in found
            ],
            columns=["Similarity", "Shared words", "Almost the same", "Id", "Question", "Answer"],
        ),
        hide_index=True,
        key="similar",
        column_config={
            "Similarity": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Examples that are like the question",
    )


def _duplicates(harness: Harness) -> None:
    pairs = harness.examples.duplicates()
    if not pairs:
        st.info("No two examples are almost the same.")
        return
    other = sum(one.output != two.output for one, two in pairs)
    st.write(
        f"{count(len(pairs), 'pair')} of examples have most of their words in common; "
        f"{other:,} of them have different answers: those are listed first."
    )
    ordered = sorted(pairs, key=lambda pair: pair[0].output == pair[1].output)[:500]
    st.dataframe(
        pd.DataFrame(
            [
                [
                    one.output != two.output,
                    one.id,
                    short(one.input, 120),
                    short(one.output, 50),
                    two.id,
                    short(two.input, 120),
                    short(two.output, 50),
                ]
                for one, two in ordered
            ],
            columns=[
                "Answers differ",
                "Id",
                "Question",
                "Answer",
                "Other id",
                "Other question",
                "Other answer",
            ],
        ),
        hide_index=True,
        key="pairs",
        alt="Pairs of examples that are almost the same",
    )


def _never(harness: Harness) -> None:
    try:
        found, looked = harness.examples.never_used()
    except HarnessError as error:
        show_error(error)
        return
    if not looked:
        st.info("Nothing was asked here yet.")
        return
    st.write(
        f"{count(len(found), 'example')} were needed by none of the last "
        f"{count(looked, 'question')}. "
        "That is no fault: they wait for questions that are like them."
    )
    st.dataframe(_table(found[:2000]), hide_index=True, key="never", alt="Examples never shown")
