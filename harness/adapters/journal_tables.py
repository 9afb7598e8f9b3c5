"""Tables of the journal, and how a database gets them: migrations, each run once and kept for ever.

`events`, `reasoning` and `blobs` take no UPDATE and no DELETE: triggers refuse them. `runs` and
`inbox` hold what changes: a run's head, lease and summary, and which command was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text

from harness.errors import StateError

__all__ = ["BLOBS", "EVENTS", "INBOX", "MIGRATIONS", "REASONING", "RUNS", "migrate", "refuse_newer"]

METADATA = sa.MetaData()

VERSIONS = sa.Table(
    "journal_versions",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("applied", Text, nullable=False),
)

RUNS = sa.Table(
    "runs",
    METADATA,
    Column("run", Text, primary_key=True),
    # The head: the last event, and the signature over it.
    Column("seq", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    # The lease: empty owner, nobody writes.
    Column("owner", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("born", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    # The summary.
    Column("domain", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("goal", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("waiting", Text, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("usd", Text),
    Column("parent", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("erased", BigInteger),
)

EVENTS = sa.Table(
    "events",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("payload", LargeBinary),
    Column("spilled", Text, nullable=False),
    Column("blobs", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

REASONING = sa.Table(
    "reasoning",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

BLOBS = sa.Table(
    "blobs",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

INBOX = sa.Table(
    "inbox",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("taken", Integer),
)

_FIRST = (
    """CREATE TABLE runs (
        run TEXT PRIMARY KEY,
        seq INTEGER NOT NULL, hash {blob} NOT NULL, signature {blob} NOT NULL,
        owner TEXT NOT NULL, host TEXT NOT NULL, boot TEXT NOT NULL, pid INTEGER NOT NULL,
        born BIGINT NOT NULL, beat BIGINT NOT NULL,
        domain TEXT NOT NULL, model TEXT NOT NULL, goal {blob} NOT NULL, state TEXT NOT NULL,
        waiting TEXT NOT NULL, steps INTEGER NOT NULL, tokens BIGINT NOT NULL, usd TEXT,
        parent TEXT NOT NULL, relation TEXT NOT NULL,
        started BIGINT NOT NULL, updated BIGINT NOT NULL, erased BIGINT)""",
    """CREATE TABLE events (
        run TEXT NOT NULL, seq INTEGER NOT NULL, at BIGINT NOT NULL,
        type TEXT NOT NULL, version INTEGER NOT NULL, payload {blob},
        spilled TEXT NOT NULL, blobs TEXT NOT NULL, sealed TEXT NOT NULL,
        previous {blob} NOT NULL, hash {blob} NOT NULL, PRIMARY KEY (run, seq))""",
    """CREATE TABLE reasoning (
        run TEXT NOT NULL, seq INTEGER NOT NULL, payload {blob} NOT NULL,
        PRIMARY KEY (run, seq))""",
    """CREATE TABLE blobs (
        run TEXT NOT NULL, name TEXT NOT NULL, payload {blob} NOT NULL,
        PRIMARY KEY (run, name))""",
    """CREATE TABLE inbox (
        id {serial}, run TEXT NOT NULL, at BIGINT NOT NULL, type TEXT NOT NULL,
        version INTEGER NOT NULL, payload {blob} NOT NULL, taken INTEGER)""",
    "CREATE INDEX inbox_waiting ON inbox (run, id) WHERE taken IS NULL",
    "CREATE INDEX runs_started ON runs (started)",
)
_REFUSE = {
    "sqlite": (
        """CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION {table}_no_{verb}() RETURNS trigger AS
        $$ BEGIN RAISE EXCEPTION '{table} are append-only'; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_{verb}()""",
    ),
}
_TYPES = {
    "sqlite": {"blob": "BLOB", "serial": "INTEGER PRIMARY KEY AUTOINCREMENT"},
    "postgresql": {"blob": "BYTEA", "serial": "SERIAL PRIMARY KEY"},
}


def _first(dialect: str) -> Sequence[str]:
    said = [statement.format(**_TYPES[dialect]) for statement in _FIRST]
    verbs = ("UPDATE", "DELETE") if dialect == "sqlite" else ("UPDATE", "DELETE", "TRUNCATE")
    for table in ("events", "reasoning", "blobs"):
        for verb in verbs:
            said += [one.format(table=table, verb=verb) for one in _REFUSE[dialect]]
    return said


MIGRATIONS = (_first,)
"""Each gives the statements that lead from one version to the next. Only ever added to."""


def refuse_newer(where: str, what: str, *, has: int, known: int) -> None:
    """Refuse tables that a newer version of this program wrote.

    Args:
        where: Names the database.
        what: Names the tables.
        has: Their version.
        known: The newest version that this program knows.

    Raises:
        StateError: They are newer than that.
    """
    if has > known:
        be = "are" if what.endswith("s") else "is"
        raise StateError(
            f"{where} was written by a newer version of this program (its {what} {be} of version "
            f"{has}, this program knows {known}).",
            "Update domain-harness.",
        )


def migrate(connection: sa.Connection, where: str) -> None:
    """Bring a database to this program's version, in the transaction that is open.

    Args:
        connection: In a transaction that keeps other writers out.
        where: Names the database in messages.

    Raises:
        StateError: The database was written by a newer version of this program.
    """
    dialect = connection.dialect.name
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS journal_versions "
        "(version INTEGER PRIMARY KEY, applied TEXT NOT NULL)"
    )
    has = connection.scalar(sa.select(sa.func.max(VERSIONS.c.version))) or 0
    refuse_newer(where, "journal", has=has, known=len(MIGRATIONS))
    for number, statements in enumerate(MIGRATIONS[has:], has + 1):
        for statement in statements(dialect):
            connection.exec_driver_sql(statement)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        connection.execute(sa.insert(VERSIONS).values(version=number, applied=now))
