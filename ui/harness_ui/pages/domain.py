"""Domain: its health, settings, instructions and files; new ones from a template."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.sdk import bundled_domains
from harness.sdk.doctor import examine
from harness.sdk.people import ALL
from harness.sdk.start import start_domain
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.pages.domain_settings import show_settings
from harness_ui.troubles import show_error
from harness_ui.words import count, plain

__all__ = ["show"]

TEXTS = {
    "Instructions": "SKILL.md",
    "Rules": "rules.yaml",
    "Rubrics": "rubrics.yaml",
    "Settings as text": "domain.yaml",
}
TEMPLATES = {
    "labels": "each case gets one of a few labels",
    "calculations": "the answer is a number",
    "documents": "questions on documents",
    "blank": "nothing but the files",
}


def show() -> None:
    """Draw the page."""
    st.title("Domain", anchor=False)
    if said := st.session_state.pop("domain-said", None):
        st.success(said)
    views: dict[str, Any] = {
        "Health": _health,
        "Settings": show_settings,
        "Texts": _texts,
        "Files": _files,
        "History": _history,
        "New domain": _new,
    }
    chosen = st.segmented_control(
        "Show",
        list(views),
        default="Health",
        required=True,
        key="domain-view",
        label_visibility="collapsed",
    )
    if chosen == "New domain" or not visit.current():
        _new(None)
        return
    harness = visit.opened()
    if harness is not None:
        views[chosen or "Health"](harness)


def _health(harness: Harness) -> None:
    try:
        problems = harness.lint()
    except HarnessError as error:
        show_error(error)
        return
    errors = [one for one in problems if one.severity == "error"]
    if errors:
        st.error(f"{count(len(errors), 'error')}: until they are mended, nothing is answered here.")
    elif problems:
        st.warning(f"No errors, and {count(len(problems), 'warning')}. It can be used.")
    else:
        st.success("No errors and no warnings.")
    if problems:
        st.dataframe(
            pd.DataFrame(
                [
                    [one.severity, one.place.file, one.place.line, one.message]
                    for one in sorted(problems, key=lambda one: one.severity)
                ],
                columns=["What", "File", "Line", "What is wrong, and how to mend it"],
            ),
            hide_index=True,
            key="problems",
            row_height=76,  # else all but the beginning of a sentence is hidden
            column_config={
                "What is wrong, and how to mend it": st.column_config.TextColumn(width="large")
            },
            alt="What is wrong in this domain",
        )
    domain = harness.examples.domain
    numbers = {
        "Examples in use": sum(one.status == "approved" for one in domain.examples),
        "Drafts": sum(one.status == "draft" for one in domain.examples),
        "Test cases": len(domain.cases),
        "Passages": len(domain.passages),
    }
    for column, (name, number) in zip(st.columns(len(numbers)), numbers.items(), strict=True):
        column.metric(name, f"{number:,}")
    st.header("This machine", anchor=False)
    if not st.button("Examine it", key="doctor", help="Takes a few seconds"):
        return
    marks = {"ok": "works", "absent": "not there", "broken": "broken"}
    st.dataframe(
        pd.DataFrame(
            [
                [marks[one.verdict], one.what, one.detail, one.mend]
                for one in examine(desk().settings)
            ],
            columns=["How it is", "What", "Found", "How to mend it"],
        ),
        hide_index=True,
        key="findings",
        alt="What works on this machine",
    )


# --- texts and files ----------------------------------------------------------------------------


def _texts(harness: Harness) -> None:
    title = st.selectbox("Which text", list(TEXTS), key="which-text")
    name = TEXTS[title]
    try:
        text = harness.files.read(name)
    except HarnessError as error:
        show_error(error)
        return
    key = f"text-{visit.current()}-{name}"
    if st.session_state.get(f"{key}-seen") is None:
        st.session_state[f"{key}-seen"] = text
    seen = st.session_state[f"{key}-seen"]
    if seen != text:
        st.warning(
            f"{name} was changed on disk while you had it open. Your text is still here; "
            "*Take theirs* shows what it says now."
        )
        if st.button("Take theirs", key="theirs"):
            st.session_state[f"{key}-seen"] = text
            st.session_state[key] = text
            st.rerun()
    if key not in st.session_state:
        st.session_state[key] = text
    written = st.text_area(name, key=key, height=420)
    problems = harness.files.check(name, written)
    lines = written.split("\n")
    for problem in problems:
        at = problem.place.line
        line = lines[at - 1] if 0 < at <= len(lines) else ""
        tell = st.error if problem.severity == "error" else st.warning
        tell(f"Line {at}: {plain(problem.message)}")
        if line.strip():
            st.code(f"{at:>4}  {line}", language=None)
    if st.button(
        "Save",
        type="primary",
        key="save-text",
        disabled=not visit.may("admin") or written == text,
    ):
        try:
            harness.files.save(name, written, seen=seen, by=visit.person())
        except HarnessError as error:
            show_error(error)
            return
        st.session_state[f"{key}-seen"] = harness.files.read(name)
        st.session_state["domain-said"] = f"{name} is saved."
        st.rerun()


def _files(harness: Harness) -> None:
    found = harness.files.list()
    st.caption(plain(str(harness.files.folder)))
    st.dataframe(
        pd.DataFrame(
            [
                [
                    one.name,
                    f"{one.size / 1000:,.1f} kB",
                    datetime.datetime.fromtimestamp(one.changed, datetime.UTC),
                ]
                for one in found
            ],
            columns=["File", "Size", "Changed"],
        ),
        hide_index=True,
        key="files",
        column_config={"Changed": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
        alt="The files of this domain",
    )


def _history(harness: Harness) -> None:
    changes = harness.files.history()
    if not changes:
        st.info("The folder is not kept in git, so there is no history beside what People shows.")
        return
    st.dataframe(
        pd.DataFrame(
            [[one.date, one.author, one.subject, one.commit] for one in changes],
            columns=["Date", "Who", "What", "Commit"],
        ),
        hide_index=True,
        key="history",
        alt="Changes of this domain",
    )


# --- new ----------------------------------------------------------------------------------------


def _new(harness: Harness | None) -> None:
    del harness
    if not visit.may("admin", ALL):
        st.info("A new domain is made by somebody who is administrator of all domains.")
        return
    st.write(f"A new domain is a folder in {plain(str(desk().here))}.")
    name = st.text_input(
        "Name", key="new-name", placeholder="claims-desk", help="a-z, 0-9, hyphens"
    )
    ways = [f"template: {one}" for one in TEMPLATES] + [
        f"copy of {one}" for one in bundled_domains()
    ]
    way = st.selectbox(
        "Begin with",
        ways,
        key="new-way",
        format_func=lambda one: f"{one} ({TEMPLATES[one[10:]]})" if one[10:] in TEMPLATES else one,
    )
    if not st.button("Make it", type="primary", key="new-do", disabled=not name.strip()):
        return
    template: Any = way[10:] if way.startswith("template: ") else None
    source = None if template else way.removeprefix("copy of ")
    try:
        path, files = start_domain(
            name.strip(), folder=desk().here, template=template, source=source
        )
    except HarnessError as error:
        show_error(error)
        return
    st.session_state["domain-said"] = f"Made {plain(path.name)} with {len(files)} files."
    st.query_params["domain"] = path.name
    st.session_state.pop("_domain", None)
    st.rerun()
