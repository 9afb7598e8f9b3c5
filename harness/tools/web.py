"""The kit `web`: pages of hosts that the domain lists, and of no other, whatever redirects say.

Each address on the way is checked again, and the connection goes to the very address that was
looked up: a listed name can't lead into the local network, unless the local address is listed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from harness.errors import ToolError, WorkspaceError
from harness.tools.texts import PlainText, pieces_of

if TYPE_CHECKING:
    import httpx
    from langchain_core.tools import BaseTool

__all__ = ["AllowedHosts", "web_tools"]

MOST_BYTES = 10 << 20
MOST_CHARACTERS = 30_000
MOST_REDIRECTS = 5
SECONDS = 30.0
TIMEOUT = 120.0
_ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
_TEXTS = ("text/", "application/json", "application/xml", "application/ld+json")


@dataclass(frozen=True)
class AllowedHosts:
    """The hosts of `web.hosts` in domain.yaml.

    Attributes:
        entries: `example.org`, `*.example.org`, `example.org:8443`, `http://example.org`.
    """

    entries: Sequence[str]

    def check(self, url: str) -> None:
        """Make sure that an address may be fetched.

        Raises:
            ToolError: It may not.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ToolError(f"This is no address: {error}.") from error
        host = (parts.hostname or "").rstrip(".").lower()
        if parts.scheme not in ("http", "https") or not host:
            raise ToolError("Only addresses that begin with https:// can be fetched.")
        if parts.username or parts.password:
            raise ToolError("The address has a name or a password in it, so it is not fetched.")
        if not any(_fits(entry, parts.scheme, host, port) for entry in self.entries):
            listed = ", ".join(self.entries) or "none"
            raise ToolError(
                f"{host} is not among the hosts of this domain.", f"There are: {listed}."
            )

    def names_address(self, host: str) -> bool:
        """Whether an address, or this machine, is listed as such: it may then be a local one."""
        named = {_parts(entry)[1] for entry in self.entries}
        return host in named and (host == "localhost" or _is_address(host))


def _parts(entry: str) -> tuple[str, str, int | None]:
    scheme, _, rest = entry.strip().lower().rpartition("://")
    parts = urlsplit(f"//{rest}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    return scheme or "https", (parts.hostname or "").rstrip("."), port


def _fits(entry: str, scheme: str, host: str, port: int | None) -> bool:
    wanted, name, at = _parts(entry)
    if scheme != wanted or (at is not None and at != port):
        return False
    if at is None and port not in (None, 443 if scheme == "https" else 80):
        return False
    if name.startswith("*."):
        return host.endswith(name[1:]) and host != name[2:]
    return bool(name) and host == name


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def web_tools(hosts: Sequence[str]) -> list[BaseTool]:
    """Return `fetch_page` for the hosts that a domain lists.

    Raises:
        ToolError: It lists none.
    """
    from langchain_core.tools import StructuredTool

    allowed = AllowedHosts(tuple(hosts))
    if not allowed.entries:
        raise ToolError(
            "The kit `web` needs hosts that it may fetch from.",
            "List them in domain.yaml: `web: {hosts: [www.example.org]}`.",
        )

    async def fetch_page(url: str, start: int = 0) -> str:
        """Fetch a page or document from the web as text. Only a few hosts are allowed.

        Args:
            url: The whole address, https:// and all.
            start: Where to go on in a long text: the number that the last answer gave.
        """
        kind, content, final = await _fetched(url, allowed)
        return _stretch(_text(final, kind, content), final, start)

    listed = ", ".join(allowed.entries)
    tool = StructuredTool.from_function(
        coroutine=fetch_page,
        parse_docstring=True,
        metadata={"effect": "read", "idempotent": True, "timeout": TIMEOUT},
    )
    tool.description = f"{tool.description}\n\nHosts: {listed}"
    return [tool]


async def _fetched(url: str, allowed: AllowedHosts) -> tuple[str, bytes, str]:
    """Return the type of a page, its bytes, and the address that it came from in the end."""
    import httpx

    async with httpx.AsyncClient(
        timeout=SECONDS, follow_redirects=False, trust_env=False, cookies=None
    ) as client:
        for _ in range(MOST_REDIRECTS + 1):
            allowed.check(url)
            try:
                async with _request(client, url, await _address(url, allowed)) as response:
                    if response.is_redirect:
                        url = urljoin(url, response.headers.get("location", ""))
                        continue
                    if response.status_code >= 400:
                        raise ToolError(f"{url} answered with status {response.status_code}.")
                    return _kind(response), await _body(response), url
            except httpx.HTTPError as error:
                why = str(error) or type(error).__name__
                raise ToolError(f"{url} can't be fetched: {why}.") from error
    raise ToolError(f"{url} redirects too often.")


async def _address(url: str, allowed: AllowedHosts) -> str:
    """Return the address that a host's name stands for, if it is one of the open internet."""
    import anyio

    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ToolError(f"There is no host {host}: {error.strerror or error}.") from error
    addresses = [str(one[4][0]) for one in found]
    if allowed.names_address(host.lower()):
        return addresses[0]
    local = [one for one in addresses if not ipaddress.ip_address(one.split("%")[0]).is_global]
    if local:
        raise ToolError(f"{host} leads to {local[0]}, which is not on the open internet.")
    return addresses[0]


def _request(client: httpx.AsyncClient, url: str, address: str) -> Any:
    """Return a request that goes to an address, in the name of a host."""
    import httpx

    given = httpx.URL(url)
    return client.stream(
        "GET",
        given.copy_with(host=address),
        headers={
            "Host": given.netloc.decode("ascii"),
            "User-Agent": "domain-harness",
            "Accept": "text/html,application/pdf,text/*;q=0.9,*/*;q=0.1",
        },
        extensions={"sni_hostname": given.host},
    )


def _kind(response: httpx.Response) -> str:
    kind = str(response.headers.get("content-type", "text/plain")).partition(";")[0]
    kind = kind.strip().lower()
    if kind not in _ENDINGS and not kind.startswith(_TEXTS):
        raise ToolError(f"This is {kind}, of which there is no text to read.")
    return kind


async def _body(response: httpx.Response) -> bytes:
    found = bytearray()
    async for piece in response.aiter_bytes():
        found += piece
        if len(found) > MOST_BYTES:
            raise ToolError(f"The page has more than {MOST_BYTES >> 20} MB.")
    return bytes(found)


def _text(url: str, kind: str, content: bytes) -> str:
    ending = _ENDINGS.get(kind)
    name = urlsplit(url).path.rpartition("/")[2] or "page"
    try:
        if ending is None:
            return PlainText.of(name, content).text
        if not name.endswith(ending):
            name += ending
        pieces = pieces_of(name, content)
    except WorkspaceError as error:
        raise ToolError(error.message, error.mend) from error
    return "\n\n".join(f"[{one.where}]\n{one.text}" if one.where else one.text for one in pieces)


def _stretch(text: str, url: str, start: int) -> str:
    if start < 0 or start > len(text):
        raise ToolError(f"start={start}: the text has {len(text):,} characters.")
    part = text[start : start + MOST_CHARACTERS]
    head = f"[{url}, {len(text):,} characters"
    left = len(text) - start - len(part)
    if start or left:
        head += f"; these are {start:,} to {start + len(part):,}"
    if left:
        head += f"; go on with start={start + len(part)}"
    return f"{head}]\n{part}"
