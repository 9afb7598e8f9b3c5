"""Fixtures for all tests: no live network, a state folder of one's own, small real domains."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from harness.testing import ban_live_models

ROOT = Path(__file__).parents[1]

SHARED = ("shipped_home", "served", "benchmarked", "large")
"""Fixtures that take long to make; tests that use one run in one process: it is made once."""

# A slow machine is no failure: no test here is timed. `make test` takes the same samples each
# time; `make soak` takes new ones, and more.
settings.register_profile("sampled", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("soak", deadline=None)
settings.load_profile("soak" if os.environ.get("HARNESS_SOAK") else "sampled")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one shared fixture together, and begin with what takes longest."""
    for item in items:
        for name in SHARED:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(name))
                break
    items.sort(key=lambda item: not (_has(item, "xdist_group") or _has(item, "soak")))


def _has(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


@pytest.fixture(autouse=True)
def _own_world(
    tmp_path: Path, keys_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """No live models, no keys, no settings of this machine; state in the test's own folder."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HARNESS_KEYS", str(keys_folder))
    with ban_live_models():
        yield


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of all runs of the session: what shares a state folder shares them, too."""
    return tmp_path_factory.getbasetemp().parent / "shared-keys"


@pytest.fixture(scope="session")
def shipped_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder that all tests of the session share: a shipped domain is indexed once."""
    return tmp_path_factory.getbasetemp().parent / "shipped-home"


@pytest.fixture
def write_domain(tmp_path: Path) -> Callable[..., Path]:
    """Write a domain folder from texts by file name; SKILL.md is there unless given."""

    def write(name: str = "small", **files: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "SKILL.md").write_text(
            f"---\nname: {name}\ndescription: A small domain for tests.\n---\nBe exact.\n", "utf-8"
        )
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def few_authorities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one certificate: clients load all that SSL_CERT_FILE names, slowly."""
    import certifi

    end = "-----END CERTIFICATE-----"
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("tls") / "authorities.pem"
    file.write_text(bundle[: bundle.index(end) + len(end)] + "\n", encoding="utf-8")
    return file
