"""What a person sees when something is wrong: plain words, and how to mend it."""

from __future__ import annotations

import logging

import streamlit as st

from harness import HarnessError
from harness.errors import DomainInvalid, DomainReadOnly, MissingKey
from harness_ui.words import plain

__all__ = ["show_error", "show_unforeseen", "told"]

logger = logging.getLogger(__name__)


def told(error: HarnessError) -> str:
    """Return an error in words, as Markdown that shows what was written as it was."""
    if isinstance(error, DomainInvalid):
        lines = "\n".join(f"- {plain(str(one))}" for one in error.problems[:20])
        more = len(error.problems) - 20
        return f"{plain(error.message)}\n\n{lines}" + (f"\n- and {more} more" if more > 0 else "")
    return f"{plain(error.message)}  \n{plain(error.mend)}" if error.mend else plain(error.message)


def show_error(error: HarnessError) -> None:
    """Show an error, and what can be done about it here."""
    st.error(told(error))
    if isinstance(error, MissingKey):
        st.info(
            "No key is needed for `baseline:nearest`: choose it under **Model** on the Ask page. "
            "Whoever started this app can set a key in the environment that it runs in."
        )
    if isinstance(error, DomainReadOnly):
        st.info("Make a copy of your own on the **Domain** page, under *New domain*.")


def show_unforeseen(error: Exception) -> bool:
    """Show what no page foresaw: no traceback, and the page stays usable."""
    if isinstance(error, HarnessError):
        show_error(error)
        return True
    logger.error("A page failed: %s", error, exc_info=error)
    st.error(
        f"Something unforeseen went wrong ({plain(type(error).__name__)}: {plain(str(error))}). "
        "Nothing that was saved is lost. Reload the page; if it comes back, please report it."
    )
    return True
