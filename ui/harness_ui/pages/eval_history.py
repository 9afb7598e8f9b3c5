"""Eval runs so far: the trend over time, and one run held against another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import altair as alt
import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.evals import EvalRun
from harness.evals.compare import Comparison
from harness_ui import visit
from harness_ui.troubles import show_error
from harness_ui.words import diff_markdown, plain, short

__all__ = ["show_history", "shown_answer"]

MOST = 20
"""Runs that are read for the trend, the newest."""


def show_history(harness: Harness) -> None:
    """Draw the runs that are kept, their trend, and a comparison of two."""
    runs = _kept(harness)
    if not runs:
        return
    st.header("Runs so far", anchor=False)
    table = _table(runs)
    state = st.dataframe(
        table.drop(columns="Low").drop(columns="High"),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="kept-runs",
        column_config={"Right": st.column_config.NumberColumn(format="percent")},
        alt="Eval runs of this domain, newest first",
    )
    rows = state.selection.rows
    if rows and rows[0] < len(runs):
        visit.go("evals", run=runs[rows[0]].run)
    if len(runs) > 1:
        st.altair_chart(_trend(table), alt="Scores over time, with their intervals", key="trend")
        _comparison(harness, runs)


@st.cache_data(show_spinner=False, max_entries=60)
def _loaded(_harness: Harness, home: str, run: str) -> EvalRun:
    """Return a run that is finished, which never changes."""
    del home
    return _harness.evals.load(run)


def _kept(harness: Harness) -> list[EvalRun]:
    found: list[EvalRun] = []
    try:
        ids = [str(row["run"]) for row in harness.evals.runs() if row["finished"]][:MOST]
        found.extend(_loaded(harness, str(harness.home), name) for name in ids)
    except HarnessError as error:
        show_error(error)
    return [run for run in found if run.score.mean is not None]


def _table(runs: list[EvalRun]) -> pd.DataFrame:
    rows = [
        [
            datetime.strptime(run.run[:15], "%Y%m%d-%H%M%S"),  # noqa: DTZ007 -- UTC, as the ids are
            run.split,
            run.model,
            run.score.mean,
            run.score.low,
            run.score.high,
            run.scored,
            run.policy,
            run.run,
        ]
        for run in runs
    ]
    columns = ["When", "Cases", "Model", "Right", "Low", "High", "Scored", "Context", "Id"]
    return pd.DataFrame(rows, columns=columns)


def _trend(table: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(table).encode(
        x=alt.X("When:T", title=None),
        color=alt.Color("Model:N", title=None, legend=alt.Legend(orient="bottom")),
        shape=alt.Shape("Cases:N", title=None, legend=alt.Legend(orient="bottom")),
    )
    scale = alt.Scale(domain=[0, 1])
    interval = base.mark_rule(strokeWidth=2, opacity=0.5).encode(
        y=alt.Y("Low:Q", scale=scale, title=None, axis=alt.Axis(format="%")), y2="High:Q"
    )
    points = base.mark_point(size=90, filled=True).encode(
        y=alt.Y("Right:Q", scale=scale),
        tooltip=["Id", "Model", alt.Tooltip("Right:Q", format=".1%")],
    )
    return alt.LayerChart(layer=[interval, points], height=240)


# --- two of them --------------------------------------------------------------------------------


def _comparison(harness: Harness, runs: list[EvalRun]) -> None:
    st.header("Compare", anchor=False)
    names = {
        run.run: f"{run.run[:13]} · {run.split} · {run.model} · {run.score.mean:.1%}"
        for run in runs
    }
    one, two = st.columns(2)
    ids = list(names)
    first = one.selectbox(
        "Baseline", ids, index=min(1, len(ids) - 1), format_func=names.__getitem__, key="first-run"
    )
    second = two.selectbox("Held against it", ids, format_func=names.__getitem__, key="second-run")
    if first == second:
        st.caption("Choose two runs.")
        return
    by_id = {run.run: run for run in runs}
    try:
        found = harness.evals.compare(by_id[first], by_id[second])
    except HarnessError as error:
        show_error(error)
        return
    _drawn(found)


def _drawn(found: Comparison) -> None:
    st.markdown(f"**{plain(found.sentence)}**")
    for warning in found.warnings:
        st.warning(plain(warning))
    st.caption(
        f"{found.difference.n:,} cases in common · this set could show a difference of "
        f"{100 * found.detectable:.1f} points · {len(found.newly_failing):,} newly failing, "
        f"{len(found.newly_passing):,} newly passing"
    )
    before = {case.id: case for case in found.first.cases}
    after = {case.id: case for case in found.second.cases}
    moved = [(name, "newly failing") for name in found.newly_failing]
    moved += [(name, "newly passing") for name in found.newly_passing]
    if moved:
        _moved(moved, before, after)
    if found.slices:
        st.dataframe(
            pd.DataFrame(
                [[one.tag, one.first, one.second, one.verdict] for one in found.slices],
                columns=["Cases with", "Before", "After", "Verdict"],
            ),
            hide_index=True,
            key="slices",
            column_config={
                name: st.column_config.NumberColumn(format="percent")
                for name in ("Before", "After")
            },
            alt="The comparison by tag",
        )


def _moved(
    moved: list[tuple[str, str]], before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    state = st.dataframe(
        pd.DataFrame(
            [
                [
                    name,
                    what,
                    short(shown_answer(before[name]), 80),
                    short(shown_answer(after[name]), 80),
                ]
                for name, what in moved
            ],
            columns=["Case", "What", "Answer before", "Answer after"],
        ),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="moved",
        alt="Cases that changed, newly failing first",
    )
    rows = state.selection.rows
    if rows and rows[0] < len(moved):
        name = moved[rows[0]][0]
        with st.container(border=True, key="moved-case"):
            st.markdown(f"**{plain(name)}**, what changed in the answer")
            st.markdown(diff_markdown(shown_answer(before[name]), shown_answer(after[name])))


def shown_answer(case: object) -> str:
    """Return the answers of a case, one after another."""
    return "\n".join(getattr(case, "answers", ()))
