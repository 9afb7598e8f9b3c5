"""Tables of the evals, and how a database gets them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, Integer, Text

from harness.errors import StateError
from harness.evals.record import Opening

__all__ = ["FORMAT", "GENERATIONS", "GRADES", "OPENINGS", "RUNS", "migrate"]

FORMAT = 1
"""Of the tables; a database with a higher one was written by a newer version."""

METADATA = sa.MetaData()

RUNS = sa.Table(
    "eval_runs",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("domain", Text, nullable=False, index=True),
    Column("split", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("finished", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("record", Text, nullable=False),
)

GENERATIONS = sa.Table(
    "eval_generations",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("case_id", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("key", Text, nullable=False, index=True),
    Column("said", Text),
    Column("error", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    sqlite_with_rowid=False,
)

GRADES = sa.Table(
    "eval_grades",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("case_id", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("said", Text, nullable=False),
    sqlite_with_rowid=False,
)

OPENINGS = sa.Table(
    "eval_openings",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    *(Column(name, Text, nullable=False) for name in Opening.__slots__),
)

_FORMATS = sa.Table("eval_format", METADATA, Column("number", Integer, nullable=False))


def migrate(connection: sa.Connection, where: str) -> None:
    """Bring a database to this program's version, in the transaction that is open.

    Args:
        connection: In a transaction that keeps other writers out.
        where: Names the database in messages.

    Raises:
        StateError: The database was written by a newer version of this program.
    """
    METADATA.create_all(connection)
    number = connection.scalar(sa.select(sa.func.max(_FORMATS.c.number)))
    if number is None:
        connection.execute(_FORMATS.insert().values(number=FORMAT))
    elif number > FORMAT:
        raise StateError(f"{where} was written by a newer version.", "Update domain-harness.")
