"""`harness trust`: look at the tools that a domain brings, and say yes or no to them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import AsJson, DomainFolder, Home, print_json
from harness.errors import ToolsNotTrusted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.domain.own_tools import OwnTools
    from harness.sdk.trust import Trust
    from harness.tools.servers import Pin

__all__ = ["trust"]


def trust(
    domain: DomainFolder,
    yes: Annotated[bool, typer.Option("--yes", help="Say yes without being asked.")] = False,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Say no: runs go on without these tools.")
    ] = False,
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A function that may run outside of the sandbox, with your files and network. "
            "May be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Look at the tools that a domain brings; say whether they run.

    Nothing in tools/ is started before; after a change you are asked again. MCP servers are
    started once, so that their tools can be written down as you saw them.
    """
    import asyncio

    from harness.sdk.bundled import find_domain
    from harness.sdk.trust import look_at, pinned_now, record_trust
    from harness.settings import Settings, find_home

    folder = find_domain(domain)
    state = find_home(Settings({"home": home}), folder)
    own, before = look_at(folder, state)
    if not as_json:
        print(_shown(own, before, host or []))
    if not own.digest:
        if as_json:
            print_json(_json(own, None))
        return
    pins: Sequence[Pin] = ()
    if not refuse:
        _sure(yes)
        if own.servers:
            print("Starting the MCP servers once, to write down their tools …", file=sys.stderr)
            pins = asyncio.run(pinned_now(own, folder))
    said = record_trust(folder, state, own, host=host or [], pins=pins, refused=refuse)
    if as_json:
        print_json(_json(own, said))
    elif refuse:
        print("Noted: runs go on without these tools.")
    else:
        print("".join(f"  {pin.name}: {_line(pin.description)}\n" for pin in pins), end="")
        print(f"Trusted as they are now ({own.digest[:12]}). A change asks again.")


def _sure(yes: bool) -> None:
    """Ask, where nobody has said it before.

    Raises:
        ToolsNotTrusted: The answer is no, or there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ToolsNotTrusted(
            "Nothing was trusted: there is nobody to ask.", "Say it with --yes or --refuse."
        )
    print("May they run? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ToolsNotTrusted("Nothing was trusted.", "`--refuse` lets runs go on without them.")


def _shown(own: OwnTools, before: Trust | None, host: Sequence[str]) -> str:
    if not own.digest:
        return "This domain brings no tools of its own."
    lines: list[str] = []
    for one in own.functions:
        where = "outside of the sandbox" if one.name in host else "in the sandbox"
        effect = one.effect or ("external" if one.name in host else "draft")
        lines.append(f"  {one.name}  {where}, effect {effect}  ({one.file}:{one.line})")
        lines.append(f"      {_line(one.about)}")
        if one.name in host and one.secrets:
            lines.append(f"      gets {', '.join(one.secrets)} from your environment")
    for server in own.servers:
        what = " ".join([server.command, *server.args]) if server.command else server.url
        lines.append(f"  MCP server {server.name}: {_line(what)}  (outside of the sandbox)")
    lines += [f"  not offered: {one}" for one in own.problems]
    if before and before.digest == own.digest:
        said = "refused" if before.refused else "trusted"
        lines.append(f"You {said} them as they are on {before.when}.")
    elif before:
        lines.append(f"They have changed since {before.when}.")
    return "\n".join(lines)


def _line(text: str) -> str:
    """Return the first line of a text, with nothing in it that a terminal acts upon."""
    first = next(iter(text.strip().splitlines()), "")
    return "".join(one for one in first if one.isprintable())[:160]


def _json(own: OwnTools, said: Trust | None) -> dict[str, Any]:
    return {
        "digest": own.digest,
        "trusted": bool(said and not said.refused),
        "functions": [
            {"name": one.name, "file": one.file, "line": one.line, "effect": one.effect}
            for one in own.functions
        ],
        "servers": [one.name for one in own.servers],
        "host": list(said.host) if said else [],
        "tools": [pin.name for pin in said.pins] if said else [],
        "problems": [str(one) for one in own.problems],
    }
