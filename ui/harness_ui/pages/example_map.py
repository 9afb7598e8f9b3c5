"""The map of the bank, as it was drawn when indexing, with a table beside it."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness_ui.troubles import show_error
from harness_ui.words import short

__all__ = ["show_map"]

MANY = 9
"""Labels that the map tells apart by colour."""
OTHERS = "all others"
COLOURS = (
    "#1f77b4",
    "#d95f02",
    "#2c8a4b",
    "#a0396b",
    "#6a51a3",
    "#8c6d31",
    "#17a2b8",
    "#e7298a",
    "#4d4d4d",
)


def show_map(harness: Harness) -> None:
    """Draw the map, and the table of what is on it."""
    try:
        atlas = harness.examples.atlas()
    except HarnessError as error:
        show_error(error)
        return
    said = {one.id: one for one in harness.examples.domain.examples}
    table = pd.DataFrame({"Id": list(atlas.ids), "Answer": list(atlas.labels)})
    table["x"], table["y"] = (atlas.places[:, 0], atlas.places[:, 1]) if len(table) else ([], [])
    table["Question"] = [short(said[one].input, 120) if one in said else "" for one in table["Id"]]
    common = [one for one in table["Answer"].value_counts().head(MANY).index if one]
    table["Colour"] = [one if one in common else OTHERS for one in table["Answer"]]
    table = table.sort_values("Colour", key=lambda column: column != OTHERS, kind="stable")
    scale = alt.Scale(domain=[*common, OTHERS], range=[*COLOURS[: len(common)], "#b9bdb8"])
    chart = (
        alt.Chart(table, height=460)
        .mark_circle(size=45, opacity=0.65)
        .encode(
            x=alt.X("x:Q", axis=None),
            y=alt.Y("y:Q", axis=None),
            color=alt.Color(
                "Colour:N",
                title=None,
                scale=scale,
                legend=alt.Legend(orient="bottom", columns=2, labelLimit=260),
            ),
            tooltip=["Id", "Question", "Answer"],
        )
    )
    st.altair_chart(chart, alt="A map of the examples: near ones are alike", key="atlas")
    st.caption(
        f"Each point is an example; near ones are alike. The plane shows {atlas.explained:.0%} of "
        "how they differ, so neighbours are sure and distances are rough. The table has them all."
    )
    st.dataframe(
        table[["Id", "Question", "Answer", "x", "y"]],
        hide_index=True,
        key="atlas-table",
        alt="The examples on the map",
    )
