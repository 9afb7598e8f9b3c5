"""Pages of listed hosts, on a server of our own; nothing leads elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from harness.errors import ToolError
from harness.tools.web import MOST_CHARACTERS, AllowedHosts, web_tools

PAGES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/page": (200, {"Content-Type": "text/html; charset=utf-8"},
              "<html><head><title>T</title><script>evil()</script></head><body><h1>Fees</h1>"
              "<p>Twelve € a year.</p></body></html>".encode()),
    "/plain": (200, {"Content-Type": "text/plain"}, b"plain words"),
    "/long": (200, {"Content-Type": "text/plain"}, b"word " * 10_000),
    "/picture": (200, {"Content-Type": "image/png"}, b"\x89PNG"),
    "/missing": (404, {"Content-Type": "text/html"}, b"no"),
    "/moved": (302, {"Location": "/plain"}, b""),
    "/away": (302, {"Location": "http://169.254.169.254/latest"}, b""),
    "/round": (302, {"Location": "/round"}, b""),
    "/huge": (200, {"Content-Type": "text/plain"}, b"x" * (11 << 20)),
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers["Host"])
        status, headers, body = PAGES[self.path]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def fetch(hosts: list[str], url: str, **more: Any) -> str:
    (tool,) = web_tools(hosts)
    return str(asyncio.run(tool.ainvoke({"url": url, **more})))


def test_a_page_comes_as_text_with_its_address(server: str):
    text = fetch([f"http://{server}"], f"http://{server}/page")
    assert text.startswith(f"[http://{server}/page, ")
    assert "Twelve € a year." in text
    assert "evil" not in text
    assert Handler.asked[-1] == server


def test_a_long_text_comes_in_stretches(server: str):
    first = fetch([f"http://{server}"], f"http://{server}/long")
    assert f"go on with start={MOST_CHARACTERS}" in first
    rest = fetch([f"http://{server}"], f"http://{server}/long", start=MOST_CHARACTERS)
    assert rest.endswith("word ")
    with pytest.raises(ToolError, match="50,000 characters"):
        fetch([f"http://{server}"], f"http://{server}/long", start=60_000)


def test_a_redirect_is_followed_only_to_a_listed_host(server: str):
    assert "plain words" in fetch([f"http://{server}"], f"http://{server}/moved")
    with pytest.raises(ToolError, match=r"169\.254\.169\.254 is not among"):
        fetch([f"http://{server}"], f"http://{server}/away")
    with pytest.raises(ToolError, match="too often"):
        fetch([f"http://{server}"], f"http://{server}/round")


@pytest.mark.parametrize(
    ("path", "says"), [("/missing", "404"), ("/picture", "image/png"), ("/huge", "10 MB")]
)
def test_what_can_not_be_read_is_said(server: str, path: str, says: str):
    with pytest.raises(ToolError, match=says):
        fetch([f"http://{server}"], f"http://{server}{path}")


def test_a_listed_name_can_not_lead_into_the_local_network(server: str, monkeypatch):
    port = server.partition(":")[2]

    async def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", ("10.0.0.7", port))]

    monkeypatch.setattr("anyio.getaddrinfo", lookup)
    with pytest.raises(ToolError, match="not on the open internet"):
        fetch([f"http://intranet.example:{port}"], f"http://intranet.example:{port}/page")


def test_no_host_no_answer(monkeypatch):
    with pytest.raises(ToolError, match="can't be fetched"):
        fetch(["http://127.0.0.1:9"], "http://127.0.0.1:9/")

    async def lookup(*_: Any, **__: Any) -> list[Any]:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("anyio.getaddrinfo", lookup)
    with pytest.raises(ToolError, match="There is no host nowhere"):
        fetch(["nowhere.invalid"], "https://nowhere.invalid/")


@pytest.mark.parametrize(
    ("entries", "url", "fits"),
    [
        (["example.org"], "https://example.org/a?b=c", True),
        (["example.org"], "https://EXAMPLE.org./", True),
        (["example.org"], "http://example.org/", False),
        (["http://example.org"], "http://example.org/", True),
        (["example.org"], "https://example.org:8443/", False),
        (["example.org:8443"], "https://example.org:8443/", True),
        (["example.org"], "https://www.example.org/", False),
        (["*.example.org"], "https://www.example.org/", True),
        (["*.example.org"], "https://example.org/", False),
        (["*.example.org"], "https://evilexample.org/", False),
        (["example.org"], "https://example.org.evil.net/", False),
        (["example.org"], "https://example.org@evil.net/", False),
        (["example.org"], "https://user:pass@example.org/", False),
        (["example.org"], "file:///etc/passwd", False),
        (["example.org"], "https://[::1/", False),
        (["example.org"], "https://evil.net\\@example.org/", False),
        ([""], "https:///", False),
    ],
)
def test_which_addresses_are_listed(entries: list[str], url: str, fits: bool):
    if fits:
        AllowedHosts(entries).check(url)
    else:
        with pytest.raises(ToolError):
            AllowedHosts(entries).check(url)
