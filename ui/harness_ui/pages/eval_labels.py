"""Labelling: an expert says of a judge's verdicts, one at a time, whether they would say so too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.errors import EvalError
from harness.evals import EvalRun
from harness.sdk.labelling import Agreement, Judged
from harness_ui import visit
from harness_ui.troubles import show_error
from harness_ui.words import count, plain, short

__all__ = ["show_labelling"]

SAYS = {True: "meets it", False: "does not meet it"}


def show_labelling(harness: Harness, run: EvalRun) -> None:
    """Draw the next verdict to label, and how far the judge agrees with the labels so far."""
    if not visit.needs("expert"):
        return
    try:
        verdicts = harness.evals.judged(run.run)
    except HarnessError as error:
        show_error(error)
        return
    if not verdicts:
        st.info("No judge gave a verdict in this run: its cases are graded without one.")
        return
    me = visit.person()
    done = sum(me in one.said for one in verdicts)
    st.write(
        "Say for each answer whether it meets the criterion. What the judge said is shown once "
        "you have. The labels are kept in `labels.csv` of the domain, and tell how far the judge "
        "can be trusted."
    )
    st.progress(done / len(verdicts), f"{done:,} of {count(len(verdicts), 'verdict')} labelled")
    _one(harness, verdicts, me)
    _agreement(harness, run, {one.criterion: one.words for one in verdicts})


def _one(harness: Harness, verdicts: Sequence[Judged], me: str) -> None:
    """Draw the verdict just labelled, else the first without a label."""
    names = {_name(one): one for one in verdicts}
    told = names.get(st.session_state.get("label-told", ""))
    if told is not None and me in told.said:
        _told(told, told.said[me])
        return
    rest = [one for one in verdicts if me not in one.said]
    if not rest:
        st.success("You have labelled them all.")
        return
    one = rest[0]
    _shown(one)
    comment = st.text_input("Why, if you like", key=f"label-why-{_name(one)}")
    with st.container(horizontal=True):
        yes = st.button("It meets it", key="label-yes", type="primary", shortcut="alt+y")
        no = st.button("It does not", key="label-no", shortcut="alt+n")
    if not yes and not no:
        return
    try:
        harness.evals.label(one, met=yes, by=me, comment=comment)
    except HarnessError as error:
        show_error(error)
        return
    st.session_state["label-told"] = _name(one)
    st.rerun()


def _shown(one: Judged) -> None:
    with st.container(border=True, key="to-label"):
        if one.question:
            st.caption(f"The question ({plain(one.case)})")
            st.markdown(plain(one.question))
        if one.expected is not None:
            st.caption("An expert's own answer")
            st.markdown(plain(_text(one.expected)))
        st.caption("The answer")
        st.markdown(plain(one.answer) or "none")
        st.caption("Does the answer meet this?")
        against = " An answer that does this loses points." if one.counts_against else ""
        st.markdown(f"**{plain(one.words)}**{against}")


def _told(one: Judged, mine: bool) -> None:
    _shown(one)
    words = f"You: it {SAYS[mine]}. The judge: it {SAYS[one.met]}."
    (st.success if mine == one.met else st.warning)(words)
    if one.why:
        st.caption(f"The judge's reason: {plain(one.why)}")
    others = [f"{plain(who)}: it {SAYS[met]}" for who, met in one.said.items() if who]
    if len(others) > 1:
        st.caption(" · ".join(others))
    if st.button("Next", key="label-next", type="primary", shortcut="alt+y"):
        st.session_state.pop("label-told")
        st.rerun()


def _agreement(harness: Harness, run: EvalRun, words: Mapping[str, str]) -> None:
    """Draw how far the judge agrees with the labels, where there are any.

    Args:
        harness: The open domain.
        run: The run.
        words: What each criterion asks for, by its id.
    """
    try:
        found = harness.evals.calibrate(run.run)
    except EvalError:
        return  # no label yet
    except HarnessError as error:
        show_error(error)
        return
    overall = found.agreement
    st.markdown(f"**How far the judge agrees**, on {count(overall.n, 'labelled verdict')}")
    rows = [
        ("Where an expert says it meets it, so says the judge", overall.tpr, overall.tpr_interval),
        ("Where an expert says it does not, so says the judge", overall.tnr, overall.tnr_interval),
    ]
    if (fixed := found.corrected) is not None:
        rows.append(("Criteria met, corrected by the labels", fixed.mean, (fixed.low, fixed.high)))
    shown = [
        [f"{100 * mean:.0f} %", f"{100 * low:.0f} % to {100 * high:.0f} %", name]
        for name, mean, (low, high) in rows
        if mean is not None
    ]
    st.dataframe(
        pd.DataFrame(shown, columns=["Found", "With 95 % confidence", "What"]),
        hide_index=True,
        key="agreement",
        alt="How far the judge agrees with the experts",
    )
    _by_criterion(found.by_criterion, words)
    if found.warning:
        st.caption(plain(found.warning))


def _by_criterion(found: Mapping[str, Agreement], words: Mapping[str, str]) -> None:
    rows = [
        [one.kappa, one.n, short(words.get(name, name), 100)]
        for name, one in found.items()
        if one.kappa is not None
    ]
    if not rows:
        return
    st.dataframe(
        pd.DataFrame(rows, columns=["Agreement", "Labels", "Criterion"]),
        hide_index=True,
        key="by-criterion",
        column_config={"Agreement": st.column_config.NumberColumn(format="%.2f")},
        alt="How far the judge agrees with the experts, by criterion",
    )
    st.caption(
        "Agreement is Cohen's kappa: 1 where judge and experts always say the same, 0 where they "
        "do as often as by chance."
    )


def _name(one: Judged) -> str:
    return f"{one.case}/{one.repeat}/{one.criterion}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
