"""Harnesses over small domains and over the shipped ones."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from harness import Harness
from harness.testing import HashEmbedder, ProviderServer


@pytest.fixture(scope="session")
def shipped(shipped_home: Path) -> Iterator[Callable[[str], Harness]]:
    """Opens a shipped domain, indexed once for all tests of the session."""
    opened: dict[str, Harness] = {}

    def open_(name: str) -> Harness:
        if name not in opened:
            opened[name] = Harness(name, home=shipped_home)
        return opened[name]

    yield open_
    for harness in opened.values():
        harness.close()


EXAMPLES = """\
id,input,output
e1,I lost my card in Paris,lost_card
e2,My card was stolen last night,lost_card
e3,When will my new card arrive,card_arrival
e4,Where is the card you sent me,card_arrival
e5,I want to top up by cheque,top_up
e6,Can I top up with cash,top_up
"""


@pytest.fixture(scope="session")
def sdk_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder for all tests of this room, so that one bank is indexed once."""
    return tmp_path_factory.mktemp("sdk-home")


@pytest.fixture
def write(write_domain: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a small label domain; the texts of its files may be given by path.

    The folder is named for its examples and cases: those with the same share an index.
    """

    def of(files: Mapping[str, str] | None = None, *, settings: str = "") -> Path:
        own = {
            "domain.yaml": f"answer: {{kind: label, abstain: unclear}}\n{settings}",
            "examples/a.csv": EXAMPLES,
            **(files or {}),
        }
        items = repr({name: text for name, text in own.items() if "/" in name})
        return write_domain(f"small-{zlib.crc32(items.encode()):08x}", **own)

    return of


@pytest.fixture
def opened(write: Callable[..., Path], sdk_home: Path) -> Iterator[Callable[..., Harness]]:
    """Opens a small domain over a quick embedder; all are closed at the end."""
    harnesses: list[Harness] = []

    def open_(folder: Path | None = None, *, settings: str = "", **how: object) -> Harness:
        how.setdefault("embedder", HashEmbedder())
        how.setdefault("home", sdk_home)
        harness = Harness(folder or write(settings=settings), **how)  # type: ignore[arg-type]
        harnesses.append(harness)
        return harness

    yield open_
    for harness in harnesses:
        harness.close()


@pytest.fixture
def provider(
    monkeypatch: pytest.MonkeyPatch, few_authorities: Path
) -> Iterator[Callable[..., ProviderServer]]:
    """Starts a provider on loopback that the clients' environment variables point to."""
    monkeypatch.setenv("SSL_CERT_FILE", str(few_authorities))
    servers: list[ProviderServer] = []

    def start(script: object) -> ProviderServer:
        server = ProviderServer(script)  # type: ignore[arg-type]
        server.__enter__()
        servers.append(server)
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        return server

    yield start
    for server in servers:
        server.__exit__(None, None, None)
