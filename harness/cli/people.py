"""`harness people …`: who may do what in the web app, where people sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.options import AsJson, Home, print_json

__all__ = ["people"]

people = typer.Typer(
    name="people",
    help="Say who may do what in the web app, where people sign in.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@people.command("list")
def list_people(as_json: AsJson = False, home: Home = None) -> None:
    """List the roles, by domain and person."""
    from harness.sdk.people import People
    from harness.settings import Settings, find_home

    roles = People(find_home(Settings({"home": home}))).all()
    if as_json:
        print_json(roles)
        return
    for domain, named in roles.items():
        for who, role in named.items():
            print(f"{domain:<24} {role:<9} {who}")
    if not roles:
        print("Nobody has a role. `harness people grant --domain '*' NAME admin` gives the first.")


@people.command("grant")
def grant(
    who: Annotated[
        str, typer.Argument(metavar="PERSON", help="E-mail address; * is everybody who signs in.")
    ],
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE", help="reader, expert, reviewer or admin; nobody takes it away."
        ),
    ],
    domain: Annotated[
        str, typer.Option(metavar="NAME", help="In this domain alone; * is all of them.")
    ] = "*",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Give a person a role: reader, expert, reviewer or admin.

    A reader asks, an expert corrects, a reviewer accepts, an admin changes settings and people.
    """
    from harness.sdk.examples import current_user
    from harness.sdk.people import People, as_role
    from harness.settings import Settings, find_home

    found = People(find_home(Settings({"home": home})))
    found.grant(domain, who, as_role(role), by=current_user())
    if as_json:
        print_json(found.all())
    else:
        print(f"{who} is now {role} in {'every domain' if domain == '*' else domain}.")
