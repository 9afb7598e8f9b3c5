"""The database of journal and evals: durable connections, short transactions, our words for errors.

SQLite runs in WAL mode with `synchronous=FULL`: a commit returns after the log was synced. In
PostgreSQL `synchronous_commit` is switched on for every connection, whatever the server's own
setting. Writing transactions begin with the lock (`BEGIN IMMEDIATE`), so that they wait for one
another instead of failing half-way; reads are single statements.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from harness.adapters.journal_tables import migrate
from harness.errors import HarnessError, JournalFull, JournalLocked, StateError

__all__ = ["Database"]

WRITE = {"journal_write": True}


class Database:
    """A database, made and brought up to date when it is opened.

    Args:
        url: `sqlite:///…` or `postgresql://…`.
        lock_timeout: Seconds to wait for another process before `JournalLocked`.
        migrate: Brings its tables to this program's version, given a connection in a transaction
            that keeps other writers out, and the database's name for messages.
        what: Kept in it, in words.
        mend: What to do when there is no room, in words.

    Raises:
        StateError: It can't be opened, or a newer version of this program wrote it.
    """

    def __init__(
        self,
        url: str | sa.URL,
        *,
        lock_timeout: float = 30.0,
        migrate: Callable[[sa.Connection, str], None] = migrate,
        what: str = "the journal",
        mend: str = "Free some space; what was written before is safe, and the run can go on.",
    ) -> None:
        self.url = _with_driver(url)
        self._what, self._mend = what, mend
        self.where = self.url.database or "" if self.is_sqlite else _as_written(self.url)
        self._timeout = lock_timeout
        with self.errors():
            self.engine = self._make_engine()
        try:
            with self.connect(write=True) as connection, self.writing(connection):
                if not self.is_sqlite:
                    # Two programs that begin at once would both find no tables.
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7205759403792)")
                migrate(connection, self.where)
        except BaseException:
            self.close()
            raise

    @property
    def is_sqlite(self) -> bool:
        """A file, not a server."""
        return self.url.get_backend_name() == "sqlite"

    def connect(self, *, write: bool = False) -> sa.Connection:
        """Return a connection of one's own; the caller closes it.

        Args:
            write: Its transactions take the write lock when they begin.

        Raises:
            StateError: The database can't be reached.
        """
        with self.errors():
            connection = self.engine.connect()
            return connection.execution_options(**WRITE) if write else connection

    @contextmanager
    def writing(self, connection: sa.Connection) -> Iterator[sa.Connection]:
        """All or nothing: commit at the end, roll back on any error.

        Raises:
            JournalFull: No room; nothing was written.
            JournalLocked: Another process did not let go in time.
            StateError: The database failed otherwise.
        """
        with self.errors(), connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """All statements within see the database as of one moment; others go on writing."""
        with self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the database's errors into ours, the file named, no value shown."""
        try:
            yield
        except (exc.DBAPIError, sqlite3.Error, OSError) as error:
            raise self._in_words(error) from error

    def close(self) -> None:
        """Close all connections that nobody uses."""
        self.engine.dispose()

    # --- inside -------------------------------------------------------------------------------

    def _make_engine(self) -> sa.Engine:
        common: dict[str, Any] = {"poolclass": sa.pool.QueuePool, "hide_parameters": True}
        if self.is_sqlite:
            Path(self.where).parent.mkdir(parents=True, exist_ok=True)
            arguments = {"timeout": self._timeout, "check_same_thread": False}
            engine = sa.create_engine(
                self.url, connect_args=arguments, pool_size=4, max_overflow=-1, **common
            )
            sa.event.listen(engine, "connect", self._prepare_sqlite)
            sa.event.listen(engine, "begin", _begin)
            return engine
        engine = sa.create_engine(
            self.url, pool_size=4, max_overflow=-1, pool_pre_ping=True, **common
        )
        sa.event.listen(engine, "connect", self._prepare_postgresql)
        return engine

    def _prepare_sqlite(self, raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # transactions are begun by `_begin`, nowhere else
        deadline = time.monotonic() + self._timeout
        while raw.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                raw.execute("PRAGMA journal_mode = WAL")
            except Exception:
                # SQLite does not wait for the lock here by itself.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")

    def _prepare_postgresql(self, raw: Any, _record: Any) -> None:
        wait = max(1, round(self._timeout * 1000))
        raw.autocommit = True
        raw.execute("SET synchronous_commit = on")
        raw.execute(f"SET lock_timeout = {wait}")
        raw.autocommit = False

    def _in_words(self, error: Exception) -> HarnessError:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        code = getattr(cause, "sqlite_errorname", "") or getattr(cause, "sqlstate", "") or ""
        number = getattr(cause, "errno", None)
        if code.startswith("SQLITE_FULL") or code == "53100" or number == errno.ENOSPC:
            return self._full()
        if code.startswith("SQLITE_IOERR") and self._no_room():
            return self._full()
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or code in ("55P03", "57014"):
            return JournalLocked(
                f"Another process kept {self.where} locked for {self._timeout:g} seconds.",
                "Wait for it or end it, then try again.",
            )
        if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            return StateError(f"{self.where} is damaged.", "Put it back from a backup.")
        said = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        return StateError(f"{self.where} can't be used for {self._what}: {said}.")

    def _full(self) -> JournalFull:
        return JournalFull(
            f"There is no room left for {self._what} in {self.where}.",
            self._mend,
        )

    def _no_room(self) -> bool:
        folder = os.path.dirname(os.path.abspath(self.where))  # noqa: PTH100, PTH120
        return shutil.disk_usage(folder).free < 1 << 20


def _begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("journal_write"):
        raw: Any = connection.connection.driver_connection
        raw.execute("BEGIN IMMEDIATE")


def _as_written(url: sa.URL) -> str:
    """Return a server's URL as its user wrote it, the password hidden."""
    return url.set(drivername=url.get_backend_name()).render_as_string()


def _with_driver(url: str | sa.URL) -> sa.URL:
    """Return the URL with the driver that we ship for.

    Raises:
        StateError: It names another kind of database, or the driver is not installed.
    """
    try:
        told = sa.make_url(url)
    except exc.ArgumentError as error:
        raise StateError("The database's URL can't be read.", _FORMS) from error
    if told.get_backend_name() == "sqlite" and told.database:
        return told
    if told.get_backend_name() not in ("postgresql", "postgres"):
        raise StateError(f"The journal can't be kept in {told.get_backend_name()}.", _FORMS)
    if find_spec("psycopg") is None:
        raise StateError(
            "PostgreSQL needs the package psycopg.", "pip install 'domain-harness[postgresql]'"
        )
    return told.set(drivername="postgresql+psycopg")


_FORMS = "Write sqlite:////folder/harness.db or postgresql://user@host/database."
