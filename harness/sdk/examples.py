"""The examples of an open domain: propose, edit, review, accept, retire, import."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.domain import lint
from harness.errors import UsageError
from harness.improve.changing import append_example
from harness.improve.records import ReviewLog, ReviewRecord, content_digest
from harness.improve.tables_in import Import, read_import, written_table
from harness.sdk.example_files import CORRECTIONS, Saved
from harness.sdk.examples_read import ExamplesRead
from harness.sdk.likeness import Alike
from harness.values import Example, Problem, Status

__all__ = ["Examples", "Import", "Saved", "Waiting", "current_user"]

CHANGEABLE = ("input", "output", "why", "steps", "source", "tags", "files")


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A draft that waits for review.

    Attributes:
        example: The draft.
        agreed: Who stands behind it as it is.
        history: What was done with it, oldest first.
        near: Other examples most like it.
        problems: What lint has to say on it.
    """

    example: Example
    agreed: tuple[str, ...]
    history: tuple[ReviewRecord, ...]
    near: tuple[Alike, ...]
    problems: tuple[Problem, ...]


class Examples(ExamplesRead):
    """The examples of a domain folder: what experts keep, as `h.examples` and `harness examples`.

    Reading works in a folder with errors, too: what is sound is there.

    Args:
        opened: The open domain.
    """

    @property
    def log(self) -> ReviewLog:
        """Who did what, and when."""
        return ReviewLog(self._opened.home, self.domain.path)

    def review(self) -> list[Waiting]:
        """Return the drafts that wait for review, oldest first."""
        domain, log = self.domain, self.log
        drafts = [one for one in domain.examples if one.status == "draft"]
        found = lint(domain) if drafts else ()
        return [
            Waiting(
                example=one,
                agreed=tuple(log.agreed(one)),
                history=tuple(log.of(one.id)),
                near=tuple(self.similar(one.input, most=4, but=one.id)),
                problems=tuple(problem for problem in found if problem.place == one.place),
            )
            for one in sorted(drafts, key=lambda one: one.date)
        ]

    # --- writing -------------------------------------------------------------------------------

    def propose(
        self,
        question: str,
        answer: str,
        *,
        why: str = "",
        steps: Sequence[str] = (),
        source: str = "",
        tags: Sequence[str] = (),
        name: str = "",
        run: str = "",
        by: str = "",
    ) -> Saved:
        """Write down how a question should have been answered, as a draft.

        Args:
            question: What was asked.
            answer: What the expert would have said.
            why: Why that is right.
            steps: How the work is done; `h.example_of` has those of a run.
            source: The document, patient or contract that it comes from.
            tags: Words to slice results by.
            name: Its id; one is made of the date where none is given.
            run: The answer that it corrects.
            by: Who says so; the user of this machine where nobody is named.

        Raises:
            DomainReadOnly: The domain ships with Harness, or can't be written.
            DomainInvalid: It can't be saved as it is: says what is wrong.
            UsageError: The id is taken.
        """
        by = by or current_user()
        fields = {
            "id": name or f"correction-{_today()}-{secrets.token_hex(3)}",
            "input": question,
            "output": answer,
            "why": why,
            "steps": tuple(steps),
            "source": source,
            "tags": tuple(tags),
            "status": "draft",
            "author": by,
            "date": _today(),
        }
        saved = self._files.append(
            {key: value for key, value in fields.items() if value or key in ("input", "output")}
        )
        self.log.add(
            "proposed", saved.example.id, by=by, digest=content_digest(saved.example), run=run
        )
        return replace(saved, waits_for=self._waits_for(saved.example))

    def check(self, question: str, answer: str, *, but: str = "") -> Saved:
        """Say what saving an example would find, and write nothing.

        Raises:
            DomainInvalid: It could not be saved as it is.
        """
        fields = {"id": f"check-{secrets.token_hex(6)}", "input": question, "output": answer}
        edit = append_example(CORRECTIONS, b"", fields, self.domain.settings.answer)
        if edit is None:
            raise UsageError("This text can't be written down.", "Take out what no text may hold.")
        return self._files.looked_at(edit.example, but=but, others=())

    def edit(self, name: str, *, seen: Example | None = None, by: str = "", **fields: Any) -> Saved:
        """Change an example where it stands; everything else in its file stays as it is.

        Args:
            name: Its id.
            seen: The example that the change was made on. If somebody changed it since, this
                change is saved as a draft beside it.
            by: Who does.
            **fields: `input`, `output`, `why`, `steps`, `source`, `tags`, `files`.

        Raises:
            As `propose`.
        """
        if unknown := sorted(set(fields) - set(CHANGEABLE)):
            raise UsageError(
                f"`{unknown[0]}` can't be changed.", f"Known: {', '.join(CHANGEABLE)}."
            )
        by = by or current_user()
        if seen is not None and content_digest(self.get(name)) != content_digest(seen):
            return self._beside(seen, fields, by)
        saved = self._files.change(name, fields)
        self.log.add("edited", name, by=by, digest=content_digest(saved.example))
        return replace(saved, waits_for=self._waits_for(saved.example))

    def accept(
        self,
        name: str,
        *,
        seen: Example | None = None,
        by: str = "",
        reason: str = "",
        **fields: Any,
    ) -> Saved:
        """Accept a draft: from now on it is used. Fields given are mended first.

        Where the domain asks for two people, it is used once two of them stand behind its text
        as it is; who wrote or mended it is one.

        Args:
            name: Its id.
            seen: The draft as the reviewer saw it; as for `edit`.
            by: Who accepts.
            reason: Why, for the record.
            **fields: As for `edit`.

        Raises:
            As `propose`.
        """
        by = by or current_user()
        if fields or seen is not None:
            now = self.get(name)
            if seen is not None and content_digest(now) != content_digest(seen):
                if not fields:
                    raise UsageError(
                        f"Somebody changed `{name}` meanwhile.", "Look at it once more."
                    )
                return self._beside(seen, fields, by)
            changed = {key: value for key, value in fields.items() if getattr(now, key) != value}
            if changed:
                self.edit(name, by=by, **changed)
        example = self.get(name)
        self.log.add("accepted", name, by=by, digest=content_digest(example), reason=reason)
        if waits_for := self._waits_for(replace(example, status="draft")):
            return replace(self._files.looked_at(example, but=name), waits_for=waits_for)
        return self._files.change(name, {"status": "approved"})

    def reject(self, name: str, reason: str, *, by: str = "") -> Saved:
        """Reject a draft: it stays in its file, retired, and is never used.

        Raises:
            UsageError: No reason is given.
        """
        return self._put_away("rejected", name, reason, by)

    def retire(self, name: str, reason: str = "", *, by: str = "") -> Saved:
        """Take an example out of use; it stays in its file."""
        return self._put_away("retired", name, reason or "no longer used", by)

    def import_(
        self,
        file: str | Path,
        *,
        data: bytes | None = None,
        write: bool = False,
        near: bool = True,
        status: Status = "draft",
        columns: Mapping[str, str] | None = None,
        by: str = "",
    ) -> Import:
        """Read examples from a CSV, Excel, JSON lines or YAML file; say what would be added.

        Args:
            file: The file; with `data`, its name alone.
            data: Its bytes.
            write: Add them, as a new file in examples/.
            near: Add near-duplicates of what is there, too.
            status: Of what is added.
            columns: Which column is which field, where the names differ; "" leaves it out.
            by: Who does.

        Raises:
            UsageError: The file is not there, or too big.
        """
        domain = self.domain
        if data is None:
            data = _file_bytes(Path(file))
        found = read_import(
            Path(file).name,
            data,
            known=domain.examples,
            taken=self._files.taken(),
            answer=domain.settings.answer,
            columns=columns,
        )
        chosen = found.to_add(near=near)
        if not write or not chosen:
            return found
        by = by or current_user()
        table = written_table(chosen, author=by, date=_today(), status=status)
        name = self._files.add_file(Path(file).stem, table)
        log = self.log
        for one in chosen:
            log.add("imported", one.id, by=by, digest=content_digest(one), reason=found.name)
        return replace(found, written=name, added=len(chosen))

    # --- inside --------------------------------------------------------------------------------

    def _put_away(self, deed: Any, name: str, reason: str, by: str) -> Saved:
        if not reason.strip():
            raise UsageError("There is no reason.", "Say why, for whoever wrote it.")
        example = self.get(name)
        saved = self._files.change(name, {"status": "retired"})
        self.log.add(
            deed, name, by=by or current_user(), digest=content_digest(example), reason=reason
        )
        return saved

    def _waits_for(self, example: Example) -> str:
        if example.status != "draft":
            return ""
        agreed = self.log.agreed(example)
        records = self.log.of(example.id)
        digest = content_digest(example)
        accepted = any(one.deed == "accepted" and one.digest == digest for one in records)
        if self.domain.settings.review == "two_people" and len(set(agreed)) < 2:
            return (
                f"a second person's word, beside {agreed[0]}'s" if agreed else "two people's word"
            )
        return "" if accepted else "review"

    def _beside(self, seen: Example, fields: Mapping[str, Any], by: str) -> Saved:
        """Save a change that came second as a draft of its own."""
        whole = {key: getattr(seen, key) for key in CHANGEABLE} | dict(fields)
        said = {key: value for key, value in whole.items() if value}
        name = f"{seen.id[:180]}-{secrets.token_hex(2)}"
        saved = self._files.append(
            {"id": name, **said, "status": "draft", "author": by, "date": _today()}
        )
        self.log.add("proposed", name, by=by, digest=content_digest(saved.example))
        return replace(saved, waits_for="review", beside=seen.id)


def current_user() -> str:
    """Return who works here, as the machine knows them."""
    try:
        return os.environ.get("HARNESS_USER") or getpass.getuser()
    except (OSError, KeyError):  # a process without a name on this machine
        return "somebody"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.", "Check the path.") from error
