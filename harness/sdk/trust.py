"""Trust in a domain's own tools: what is there, whether the user has said yes to it, saying it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.domain.own_tools import OwnTools, read_own_tools
from harness.errors import DomainInvalid, ServerFailed, ToolsNotTrusted, UsageError
from harness.settings import Settings, find_keys
from harness.tools.servers import Pin, pin_tools
from harness.wiring import make_server, make_trust_file

__all__ = [
    "Trust",
    "look_at",
    "pinned_now",
    "record_trust",
    "trusted",
    "unchanged",
]


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What a user said of a domain's `tools/`.

    Attributes:
        digest: Of the folder as it was then.
        refused: The user said no: runs go on without them.
        host: Functions that may run outside of the sandbox.
        pins: The tools of its MCP servers, as they were then.
        when: ISO 8601, UTC.
    """

    digest: str
    refused: bool = False
    host: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    when: str = ""


def look_at(domain: Path, home: Path, *, keys: Path | None = None) -> tuple[OwnTools, Trust | None]:
    """Return what a domain's `tools/` holds, and what the user last said of it.

    Args:
        domain: Its folder.
        home: The state folder.
        keys: The folder of keys; the user's own by default.
    """
    said = make_trust_file(home, keys or find_keys(Settings())).read(domain)
    return read_own_tools(domain), _trust(said) if said else None


def trusted(domain: Path, home: Path, *, keys: Path | None = None) -> tuple[OwnTools, Trust | None]:
    """Return the tools of a domain that may be offered; nothing where there are none.

    Returns:
        What the folder holds and what was said of it; without trust, where there are no tools or
        the user refused them.

    Raises:
        ToolsNotTrusted: There are tools, and the user has not said yes or no to them as they are.
    """
    own, trust = look_at(domain, home, keys=keys)
    if not own.digest:
        return own, None
    if trust is None or trust.digest != own.digest:
        changed = "have changed since you trusted them" if trust else "have not been trusted"
        raise ToolsNotTrusted(
            f"The tools that {domain.name} brings {changed}, so none of them is started:"
            f" {_listed(own)}.",
            f"Look at them and decide: `harness trust {domain}`; to go on without them:"
            f" `harness trust {domain} --refuse`.",
        )
    return own, None if trust.refused else trust


def _listed(own: OwnTools) -> str:
    named = [f"{one.name} ({one.file})" for one in own.functions]
    named += [f"MCP server {one.name} (tools/mcp.json)" for one in own.servers]
    if len(named) > 8:
        named = [*named[:8], f"and {len(named) - 8} more"]
    return ", ".join(named) or "none that can be used"


def record_trust(
    domain: Path,
    home: Path,
    own: OwnTools,
    *,
    host: Sequence[str] = (),
    pins: Sequence[Pin] = (),
    refused: bool = False,
    keys: Path | None = None,
) -> Trust:
    """Record what the user said of a domain's tools, as they were looked at.

    Args:
        domain: Its folder.
        home: The state folder.
        own: What the user was shown.
        host: Functions that may run outside of the sandbox.
        pins: Of its MCP servers.
        refused: The user said no.
        keys: The folder of keys; the user's own by default.

    Raises:
        UsageError: There is no such function, or there are no tools.
        StateError: It can't be recorded.
    """
    if not own.digest:
        raise UsageError(f"{domain.name} has no tools of its own.", "They stand in tools/.")
    known = {one.name for one in own.functions}
    for name in host:
        if name not in known:
            raise UsageError(
                f"There is no function `{name}` in tools/.",
                f"There are: {', '.join(sorted(known)) or 'none'}.",
            )
    trust = Trust(
        digest=own.digest,
        refused=refused,
        host=tuple(host),
        pins=tuple(pins),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    make_trust_file(home, keys or find_keys(Settings())).write(domain, _said(trust))
    return trust


async def pinned_now(own: OwnTools, domain: Path) -> list[Pin]:
    """Start the MCP servers of a domain once and pin what they offer. Only after a yes.

    Raises:
        ServerFailed: One does not start, or offers what can't be taken.
        DomainInvalid: mcp.json has errors.
    """
    wrong = [one for one in own.problems if one.place.file == "tools/mcp.json"]
    if wrong:
        raise DomainInvalid("tools/mcp.json has errors:", wrong)
    found: list[Pin] = []
    for one in own.servers:
        server = make_server(one, domain.resolve() / "tools")
        try:
            found += pin_tools(one, await server.tools())
        except ServerFailed as error:
            mend = f"Nothing was trusted. Mend `{one.name}` in tools/mcp.json, or take it out."
            raise ServerFailed(error.message, " ".join(filter(None, (error.mend, mend)))) from error
        finally:
            await server.aclose()
    return found


def unchanged(domain: Path, digest: str) -> Callable[[], None]:
    """Return what makes sure, before a program of `tools/` starts, that nothing has changed.

    Args:
        domain: Its folder.
        digest: Of the folder as it was trusted.
    """

    def check() -> None:
        if read_own_tools(domain).digest != digest:
            raise ToolsNotTrusted(
                f"The tools that {domain.name} brings have changed since you trusted them.",
                f"Look at them and decide: `harness trust {domain}`.",
            )

    return check


def _said(trust: Trust) -> dict[str, Any]:
    return {
        "digest": trust.digest,
        "refused": trust.refused,
        "host": list(trust.host),
        "pins": [one.to_json() for one in trust.pins],
        "when": trust.when,
    }


def _trust(said: dict[str, Any]) -> Trust:
    return Trust(
        digest=said["digest"],
        refused=said["refused"],
        host=tuple(said["host"]),
        pins=tuple(map(Pin.of_json, said["pins"])),
        when=said["when"],
    )
