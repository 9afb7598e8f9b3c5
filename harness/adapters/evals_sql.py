"""Eval runs in the journal's database: SQLite in the state folder, or PostgreSQL by its URL.

Its tables are named `eval_…`, beside those of the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from harness.adapters.evals_rows import dumped, loaded, loaded_grades, loaded_works, storable
from harness.adapters.evals_tables import GENERATIONS, GRADES, OPENINGS, RUNS, migrate
from harness.adapters.journal_engine import Database
from harness.errors import EvalError
from harness.evals.attempt import Attempt, attempt_of
from harness.evals.graders import Grade, Work
from harness.evals.record import Generation, GradeRow, Opening, RunRecord

__all__ = ["SqlEvalStore"]


class SqlEvalStore:
    """Keeps eval runs in a database.

    Args:
        path: The database file; its folder is made where it is not there.
        url: A database elsewhere, `postgresql://…`, instead of the file.
    """

    def __init__(self, path: Path, url: str | None = None) -> None:
        self._path = path
        self._url = url
        self._open: Database | None = None

    def close(self) -> None:
        """Let go of the database."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @contextmanager
    def alone(self, run: str) -> Iterator[None]:
        """Keep every other process from working on the same run.

        Raises:
            EvalError: One does already.
        """
        held = self._held_there(run) if self._url else _held_here(self._path.parent, run)
        with held as got:
            if not got:
                raise EvalError(
                    f"Another process is at work on the run {run}.",
                    "Wait until it is done, or stop it.",
                )
            yield

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
            "record": dumped(RunRecord, record),
        }
        with self._transaction() as connection:
            self._put(connection, RUNS, [row])

    def end(self, run: str, *, finished: bool, seconds: float) -> None:
        """Note that a sitting is over, and the seconds of all sittings."""
        done = RUNS.update().where(RUNS.c.run == run)
        with self._transaction() as connection:
            connection.execute(done.values(finished=int(finished), seconds=seconds))

    def keep(self, rows: Sequence[Generation | GradeRow], run: str) -> None:
        """Commit these rows together, in the place of older ones of the same repeat."""
        generations = [
            {
                "run": run,
                "case_id": row.case,
                "repeat": row.repeat,
                "key": row.key,
                "said": dumped(Work, row.work) if row.work is not None else None,
                "error": storable(row.error),
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
                "said": dumped(tuple[Grade, ...], row.grades),
            }
            for row in rows
            if isinstance(row, GradeRow)
        ]
        with self._transaction() as connection:
            self._put(connection, GENERATIONS, generations)
            self._put(connection, GRADES, grades)

    def open_sealed(self, opening: Opening) -> int:
        """Note an opening of sealed cases; return how many there have been."""
        row = {name: getattr(opening, name) for name in Opening.__slots__}
        with self._transaction() as connection:
            connection.execute(OPENINGS.insert(), [row])
        return len(self.openings(opening.domain))

    # --- reading -------------------------------------------------------------------------------

    def record(self, run: str) -> RunRecord:
        """Return a run."""
        found = next(iter(self._rows(RUNS.select().where(RUNS.c.run == run))), None)
        if found is None:
            raise EvalError(
                f"There is no eval run {run} in {self._where}.",
                "`harness evals` lists those that there are.",
            )
        record: RunRecord = loaded(RunRecord, found.record, self._where)
        return replace(record, finished=bool(found.finished), seconds=found.seconds)

    def records(self, domain: str = "") -> list[tuple[str, str, str, bool, str]]:
        """Return (run, domain, config, finished, split) of the runs, the newest first."""
        wanted = sa.select(RUNS.c.run, RUNS.c.domain, RUNS.c.config, RUNS.c.finished, RUNS.c.split)
        wanted = wanted.order_by(RUNS.c.started.desc(), RUNS.c.run.desc())
        if domain:
            wanted = wanted.where(RUNS.c.domain == domain)
        return [
            (row.run, row.domain, row.config, bool(row.finished), row.split)
            for row in self._rows(wanted)
        ]

    def generations(self, run: str) -> Iterator[Generation]:
        """Yield a run's generations, in no order."""
        yield from self._generations(GENERATIONS.select().where(GENERATIONS.c.run == run))

    def grades(self, run: str) -> Iterator[GradeRow]:
        """Yield a run's grades, in no order."""
        for row in self._rows(GRADES.select().where(GRADES.c.run == run)):
            grades = loaded_grades(row.said, self._where)
            yield GradeRow(case=row.case_id, repeat=row.repeat, grades=grades)

    def attempts(self, run: str) -> dict[tuple[str, int], Attempt]:
        """Return what is done of a run, by case and repeat: no answer, or one with its grades."""
        mine = sa.and_(
            GRADES.c.run == GENERATIONS.c.run,
            GRADES.c.case_id == GENERATIONS.c.case_id,
            GRADES.c.repeat == GENERATIONS.c.repeat,
        )
        wanted = (
            sa.select(*GENERATIONS.c, GRADES.c.said.label("graded"))
            .select_from(GENERATIONS.outerjoin(GRADES, mine))
            .where(GENERATIONS.c.run == run)
            .where(sa.or_(GENERATIONS.c.said.is_(None), GRADES.c.said.is_not(None)))
        )
        rows = [tuple(row) for row in self._rows(wanted)]
        works = loaded_works([row[4] for row in rows if row[4] is not None], self._where)
        return {
            (case, repeat): attempt_of(
                next(works) if said is not None else None,
                error,
                seconds,
                loaded_grades(graded, self._where) if said is not None else (),
            )
            for _, case, repeat, _, said, error, seconds, graded in rows
        }

    def by_key(self, keys: Sequence[str]) -> dict[str, Generation]:
        """Return answers of any run by their keys."""
        found: dict[str, Generation] = {}
        for start in range(0, len(keys), 500):
            some = list(keys[start : start + 500])
            wanted = GENERATIONS.select().where(
                GENERATIONS.c.key.in_(some), GENERATIONS.c.said.is_not(None)
            )
            found |= {one.key: one for one in self._generations(wanted)}
        return found

    def openings(self, domain: str) -> list[Opening]:
        """Return the openings of a domain's sealed cases, the first one first."""
        wanted = OPENINGS.select().where(OPENINGS.c.domain == domain).order_by(OPENINGS.c.number)
        return [
            Opening(**{name: getattr(row, name) for name in Opening.__slots__})
            for row in self._rows(wanted)
        ]

    def _generations(self, wanted: sa.Select[Any]) -> Iterator[Generation]:
        rows = [tuple(row) for row in self._rows(wanted)]
        works = loaded_works([row[4] for row in rows if row[4] is not None], self._where)
        for _, case, repeat, key, said, error, seconds in rows:
            work = None if said is None else next(works)
            yield Generation(
                case=case, repeat=repeat, key=key, work=work, error=error, seconds=seconds
            )

    # --- the database --------------------------------------------------------------------------

    @property
    def _where(self) -> str:
        return self._open.where if self._open is not None else str(self._path)

    def _database(self) -> Database:
        if self._open is None:
            self._open = Database(
                self._url or sa.URL.create("sqlite", database=str(self._path)),
                migrate=migrate,
                what="the eval runs",
                mend="Free some space; what was committed is safe: go on with --resume.",
            )
        return self._open

    def _rows(self, wanted: sa.Select[Any]) -> Iterable[sa.Row[Any]]:
        database = self._database()
        with database.errors(), database.connect() as connection:
            return connection.execute(wanted).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        database = self._database()
        with database.connect(write=True) as connection, database.writing(connection):
            yield connection

    def _put(self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Insert the rows, in the place of those of the same key."""
        if not rows:
            return
        dialect = sqlite if self._database().is_sqlite else postgresql
        into = dialect.insert(table)
        own = [column.name for column in table.primary_key]
        others = {one.name: into.excluded[one.name] for one in table.c if one.name not in own}
        connection.execute(into.on_conflict_do_update(index_elements=own, set_=others), rows)

    @contextmanager
    def _held_there(self, run: str) -> Iterator[bool]:
        """Hold a lock of the server's for as long as a connection of our own lives."""
        number = sa.func.hashtextextended(f"eval {run}", 0)
        database = self._database()
        with database.connect() as connection:
            with database.errors():
                alive = connection.execution_options(isolation_level="AUTOCOMMIT")
                got = bool(alive.scalar(sa.select(sa.func.pg_try_advisory_lock(number))))
            try:
                yield got
            finally:
                connection.invalidate()  # the lock goes with it


@contextmanager
def _held_here(home: Path, run: str) -> Iterator[bool]:
    from filelock import FileLock, Timeout

    folder = home / "evals"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{run}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()  # the file stays: who deletes it may take it from under another process
