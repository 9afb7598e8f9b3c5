"""One person's visit: who they are, which domain they work on, what they may do."""

from __future__ import annotations

from typing import Any, NoReturn

import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.examples import current_user
from harness.sdk.people import ROLES, People, Role
from harness_ui.desk import Desk, desk
from harness_ui.troubles import show_error
from harness_ui.words import plain

__all__ = [
    "choose_domain",
    "current",
    "go",
    "may",
    "needs",
    "opened",
    "person",
    "remember_pages",
    "signed_in",
]


def remember_pages(pages: dict[str, Any]) -> None:
    """Keep the pages by their address, for `go`."""
    st.session_state["_pages"] = pages


def go(page: str, **query: str) -> NoReturn:
    """Turn to another page.

    Args:
        page: Its address.
        **query: What stands behind the question mark; the domain is added.
    """
    st.switch_page(st.session_state["_pages"][page], query_params={"domain": current(), **query})


# --- who ----------------------------------------------------------------------------------------


def sign_in_configured() -> bool:
    """Say whether people sign in here."""
    try:
        return "auth" in st.secrets
    except (FileNotFoundError, KeyError):
        return False
    except Exception:  # no secrets file: Streamlit has an error of its own for it
        return False


def signed_in() -> bool:
    """Say whether somebody is there; ask them to sign in where that is configured."""
    if not sign_in_configured() or st.user.is_logged_in:
        return True
    st.title("Harness")
    st.write("Sign in with your organisation's account to go on.")
    st.button("Sign in", type="primary", on_click=st.login, key="sign-in")
    return False


def person() -> str:
    """Return who is there: their e-mail address, or the user of this machine."""
    if sign_in_configured() and st.user.is_logged_in:
        return str(st.user.get("email") or st.user.get("name") or st.user.get("sub"))
    return current_user()


def may(role: Role, domain: str | None = None) -> bool:
    """Say whether this person has at least that role for a domain, else for the one at hand."""
    if not sign_in_configured():
        return True
    has = People(desk().home).role(current() if domain is None else domain, person())
    return ROLES.index(has) >= ROLES.index(role)


def needs(role: Role) -> bool:
    """Say whether this person may go on; tell them what is missing."""
    if may(role):
        return True
    st.info(
        f"This needs the role **{role}** in {plain(current())}. "
        "An administrator can give it on the People page."
    )
    return False


# --- which domain -------------------------------------------------------------------------------


def choose_domain(shared: Desk) -> None:
    """Let the person choose among the domains; the address remembers it."""
    there = list(shared.domains())
    try:
        names = [name for name in there if may("reader", name)]
    except HarnessError as error:
        show_error(error)
        names = []
    if not names:
        st.session_state["domain"] = ""
        if there:
            st.info("You have no role here yet. Ask an administrator to give you one.")
        else:
            st.info("There is no domain folder here yet. Make one on the Domain page.")
        if sign_in_configured():
            show_account()
        return
    asked = st.query_params.get("domain") or st.session_state.get("domain", "")
    first = names.index(asked) if asked in names else 0
    if st.session_state.get("_domain") not in names:
        st.session_state["_domain"] = names[first]
    if (
        asked in names
        and asked != st.session_state["_domain"]
        and "_chosen" not in st.session_state
    ):
        st.session_state["_domain"] = asked
    st.session_state.pop("_chosen", None)
    st.selectbox("Domain", names, key="_domain", on_change=_chose)
    st.session_state["domain"] = st.session_state["_domain"]
    if st.query_params.get("domain") != st.session_state["domain"]:
        st.query_params["domain"] = st.session_state["domain"]
    if sign_in_configured():
        show_account()


def show_account() -> None:
    """Say who is signed in, and let them sign out."""
    st.caption(plain(person()))
    st.button("Sign out", on_click=st.logout, key="sign-out")


def _chose() -> None:
    st.session_state["_chosen"] = True
    st.query_params.pop("run", None)
    st.query_params.pop("id", None)


def current() -> str:
    """Return the name of the domain at hand."""
    return str(st.session_state.get("domain", ""))


def opened(model: str = "") -> Harness | None:
    """Return the domain at hand, open; None, and it is said why, where that can't be."""
    if not current() or not may("reader"):
        return None  # it is said beside where one chooses
    try:
        return desk().harness(current(), model)
    except HarnessError as error:
        show_error(error)
        return None
