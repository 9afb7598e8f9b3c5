"""How often a page looks at work that goes on: often for the first word, then now and then."""

from __future__ import annotations

from harness_ui.desk import desk
from harness_ui.jobs import Asking, Job, Working

__all__ = ["FIRST", "LATER", "looking_words", "waits_for_a_word"]

FIRST = 0.1
"""Seconds between looks until the first word is there: somebody waits for that one.

The part of the page that waits for it is a fragment within the one that looks at the whole work.
To draw the page anew instead, with other looks, may leave it without any: what a look asks for
just then makes Streamlit drop the rest of the page.
"""
LATER = 0.25
"""Seconds between looks at the whole."""
PATIENT = 20.0
"""Seconds after which a model is one that thinks long: looks are rarer again."""


def waits_for_a_word(job: Job | None) -> bool:
    """Say whether the first word of a job is still to come, and soon."""
    return isinstance(job, Asking | Working) and not job.text and job.seconds < PATIENT


def looking_words(job: Asking | Working) -> str:
    """Say what is done before the model is asked."""
    reading = desk().reading(job.domain, job.model)
    return reading or "Looking for the examples that are like your question …"
