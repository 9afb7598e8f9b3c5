"""An answer or a run as a file to take away: Word, PDF, Excel, Markdown."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from harness import Harness, HarnessError
from harness_ui.troubles import show_error
from harness_ui.words import plain

__all__ = ["show_save"]

FORMATS = {"Word": "docx", "PDF": "pdf", "Excel": "xlsx", "Markdown": "md"}


def show_save(
    harness: Harness, what: Any, name: str, *, question: str = "", files: Sequence[Path] = ()
) -> None:
    """Draw what takes an answer away as a file.

    Args:
        harness: The open domain.
        what: An answer, or the id of a run.
        name: Id of the run, for keys and the file's name.
        question: What was asked.
        files: That belonged to the question.
    """
    with st.popover("Save as …"):
        chosen = st.radio("As", list(FORMATS), index=None, key=f"form-{name}", horizontal=True)
        if chosen is None:
            return
        ending = FORMATS[chosen]
        try:
            data, notes = _made(harness, what, ending, question, files)
        except HarnessError as error:
            show_error(error)
            return
        for note in notes:
            st.caption(plain(note))
        st.download_button(
            f"Fetch the {chosen} file",
            data,
            file_name=f"{name}.{ending}",
            key=f"fetch-{name}",
            type="primary",
            on_click="ignore",
        )


def _made(
    harness: Harness, what: Any, ending: str, question: str, files: Sequence[Path]
) -> tuple[bytes, tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"answer.{ending}"
        notes = harness.export(what, path, question=question, files=[str(one) for one in files])
        return path.read_bytes(), notes
