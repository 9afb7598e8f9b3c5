"""Tables of the evals, and how a database gets them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Float, Integer, Text

from harness.adapters.journal_tables import refuse_newer
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


def _of_a_repeat() -> tuple[Column[Any], ...]:
    """Return the columns that name one repeat of one case in a run."""
    return (
        Column("run", Text, primary_key=True),
        Column("case_id", Text, primary_key=True),
        Column("repeat", Integer, primary_key=True),
    )


GENERATIONS = sa.Table(
    "eval_generations",
    METADATA,
    *_of_a_repeat(),
    Column("key", Text, nullable=False, index=True),
    Column("said", Text),
    Column("error", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    sqlite_with_rowid=False,
)

GRADES = sa.Table(
    "eval_grades",
    METADATA,
    *_of_a_repeat(),
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
    """Make the tables where they are not there, and refuse a newer program's, as the journal does.

    See `harness.adapters.journal_tables.migrate`.
    """
    METADATA.create_all(connection)
    number = connection.scalar(sa.select(sa.func.max(_FORMATS.c.number)))
    if number is None:
        connection.execute(_FORMATS.insert().values(number=FORMAT))
    else:
        refuse_newer(where, "evals", has=number, known=FORMAT)
