"""Fixtures for all tests: no live network, a state folder of one's own, a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a server of our own, without a database's name, on a socket only we can reach."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        reason = "PostgreSQL is not installed (Debian package postgresql)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    # It refuses to run as root.
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
    who: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid} if user else {}
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def call(name: str, *arguments: str) -> None:
        command = [str(programs[-1].parent / name), "-D", str(folder / "data"), *arguments]
        done = subprocess.run(
            command, check=False, cwd=folder, capture_output=True, text=True, **who
        )
        assert done.returncode == 0, done.stdout + done.stderr

    call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c synchronous_commit=off -c fsync=off"
    call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://postgres@/DATABASE?host={folder}"
    finally:
        call("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_database(postgresql: str) -> Callable[[], str]:
    """Makes a database of one's own on the server and returns its URL; it goes with its server."""
    import sqlalchemy as sa

    def make() -> str:
        name = f"j{secrets.token_hex(6)}"
        url = postgresql.replace("postgresql:", "postgresql+psycopg:")
        engine = sa.create_engine(url.replace("DATABASE", "postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        finally:
            engine.dispose()
        return postgresql.replace("DATABASE", name)

    return make
