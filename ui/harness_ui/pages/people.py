"""People: who signs in, what each may do, and who did what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from harness import HarnessError
from harness.sdk.people import ALL, ROLES, People, Role
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.troubles import show_error
from harness_ui.words import plain

__all__ = ["show"]

MEANING = {
    "reader": "asks and reads",
    "expert": "asks and corrects",
    "reviewer": "accepts and rejects corrections, too",
    "admin": "changes the domain's settings and people, too",
}


def show() -> None:
    """Draw the page."""
    st.title("People", anchor=False)
    if not visit.sign_in_configured():
        st.write(
            f"You work here as **{plain(visit.person())}**, alone at this machine, and may do "
            "everything. What you change is recorded under that name."
        )
        with st.expander("How others can sign in"):
            st.markdown(
                "Put the details of your organisation's sign-in (OpenID Connect) into "
                "`.streamlit/secrets.toml` beside where the app is started, and start it anew:"
            )
            st.code(_EXAMPLE, language="toml")
    people = People(desk().home)
    try:
        roles = people.all()
    except HarnessError as error:
        show_error(error)
        return
    if visit.sign_in_configured():
        st.write(f"You are signed in as **{plain(visit.person())}**.")
        if not roles or visit.may("reader"):
            _roles(people, roles)
    _record()


def _roles(people: People, roles: dict[str, dict[str, Role]]) -> None:
    rows = [
        {
            "Domain": "all" if where == ALL else where,
            "Person": "everybody" if who == ALL else who,
            "Role": role,
            "Which": MEANING.get(role, ""),
        }
        for where, named in roles.items()
        for who, role in named.items()
    ]
    st.header("Roles", anchor=False)
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="roles", alt="Roles by person")
    else:
        st.info("Nobody has a role yet. `harness people grant` gives the first one.")
    if not visit.may("admin"):
        return
    with st.form("grant"):
        one, two, three = st.columns(3)
        who = one.text_input("E-mail address", key="grant-who")
        where = two.selectbox("Domain", ["all", *desk().domains()], key="grant-where")
        role = three.selectbox("Role", ROLES, index=1, key="grant-role")
        if st.form_submit_button("Give this role", key="grant-do"):
            try:
                people.grant(ALL if where == "all" else where, who, role, by=visit.person())
            except HarnessError as error:
                show_error(error)
                return
            st.rerun()


def _record() -> None:
    harness = visit.opened()
    if harness is None:
        return
    st.header("Who did what", anchor=False)
    records = list(harness.examples.log)[::-1][:500]
    if not records:
        st.write("Nothing was changed here yet.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "When": one.at[:16].replace("T", " "),
                    "Who": one.by,
                    "Did": one.deed,
                    "What": one.id,
                    "Why": one.reason,
                }
                for one in records
            ]
        ),
        hide_index=True,
        key="record",
        alt="Who did what, and when",
    )


_EXAMPLE = """\
[auth]
redirect_uri = "https://your-address/oauth2callback"
cookie_secret = "a long random text"
client_id = "…"
client_secret = "…"
server_metadata_url = "https://login.your-organisation.example/.well-known/openid-configuration"
"""
