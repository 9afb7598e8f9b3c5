"""Importing examples from a table: what would be added, and what is wrong, before it is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.examples import Import
from harness_ui import visit
from harness_ui.troubles import show_error
from harness_ui.words import count, plain, short

__all__ = ["show_import"]

IMPORTED = {
    "": "Nothing: leave it out",
    "input": "The question",
    "output": "The answer",
    "why": "Why it is right",
    "source": "Where it is from",
    "tags": "Words for it (tags)",
    "steps": "The steps taken",
    "files": "Files that belong to it",
    "id": "Its id",
    "status": "Its status",
    "author": "Its author",
    "date": "Its date",
}
"""What a column of an imported table may be."""
MOST_MB = 50
"""Of a file with examples."""


def show_import(harness: Harness) -> None:
    """Draw what takes a file in."""
    if not visit.needs("expert"):
        return
    st.write(
        "A table (CSV or Excel) with a row for each case, or a list in YAML or JSON lines. The "
        "columns *input* (the question) and *output* (the answer) are needed; usual names like "
        "*Question* and *Answer* are understood."
    )
    given = st.file_uploader(
        f"File, {MOST_MB} MB at most",
        type=["csv", "xlsx", "jsonl", "yaml", "yml"],
        key="import-file",
        max_upload_size=MOST_MB,
    )
    if given is None:
        return
    data = given.getvalue()
    columns: dict[str, str] = {}
    try:
        found = harness.examples.import_(given.name, data=data)
        if found.unknown:
            columns = _columns(found.unknown)
            found = harness.examples.import_(given.name, data=data, columns=columns)
    except HarnessError as error:
        show_error(error)
        return
    _preview(found)
    near = st.checkbox("Add those that are almost there already, too", key="import-near")
    adding = found.to_add(near=near)
    st.write(f"{count(len(adding), 'example')} would be added, as drafts that wait for review.")
    if st.button("Add them", type="primary", disabled=not adding, key="import-do"):
        try:
            done = harness.examples.import_(
                given.name, data=data, write=True, near=near, columns=columns, by=visit.person()
            )
        except HarnessError as error:
            show_error(error)
            return
        st.session_state["changed"] = (
            f"{count(done.added, 'example')} added to {plain(done.written)}."
        )
        st.rerun()


def _columns(unknown: Sequence[str]) -> dict[str, str]:
    """Ask what the columns are that Harness does not know; return what was said so far."""
    st.write("Say what these columns are:")
    said: dict[str, str] = {}
    for column, name in zip(itertools.cycle(st.columns(3)), unknown, strict=False):
        chosen = column.selectbox(
            name or "(a column without a name)",
            list(IMPORTED),
            index=None,
            key=f"column-{name}",
            format_func=IMPORTED.__getitem__,
            placeholder="Choose",
        )
        if chosen is not None:
            said[name] = chosen
    return said


def _preview(found: Import) -> None:
    """Draw what would be added, and what is wrong with the rest."""
    for name, field in found.columns.items():
        read = f"is read as {IMPORTED[field].lower()}" if field else "is left out"
        if name not in found.unknown:
            st.caption(f"The column {plain(name)} {read}.")
    problems = [one for one in found.problems if one.code != "unknown-column" or not found.unknown]
    for problem in problems[:50]:
        st.error(f"Line {problem.place.line}: {plain(problem.message)}")
    if len(problems) > 50:
        st.error(f"And {count(len(problems) - 50, 'more problem')}.")
    words = {
        "new": "new",
        "near": "almost there already",
        "there": "there already",
        "taken": "its id is another's",
    }
    rows = [
        [
            words[row.verdict],
            row.example.id,
            short(row.example.input, 160),
            short(row.example.output, 80),
            row.near,
            row.example.place.line,
        ]
        for row in found.rows
    ]
    if rows:
        st.dataframe(
            pd.DataFrame(rows, columns=["What", "Id", "Question", "Answer", "Like", "Line"]),
            hide_index=True,
            key="preview",
            alt="What would be added",
        )
