"""Eval runs so far: the trend over time, and one run held against another."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import altair as alt
import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.evals import EvalRun
from harness.evals.compare import Comparison
from harness_ui import visit
from harness_ui.pages.eval_plots import Line, differences, scores
from harness_ui.troubles import show_error
from harness_ui.words import diff_markdown, plain, short

__all__ = ["show_history", "shown_answer"]

GREY = "#888888"
"""Can be seen on a light page and on a dark one."""
MOST = 20
"""Runs that are read for the trend, the newest."""


def show_history(harness: Harness) -> None:
    """Draw the runs that are kept, their trend, and a comparison of two."""
    runs = _kept(harness)
    if not runs:
        return
    st.header("Runs so far", anchor=False)
    table = _table(runs)
    shown = table.copy()
    for name in ("Right", "At least", "At most"):
        shown[name] = [f"{100 * share:.1f} %" for share in table[name]]
    state = st.dataframe(
        shown,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="kept-runs",
        column_config={
            "When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
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
    columns = ["When", "Cases", "Model", "Right", "At least", "At most", "Scored", "Context", "Id"]
    return pd.DataFrame(rows, columns=columns)


def _trend(table: pd.DataFrame) -> alt.LayerChart:
    form = "%H:%M" if _within_a_day(table) else "%d %b"
    colours = alt.Scale(range=["#2f7ba3", "#c2641a", "#3a8f5a", "#a0528f", "#8a7a2a"])
    base = alt.Chart(table, height=260).encode(
        x=alt.X("When:T", title=None, axis=alt.Axis(format=form, tickCount=6, labelOverlap=True)),
        color=alt.Color(
            "Model:N", title=None, scale=colours, legend=alt.Legend(orient="bottom", labelLimit=260)
        ),
        tooltip=["Id", "Model", "Cases", alt.Tooltip("Right:Q", format=".1%")],
    )
    scale = alt.Scale(domain=[0, 1])
    interval = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        y=alt.Y("At least:Q", scale=scale, title=None, axis=alt.Axis(format="%")), y2="At most:Q"
    )
    points = base.mark_point(size=110, filled=True, opacity=1).encode(
        y=alt.Y("Right:Q", scale=scale),
        shape=alt.Shape(
            "Cases:N",
            title=None,
            legend=alt.Legend(orient="bottom", symbolFillColor=GREY, symbolStrokeColor=GREY),
        ),
    )
    return alt.LayerChart(layer=[interval, points])


def _within_a_day(table: pd.DataFrame) -> bool:
    return bool(table["When"].max() - table["When"].min() < timedelta(days=1))


# --- two of them --------------------------------------------------------------------------------


def _comparison(harness: Harness, runs: list[EvalRun]) -> None:
    st.header("Compare", anchor=False)
    names = _names(runs)
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
    _drawn(harness, found)


def _names(runs: list[EvalRun]) -> dict[str, str]:
    """Return what to call each run: no two alike, for a choice comes back as the name alone."""
    names = {
        run.run: f"{run.run[:15]} · {run.split} · {run.model} · {run.score.mean:.1%}"
        for run in runs
    }
    often = Counter(names.values())
    return {
        run: name if often[name] == 1 else f"{name} · {run[16:]}" for run, name in names.items()
    }


def _drawn(harness: Harness, found: Comparison) -> None:
    st.markdown(f"**{plain(found.sentence)}**")
    for warning in found.warnings:
        st.warning(plain(warning))
    st.caption(
        f"{found.difference.n:,} cases in common · this set could show a difference of "
        f"{100 * found.detectable:.1f} points · {len(found.newly_failing):,} newly failing, "
        f"{len(found.newly_passing):,} newly passing"
    )
    _pictures(harness, found)
    before = {case.id: case for case in found.first.cases}
    after = {case.id: case for case in found.second.cases}
    moved = [(name, "newly failing") for name in found.newly_failing]
    moved += [(name, "newly passing") for name in found.newly_passing]
    if moved:
        _moved(moved, before, after)
    if found.slices:
        _slices(found)


def _slices(found: Comparison) -> None:
    rows = [
        [
            one.tag,
            one.difference.n,
            one.first,
            one.second,
            f"{100 * one.difference.mean:+.1f} "
            f"({100 * one.difference.low:+.1f} to {100 * one.difference.high:+.1f})",
            one.verdict,
        ]
        for one in found.slices
    ]
    st.markdown("**By tag**")
    columns = ["Cases with", "Cases", "Before", "After", "Points, with interval", "Verdict"]
    st.dataframe(
        pd.DataFrame(rows, columns=columns),
        hide_index=True,
        key="slices",
        column_config={
            name: st.column_config.NumberColumn(format="percent") for name in ("Before", "After")
        },
        alt="The comparison by tag",
    )


def _pictures(harness: Harness, found: Comparison) -> None:
    """Draw each run's interval and the difference's, each with its figures in a table."""
    both = zip(("Baseline", "Held against it"), harness.evals.shared_scores(found), strict=True)
    lines = [
        Line(name=name, mean=score.mean, low=score.low, high=score.high)
        for name, score in both
        if score.mean is not None and score.low is not None and score.high is not None
    ]
    if lines:
        scores(lines, key="both", alt_text="The scores of both runs with their intervals", of="Run")
    one = found.difference
    line = Line(name="Difference", mean=one.mean, low=one.low, high=one.high)
    differences([line], key="difference", alt_text=f"The difference: {found.sentence}")
    st.caption(
        "Whether one is better is told by the difference, case by case: bars of two runs may "
        "overlap, and one be better all the same."
    )


def _moved(
    moved: list[tuple[str, str]], before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    rows = [
        [
            name,
            what,
            short(shown_expected(after[name]), 60),
            short(shown_answer(before[name]), 60),
            short(shown_answer(after[name]), 60),
        ]
        for name, what in moved
    ]
    columns = ["Case", "What", "Expected", "Answer before", "Answer after"]
    st.caption("Choose a case to see its answers whole.")
    state = st.dataframe(
        pd.DataFrame(rows, columns=columns),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="moved",
        alt="Cases that changed, newly failing first",
    )
    chosen = state.selection.rows
    if chosen and chosen[0] < len(moved):
        name, what = moved[chosen[0]]
        _whole(name, what, before[name], after[name])


def _whole(name: str, what: str, before: object, after: object) -> None:
    """Draw one case: what was expected, and the answers, with what changed."""
    with st.container(border=True, key="moved-case"):
        st.markdown(f"**{plain(name)}**, {what}")
        answer, expected = shown_answer(after), shown_expected(after)
        one, two, three = st.columns(3)
        for column, title, text in (
            (one, "Expected", expected or "by checks alone"),
            (two, "Answer before", shown_answer(before) or "none"),
            (three, "Answer after", answer or "none"),
        ):
            column.caption(title)
            column.markdown(plain(text))
        for check in getattr(after, "checks", ()):
            if check.met is False and check.why:
                st.caption(f"Not met: {plain(check.why)}")
        if expected and answer and expected != answer:
            st.caption("From what was expected to the answer after")
            st.markdown(diff_markdown(expected, answer))
        st.caption("From the answer before to the answer after")
        st.markdown(diff_markdown(shown_answer(before), answer))


def shown_expected(case: object) -> str:
    """Return what was expected, as text; "" where only checks decide."""
    value = getattr(case, "expected", None)
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, indent=1)


def shown_answer(case: object) -> str:
    """Return the answers of a case, one after another."""
    return "\n".join(getattr(case, "answers", ()))
