"""How often a page looks at work that goes on: often for the first word, then now and then."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from harness_ui.jobs import Asking, Job, Working

__all__ = ["FIRST", "LATER", "follow", "waits_for_a_word"]

FIRST = 0.1
"""Seconds between looks until the first word is there: somebody waits for that one."""
LATER = 0.25
"""Seconds between looks after it."""
PATIENT = 20.0
"""Seconds after which a model is one that thinks long: looks are rarer again."""


def waits_for_a_word(job: Job | None) -> bool:
    """Say whether the first word of a job is still to come, and soon."""
    return isinstance(job, Asking | Working) and not job.text and job.seconds < PATIENT


def follow(draw: Callable[[str, bool], None], name: str, *, eager: bool) -> None:
    """Draw work in hand again and again.

    Args:
        draw: Draws it, given the name and `eager`. Once nothing is waited for so eagerly any
            more, it draws the whole page anew, which follows with fewer looks.
        name: Of the job.
        eager: Look often.
    """
    st.fragment(draw, run_every=FIRST if eager else LATER)(name, eager)
