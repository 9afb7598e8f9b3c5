"""The journal in a database: starts, resumes, reads, follows, verifies and erases runs.

A run is appended to by its one writer (`journal_writer`); this is the door for everybody else.
Reading takes short statements and no locks, so a reader never holds up a writer.

In the clear stand, for who can read the database: ids, times, types and sizes of events, domain,
model, state, counts and costs. All else is sealed with the run's key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from harness.adapters.journal_audit import audit
from harness.adapters.journal_blobs import Blobs
from harness.adapters.journal_commit import Commits
from harness.adapters.journal_engine import Database
from harness.adapters.journal_keys import Keys, sync_folder
from harness.adapters.journal_lease import Pulse, microseconds
from harness.adapters.journal_open import begin, check_end, mark_erased, take
from harness.adapters.journal_reads import Reads
from harness.adapters.journal_rows import Sealer, tally_of
from harness.adapters.journal_seal import RunCipher
from harness.adapters.journal_tables import BLOBS, INBOX
from harness.adapters.journal_writer import SqlWriter
from harness.errors import UsageError
from harness.journal.chain import GENESIS, Head, SignedHead
from harness.journal.codec import to_bytes, to_tree
from harness.journal.commands import Command
from harness.journal.events import Recorded
from harness.journal.masking import Masker
from harness.journal.parts import Blob
from harness.journal.summary import RunSummary, Tally
from harness.journal.verify import Verdict

__all__ = ["SqlJournal"]

_BLOB = sa.select(BLOBS.c.payload).where(
    BLOBS.c.run == sa.bindparam("of_run"), BLOBS.c.name == sa.bindparam("of_name")
)
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


class SqlJournal:
    """All runs of one state folder.

    Args:
        home: The state folder: `harness.db` and `blobs/`.
        keys: The keys folder, outside of it.
        url: A database elsewhere, `postgresql://…`; blobs stay in `home`.
        masker: Strikes secrets out of everything that is recorded.
        lock_timeout: Seconds to wait for another process before `JournalLocked`.

    Raises:
        StateError: The database can't be opened, or a newer version of this program wrote it.
        UsageError: The keys folder lies in the state folder.
    """

    def __init__(
        self,
        home: Path,
        keys: Path,
        *,
        url: str | None = None,
        masker: Masker | None = None,
        lock_timeout: float = 30.0,
    ) -> None:
        home, keys = home.absolute(), keys.absolute()
        if keys.resolve().is_relative_to(home.resolve()):
            raise UsageError(
                f"The keys folder {keys} lies in the state folder {home}.",
                "Set HARNESS_KEYS to a folder outside of it.",
            )
        self._masker = masker or Masker({})
        self._keys = Keys(keys, url or str(home.resolve()))
        file = home / "harness.db"
        is_new = url is None and not file.exists()
        self._database = Database(
            url or sa.URL.create("sqlite", database=str(file)), lock_timeout=lock_timeout
        )
        if is_new:
            sync_folder(home)
            sync_folder(home.parent)
        self._blobs = Blobs(home / "blobs", self._row_of_blob)
        self._reads = Reads(self._database, self._keys, self._blobs)
        self._pulse = Pulse()

    def close(self) -> None:
        """Close all connections; writers are closed by who opened them."""
        self._database.close()

    # --- writing ------------------------------------------------------------------------------

    def start(self, run: str) -> SqlWriter:
        """Begin a new run: make its key. It is there with its first event, `run.started`.

        Raises:
            UsageError: There is such a run, or that is no id for one.
            RunErased: There was, and it was erased.
        """
        if not _RUN.fullmatch(run):
            raise UsageError(f"{run!r} is no id of a run: letters, digits, points, dashes only.")
        cipher = RunCipher(run, self._keys.make(run))
        commits = begin(self._database, self._keys, run)
        return self._writer(cipher, commits, Head(run=run, seq=0, hash=GENESIS), Tally())

    def open_writer(self, run: str) -> SqlWriter:
        """Take a run up where it ends. The lease of a process that is gone is taken over.

        Raises:
            RunNotFound: There is no such run.
            RunErased: Its key was destroyed.
            RunBusy: Another process works on it.
            JournalDamaged: It does not end where its signed head and its anchor say.
        """
        self._reads.row(run)
        cipher = self._reads.cipher(run)
        commits = Commits(self._database, run, take(self._database, run))
        try:
            row = self._reads.row(run)
            head = Head(run=run, seq=row.seq, hash=row.hash)
            check_end(self._database, self._keys, SignedHead(head=head, signature=row.signature))
            tally = tally_of(row, cipher)
            return self._writer(cipher, commits, head, tally)
        except BaseException:
            commits.close()
            raise

    def send(self, run: str, command: Command) -> int:
        """Put a command into a run's inbox, from any process.

        Returns:
            Its id.

        Raises:
            RunNotFound, RunErased: There is nobody to read it, and never will be.
        """
        self._reads.row(run)
        cipher = self._reads.cipher(run)
        payload = to_bytes(self._masker.tree(to_tree(command)))
        row = {
            "run": run,
            "at": microseconds(),
            "type": command.TYPE,
            "version": command.VERSION,
            "payload": cipher.seal(payload, command.TYPE),
        }
        database = self._database
        with database.connect(write=True) as connection, database.writing(connection):
            sent = connection.execute(sa.insert(INBOX).values(row).returning(INBOX.c.id))
            return int(sent.scalar_one())

    def erase(self, run: str) -> None:
        """Destroy a run's key: nobody can read its events, blobs and reasoning any more.

        The chain still verifies. Erasing twice does nothing. The run's workspace is not the
        journal's: who made it removes it.

        Raises:
            RunNotFound: There is no such run.
            RunBusy: A process works on it.
            StateError: The key could not be destroyed.
        """
        if self._reads.row(run).erased:
            self._keys.erase(run)
            return
        lease = take(self._database, run)
        try:
            self._keys.erase(run)
            mark_erased(self._database, run)
        finally:
            Commits(self._database, run, lease).close()

    # --- reading ------------------------------------------------------------------------------

    def read(self, run: str, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """Yield a run's events, in order, as they stand now.

        Args:
            run: Its id.
            after: Begin behind the event of this number.
            until: The last to yield; None for all.

        Raises:
            RunNotFound: There is no such run.
            RunErased: Its key was destroyed.
            JournalDamaged: An event was altered; those before it have been yielded.
        """
        return self._reads.read(run, after, until)

    def tail(
        self,
        run: str,
        after: int = 0,
        *,
        poll: float = 0.02,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Recorded]:
        """Yield a run's events as they come, from any process, up to `run.finished`.

        Args:
            run: Its id.
            after: Begin behind the event of this number.
            poll: Seconds between looks.
            stop: Asked between looks; True ends it.

        Raises:
            RunNotFound, RunErased, JournalDamaged: As `read`.
        """
        return self._reads.tail(run, after, poll, stop)

    def runs(self, parent: str | None = None) -> list[RunSummary]:
        """Return all runs, or those of one parent, newest first."""
        return self._reads.summaries(parent)

    def run(self, run: str) -> RunSummary:
        """Return what is known of one run.

        Raises:
            RunNotFound: There is none.
        """
        return self._reads.summary(self._reads.row(run))

    def blob(self, run: str, blob: Blob) -> bytes:
        """Return a blob's content.

        Raises:
            RunErased: The run's key was destroyed.
            JournalDamaged: The blob was altered, or is not there.
        """
        return self._blobs.get(run, self._reads.cipher(run), blob.hash)

    def reasoning_for(self, run: str) -> Iterator[tuple[int, Any]]:
        """Yield sealed reasoning: number of its `message.completed`, and what was handed over.

        For the provider's own protocol and the monitor; never for display or export.

        Raises:
            RunNotFound, RunErased, JournalDamaged: As `read`.
        """
        return self._reads.reasoning(run)

    # --- trust --------------------------------------------------------------------------------

    def verify(self, run: str) -> Verdict:
        """Compare a run with its chain, its signed head, its anchor and its blobs.

        Raises:
            RunNotFound: Neither the database nor the keys folder ever knew it.
        """
        return audit(run, self._reads, self._keys, self._blobs)

    def verify_all(self) -> Iterator[Verdict]:
        """Verify every run, also those that only the keys folder knows any more."""
        for run in sorted({one.run for one in self.runs()} | set(self._keys.anchored_runs())):
            yield self.verify(run)

    # --- inside -------------------------------------------------------------------------------

    def _row_of_blob(self, run: str, name: str) -> bytes | None:
        asked = {"of_run": run, "of_name": name}
        with self._database.errors(), self._database.engine.connect() as connection:
            return connection.scalar(_BLOB, asked)

    def _writer(self, cipher: RunCipher, commits: Commits, head: Head, tally: Tally) -> SqlWriter:
        writer = SqlWriter(
            commits,
            self._keys,
            Sealer(head.run, cipher, self._blobs, self._masker),
            head=head,
            tally=tally,
            on_close=self._pulse.remove,
        )
        self._pulse.add(writer)
        return writer
