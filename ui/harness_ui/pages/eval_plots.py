"""Scores and differences with their intervals: a picture, and the same figures in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

__all__ = ["Line", "differences", "scores"]

BAND, POINT = "#6ba3ba", "#2f7ba3"
"""Both can be read on a light page and on a dark one."""
ROW, AXIS = 36, 52
"""Pixels that a line takes, and what stands below them."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a picture: a share from 0 to 1, or a difference of shares."""

    name: str
    mean: float
    low: float
    high: float


def scores(lines: Sequence[Line], *, key: str, alt_text: str, of: str = "") -> None:
    """Draw shares from 0 to 100 %.

    Args:
        lines: The shares.
        key: Names the picture on the page.
        alt_text: Says the picture in words.
        of: What a line stands for, as the table's first heading.
    """
    left, right = st.columns([3, 2], vertical_alignment="center", gap="medium")
    axis = alt.Axis(format="%", title=None, tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    with left:
        st.altair_chart(_picture(lines, scale, axis, "x"), alt=alt_text, key=f"plot-{key}")
    shown = [[one.name, *(_percent(x) for x in (one.mean, one.low, one.high))] for one in lines]
    columns = [of or "What", "Right", "At least", "At most"]
    right.dataframe(
        pd.DataFrame(shown, columns=columns),
        hide_index=True,
        key=f"table-{key}",
        alt=f"The figures of the picture: {alt_text}",
    )


def differences(lines: Sequence[Line], *, key: str, alt_text: str) -> None:
    """Draw differences, in points of a hundred, with a line at nought.

    Args:
        lines: Differences of shares.
        key: Names the picture on the page.
        alt_text: Says the picture in words.
    """
    points = [
        Line(name=one.name, mean=100 * one.mean, low=100 * one.low, high=100 * one.high)
        for one in lines
    ]
    reach = max(5.0, *(max(abs(one.low), abs(one.high)) for one in points)) * 1.1
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    axis = alt.Axis(format="+.0f", title=None, tickCount=5)
    left, right = st.columns([3, 2], vertical_alignment="center", gap="medium")
    nought = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color="#888", strokeDash=[4, 3])
    drawn = nought.encode(x="x:Q") + _picture(points, scale, axis, "points")
    with left:
        st.altair_chart(drawn, alt=alt_text, key=f"plot-{key}")
    shown = [[one.name, *(f"{x:+.1f}" for x in (one.mean, one.low, one.high))] for one in points]
    right.dataframe(
        pd.DataFrame(shown, columns=["In points", "Better by", "At least", "At most"]),
        hide_index=True,
        key=f"table-{key}",
        alt=f"The figures of the picture: {alt_text}",
    )


def _picture(lines: Sequence[Line], scale: alt.Scale, axis: alt.Axis, unit: str) -> alt.LayerChart:
    rows = [[one.name, one.low, one.mean, one.high] for one in lines]
    table = pd.DataFrame(rows, columns=["name", "low", "mean", "high"])
    form = ".1%" if unit == "x" else "+.1f"
    tooltip = [
        alt.Tooltip("mean:Q", title="found", format=form),
        alt.Tooltip("low:Q", title="at least", format=form),
        alt.Tooltip("high:Q", title="at most", format=form),
    ]
    y = alt.Y(
        "name:N",
        sort=None,
        title=None,
        axis=alt.Axis(labelLimit=130, ticks=False, domain=False, labelPadding=8),
    )
    base = alt.Chart(table, height=ROW * len(rows) + AXIS).encode(y=y, tooltip=tooltip)
    band = base.mark_rule(strokeWidth=5, color=BAND).encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
    )
    drawn: alt.LayerChart = band + base.mark_point(
        size=150, filled=True, color=POINT, opacity=1
    ).encode(x=alt.X("mean:Q", scale=scale, axis=axis))
    return drawn


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
