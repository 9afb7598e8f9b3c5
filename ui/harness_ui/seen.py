"""What the model saw: the token budget as one bar, and every item with what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from harness import Packed
from harness_ui.jobs import Asking
from harness_ui.words import count, short

__all__ = ["budget_table", "item_table", "show_seen"]

NAMES = {
    "instructions": "Instructions",
    "rules": "Rules",
    "core": "Core examples",
    "references": "Pinned references",
    "passages": "Passages",
    "demonstrations": "Similar examples",
    "question": "Question",
    "free": "Free",
}
STABLE = ("instructions", "rules", "core", "references")
COLOURS = ["#1f5c7a", "#3d7f9c", "#6ba3ba", "#a3c6d4", "#b5763a", "#d9a05b", "#7a6a9e", "#c9cdc7"]
KINDS = {"example": "example", "eval": "test case", "passage": "passage", "rule": "rule"}


def budget_table(packed: Packed) -> pd.DataFrame:
    """Return the tokens of each part, in the order in which the model reads them."""
    parts = {name: packed.by_section.get(name, 0) for name in NAMES if name != "free"}
    parts["free"] = max(0, packed.budget - packed.tokens)
    shown: dict[str, int] = {}
    for item in packed.items:
        if item.kept:
            shown[item.section] = shown.get(item.section, 0) + 1
    return pd.DataFrame(
        [
            {
                "Part": NAMES[name],
                "Tokens": tokens,
                "Items": shown.get(name, 0),
                "Share": tokens / packed.budget,
                "Same for every question": name in STABLE,
                "order": number,
            }
            for number, (name, tokens) in enumerate(parts.items())
        ]
    )


def item_table(packed: Packed, texts: dict[str, str]) -> pd.DataFrame:
    """Return every item that was considered, shown ones first.

    Args:
        packed: What the model was shown.
        texts: What each example says, by id.
    """
    rows = [
        [
            item.kept,
            item.similarity,
            item.tokens,
            item.id,
            short(texts.get(item.id, ""), 90),
            NAMES[item.section],
            item.reason,
            KINDS[item.kind],
        ]
        for item in packed.items
    ]
    columns = ["Shown", "Similarity", "Tokens", "Id", "Says", "Part", "Why", "Kind"]
    table = pd.DataFrame(rows, columns=columns)
    tail = ~table["Part"].isin([NAMES[name] for name in STABLE])
    order = table.assign(tail=tail).sort_values(
        ["Shown", "tail", "Similarity"], ascending=[False, False, False], kind="stable"
    )
    return order.drop(columns="tail").reset_index(drop=True)


def show_seen(job: Asking, *, again: Callable[..., None]) -> None:
    """Draw what the model saw.

    Args:
        job: The question, packed.
        again: Asks it once more, with other wishes.
    """
    packed = job.packed
    if packed is None:
        return
    shown = len(packed.shown("example", "eval"))
    title = f"What the model saw: {count(shown, 'example')}, {packed.tokens:,} tokens"
    with st.expander(title, expanded=False, key=f"seen-{job.id}", on_change="rerun") as opened:
        if getattr(opened, "open", True) is False:
            return  # drawn when it is opened: the table is long
        table = budget_table(packed)
        st.altair_chart(_bar(table, packed), theme="streamlit", alt=_in_words(table, packed))
        st.caption(
            f"{packed.core_tokens:,} of {packed.tokens:,} tokens are the same for every question, "
            f"so a provider's cache serves them. The budget is {packed.budget:,} tokens."
        )
        st.dataframe(
            table.drop(columns="order"),
            hide_index=True,
            column_config={
                "Share": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
            },
            key=f"parts-{job.id}",
            alt="Tokens of each part of the context",
        )
        _items(job, packed, again)


def _items(job: Asking, packed: Packed, again: Callable[..., None]) -> None:
    texts = _texts()
    table = item_table(packed, texts)
    st.markdown(f"**Every item that was considered** ({len(table):,})")
    st.dataframe(
        table,
        hide_index=True,
        height=320,
        key=f"items-{job.id}",
        column_config={"Similarity": st.column_config.NumberColumn(format="%.3f")},
        alt="Every item that was considered, shown or not, and why",
    )
    ids = list(dict.fromkeys(table["Id"]))
    one, two = st.columns(2)
    tail = [
        item.id for item in packed.items if item.kept and item.section not in (*STABLE, "question")
    ]
    exclude = one.multiselect(
        "Leave out", tail, key=f"exclude-{job.id}", default=_there(job.how.get("exclude"), tail)
    )
    include = two.multiselect(
        "Show for certain",
        ids,
        key=f"include-{job.id}",
        default=_there(job.how.get("include"), ids),
    )
    if st.button("Ask again with this", key="again", disabled=not (exclude or include)):
        others = {key: value for key, value in job.how.items() if key not in ("exclude", "include")}
        again(model=job.model, **others, exclude=exclude, include=include)


def _there(wanted: Any, known: list[str]) -> list[str]:
    return [one for one in wanted or () if one in known]


def _texts() -> dict[str, str]:
    from harness_ui import visit

    harness = visit.opened()
    if harness is None:
        return {}
    domain = harness.examples.domain
    said = {one.id: f"{one.input} → {one.output}" for one in domain.examples}
    said |= {one.id: one.input for one in domain.cases}
    return said | {one.id: one.text for one in domain.passages}


def _bar(table: pd.DataFrame, packed: Packed) -> alt.LayerChart:
    """Return the bar, with a mark where the part ends that a provider's cache serves."""
    scale = alt.Scale(domain=[0, packed.budget], nice=False)
    bar = (
        alt.Chart(table)
        .mark_bar(stroke="white", strokeWidth=1, size=34)
        .encode(
            x=alt.X(
                "Tokens:Q",
                stack="zero",
                title=None,
                scale=scale,
                axis=alt.Axis(format=",d", tickCount=5, grid=False),
            ),
            color=alt.Color(
                "Part:N",
                sort=list(NAMES.values()),
                scale=alt.Scale(domain=list(NAMES.values()), range=COLOURS),
                legend=alt.Legend(orient="bottom", columns=4, title=None),
            ),
            order=alt.Order("order:Q"),
            tooltip=["Part", alt.Tooltip("Tokens:Q", format=",d"), "Items"],
        )
    )
    end = pd.DataFrame([{"Tokens": packed.core_tokens, "says": "cached up to here"}])
    mark = alt.Chart(end).encode(x=alt.X("Tokens:Q", scale=scale))
    rule = mark.mark_rule(strokeDash=[4, 3], strokeWidth=2, color="#8a2c2c")
    words = mark.mark_text(align="left", dx=5, dy=-27, fontSize=12, color="#8a2c2c").encode(
        text="says:N"
    )
    room = {"top": 20, "left": 5, "right": 5, "bottom": 5}  # for the words above the bar
    return alt.LayerChart(layer=[bar, rule, words], height=180, padding=room)


def _in_words(table: pd.DataFrame, packed: Packed) -> str:
    parts = ", ".join(f"{row.Part} {row.Tokens:,}" for row in table.itertuples() if row.Tokens)
    return f"A bar of {packed.budget:,} tokens: {parts}."
