"""Eval runs in the state folder's database: SQLite in WAL mode, every commit synced.

Its tables are named `eval_…`, beside whatever else stands in `harness.db`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import EvalError, StateError
from harness.evals.graders import Grade, Work
from harness.evals.record import Generation, GradeRow, Opening, RunRecord
from harness.values import Usage

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["SqlEvalStore"]

FORMAT = 1
"""Of the tables; a database with a higher one was written by a newer version."""


class SqlEvalStore:
    """Keeps eval runs in a database.

    Args:
        path: The database file; its folder is made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: sa.Engine | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.dispose()
            self._open = None

    # --- writing -------------------------------------------------------------------------------

    def begin(self, record: RunRecord) -> None:
        """Keep a new run, or the same one anew as it goes on."""
        how = record.conditions
        row = {
            "run": how.run,
            "domain": how.domain,
            "split": how.split,
            "config": how.config,
            "started": record.started,
            "finished": int(record.finished),
            "seconds": record.seconds,
            "record": _dumped(RunRecord, record),
        }
        with self._transaction() as connection:
            connection.execute(_tables()["runs"].insert().prefix_with("OR REPLACE"), [row])

    def end(self, run: str, *, finished: bool, seconds: float) -> None:
        """Note that a sitting is over, and the seconds of all sittings."""
        runs = _tables()["runs"]
        with self._transaction() as connection:
            connection.execute(
                runs.update()
                .where(runs.c.run == run)
                .values(finished=int(finished), seconds=seconds)
            )

    def keep(self, rows: Sequence[Generation | GradeRow], run: str) -> None:
        """Commit these rows together, in the place of older ones of the same repeat."""
        generations = [
            {
                "run": run,
                "case_id": row.case,
                "repeat": row.repeat,
                "key": row.key,
                "said": _dumped(Work, row.work) if row.work is not None else None,
                "error": row.error,
                "seconds": row.seconds,
            }
            for row in rows
            if isinstance(row, Generation)
        ]
        grades = [
            {
                "run": run,
                "case_id": row.case,
                "repeat": row.repeat,
                "said": _dumped(tuple[Grade, ...], row.grades),
            }
            for row in rows
            if isinstance(row, GradeRow)
        ]
        tables = _tables()
        with self._transaction() as connection:
            if generations:
                into = tables["generations"].insert().prefix_with("OR REPLACE")
                connection.execute(into, generations)
            if grades:
                connection.execute(tables["grades"].insert().prefix_with("OR REPLACE"), grades)

    def open_sealed(self, opening: Opening) -> int:
        """Note an opening of sealed cases; return how many there have been."""
        table = _tables()["openings"]
        row = {name: getattr(opening, name) for name in Opening.__slots__}
        with self._transaction() as connection:
            connection.execute(table.insert(), [row])
        return len(self.openings(opening.domain))

    # --- reading -------------------------------------------------------------------------------

    def record(self, run: str) -> RunRecord:
        """Return a run."""
        runs = _tables()["runs"]
        wanted = runs.select().where(runs.c.run == run)
        found = next(iter(self._rows(wanted)), None)
        if found is None:
            raise EvalError(
                f"There is no eval run {run} in {self._path}.",
                "`harness evals` lists those that there are.",
            )
        record: RunRecord = _loaded(RunRecord, found.record, self._path)
        return replace(record, finished=bool(found.finished), seconds=found.seconds)

    def records(self, domain: str = "") -> list[tuple[str, str, str, bool, str]]:
        """Return (run, domain, config, finished, split) of the runs, the newest first."""
        runs = _tables()["runs"]
        wanted = runs.select().order_by(runs.c.started.desc(), runs.c.run.desc())
        wanted = wanted.with_only_columns(
            runs.c.run, runs.c.domain, runs.c.config, runs.c.finished, runs.c.split
        )
        if domain:
            wanted = wanted.where(runs.c.domain == domain)
        return [
            (row.run, row.domain, row.config, bool(row.finished), row.split)
            for row in self._rows(wanted)
        ]

    def generations(self, run: str) -> Iterator[Generation]:
        """Yield a run's generations, in no order."""
        table = _tables()["generations"]
        for row in self._rows(table.select().where(table.c.run == run)):
            yield self._generation(row)

    def grades(self, run: str) -> Iterator[GradeRow]:
        """Yield a run's grades, in no order."""
        table = _tables()["grades"]
        for row in self._rows(table.select().where(table.c.run == run)):
            _, case, repeat, said = row
            yield GradeRow(case=case, repeat=repeat, grades=_grades(said, self._path))

    def by_key(self, keys: Sequence[str]) -> dict[str, Generation]:
        """Return answers of any run by their keys."""
        table = _tables()["generations"]
        found: dict[str, Generation] = {}
        for start in range(0, len(keys), 500):
            some = list(keys[start : start + 500])
            wanted = table.select().where(table.c.key.in_(some), table.c.said.is_not(None))
            found |= {row[3]: self._generation(row) for row in self._rows(wanted)}
        return found

    def openings(self, domain: str) -> list[Opening]:
        """Return the openings of a domain's sealed cases, the first one first."""
        table = _tables()["openings"]
        wanted = table.select().where(table.c.domain == domain).order_by(table.c.number)
        return [
            Opening(**{name: getattr(row, name) for name in Opening.__slots__})
            for row in self._rows(wanted)
        ]

    def _generation(self, row: Any) -> Generation:
        _, case, repeat, key, said, error, seconds = row
        work = None if said is None else _work(said, self._path)
        return Generation(
            case=case, repeat=repeat, key=key, work=work, error=error, seconds=seconds
        )

    # --- the database --------------------------------------------------------------------------

    def _rows(self, wanted: Any) -> Iterable[Any]:
        with self._errors("read"), self._engine().connect() as connection:
            return connection.execute(wanted).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self._errors("written"), self._engine().begin() as connection:
            yield connection

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            reason = str(getattr(error, "orig", None) or error)
            raise StateError(
                f"The eval runs in {self._path} can't be {what}: {reason}.",
                "Free some space or mend the permissions, and run it again with --resume.",
            ) from error

    def _engine(self) -> sa.Engine:
        if self._open is None:
            import sqlalchemy as sa

            self._path.parent.mkdir(parents=True, exist_ok=True)
            engine = sa.create_engine(f"sqlite:///{self._path}", connect_args={"timeout": 30.0})
            sa.event.listen(engine, "connect", _prepare)
            with engine.begin() as connection:
                self._check_format(connection)
                _metadata().create_all(connection)
            self._open = engine
        return self._open

    def _check_format(self, connection: sa.Connection) -> None:
        import sqlalchemy as sa

        connection.execute(
            sa.text("CREATE TABLE IF NOT EXISTS eval_format (number INTEGER NOT NULL)")
        )
        number = connection.execute(sa.text("SELECT max(number) FROM eval_format")).scalar()
        if number is None:
            connection.execute(sa.text(f"INSERT INTO eval_format VALUES ({FORMAT})"))  # noqa: S608
        elif number > FORMAT:
            raise StateError(
                f"{self._path} was written by a newer version.", "Update domain-harness."
            )


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


@cache
def _metadata() -> sa.MetaData:
    import sqlalchemy as sa

    metadata = sa.MetaData()
    text, number = sa.Text, sa.Integer
    sa.Table(
        "eval_runs",
        metadata,
        sa.Column("run", text, primary_key=True),
        sa.Column("domain", text, nullable=False, index=True),
        sa.Column("split", text, nullable=False),
        sa.Column("config", text, nullable=False),
        sa.Column("started", text, nullable=False),
        sa.Column("finished", number, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("record", text, nullable=False),
    )
    sa.Table(
        "eval_generations",
        metadata,
        sa.Column("run", text, primary_key=True),
        sa.Column("case_id", text, primary_key=True),
        sa.Column("repeat", number, primary_key=True),
        sa.Column("key", text, nullable=False, index=True),
        sa.Column("said", text),
        sa.Column("error", text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    sa.Table(
        "eval_grades",
        metadata,
        sa.Column("run", text, primary_key=True),
        sa.Column("case_id", text, primary_key=True),
        sa.Column("repeat", number, primary_key=True),
        sa.Column("said", text, nullable=False),
        sqlite_with_rowid=False,
    )
    sa.Table(
        "eval_openings",
        metadata,
        sa.Column("number", number, primary_key=True, autoincrement=True),
        *(sa.Column(name, text, nullable=False) for name in Opening.__slots__),
    )
    return metadata


def _tables() -> dict[str, sa.Table]:
    return {name.removeprefix("eval_"): one for name, one in _metadata().tables.items()}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _dumped(kind: Any, value: Any) -> str:
    says = _adapter(kind).dump_python(value, mode="json", exclude_defaults=True)
    # Escaped: a broken provider can send half a surrogate pair, which no database text may hold.
    return json.dumps(says, separators=(",", ":"))


def _loaded(kind: Any, text: str, path: Path) -> Any:
    adapter = _adapter(kind)
    read: Callable[[], Any]
    for read in (lambda: adapter.validate_json(text), lambda: _slowly(adapter, text)):
        try:
            return read()
        except (ValidationError, ValueError):
            continue
    raise StateError(f"An eval run in {path} is damaged.", "Run the evals again.")


@lru_cache(maxsize=4096)
def _grades(text: str, path: Path) -> tuple[Grade, ...]:
    """Return grades, those that are often alike from memory."""
    grades: tuple[Grade, ...] = _loaded(tuple[Grade, ...], text, path)
    return grades


def _work(text: str, path: Path) -> Work:
    """Return work; the plain answer to one call, of which there are thousands, the quick way."""
    try:
        said = json.loads(text)
        if said.keys() <= _PLAIN and not said.get("tools"):
            usage = said.pop("usage", {})
            if "cost_usd" in usage:
                usage["cost_usd"] = Decimal(usage["cost_usd"])
            said["warnings"] = tuple(said.get("warnings", ()))
            said["tools"] = None if said.get("tools") is None else ()
            return Work(**said, usage=Usage(**usage))
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        pass  # said below, as for everything that is damaged
    work: Work = _loaded(Work, text, path)
    return work


_PLAIN = {"text", "tools", "abstained", "usage", "seconds", "warnings", "confidence", "run"}


def _slowly(adapter: TypeAdapter[Any], text: str) -> Any:
    return adapter.validate_python(json.loads(text))
