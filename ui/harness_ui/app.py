"""The frame of every page: who is there, which domain, where to go."""

from __future__ import annotations

import streamlit as st

from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.pages import ask, correct, domain, evals, examples, people, review, runs

__all__ = ["main"]

STYLE = """<style>
.stButton kbd { color: inherit; opacity: 1; }
button[role="radio"] { color: inherit !important; }
.stMainBlockContainer { padding-top: 3.5rem; max-width: 72rem; }
.st-key-answer { font-size: 1.1rem; }
[data-testid="stFileChip"][aria-invalid="true"] {
  flex-wrap: wrap; width: auto !important; max-width: 100% !important; height: auto !important;
}
[data-testid="stFileChip"] > [role="alert"] {
  position: static !important; width: auto !important; height: auto !important;
  clip: auto !important; clip-path: none !important; margin: 0 !important;
  overflow: visible !important; white-space: normal !important; font-size: 0.85rem;
}
[class*="st-key-source-"] button { text-decoration: underline; }
.st-key-steps { border-left: 3px solid var(--st-border-color, #bbb); padding-left: .9rem; }
</style>"""
"""The little that Streamlit's theme does not say."""


def main() -> None:
    """Draw the page that was asked for."""
    st.set_page_config(page_title="Harness", page_icon="📖", layout="wide")
    pages = [
        st.Page(ask.show, title="Ask", url_path="ask", default=True),
        st.Page(correct.show, title="Correct", url_path="correct"),
        st.Page(review.show, title="Review", url_path="review"),
        st.Page(examples.show, title="Examples", url_path="examples"),
        st.Page(evals.show, title="Evals", url_path="evals"),
        st.Page(runs.show, title="Runs", url_path="runs"),
        st.Page(domain.show, title="Domain", url_path="domain"),
        st.Page(people.show, title="People", url_path="people"),
    ]
    st.html(STYLE)
    visit.remember_pages({page.url_path or "ask": page for page in pages})
    chosen = st.navigation(pages, position="sidebar", expanded=True)
    if not visit.signed_in():
        return
    with st.sidebar:
        visit.choose_domain(desk())
    chosen.run()
