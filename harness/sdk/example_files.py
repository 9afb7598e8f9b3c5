"""The files behind an open domain's examples: read, and written without loss."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.domain import Domain, folder_stamp, lint
from harness.errors import DomainInvalid, HarnessError, StateError, UsageError
from harness.improve.changing import Edit, append_example, change_example
from harness.improve.saving import locked, read_current, write_over
from harness.sdk.bundled import refuse_bundled
from harness.sdk.likeness import Alike, alike, near_label
from harness.values import Example, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from harness.bank import Bank
    from harness.sdk.opened import Opened

__all__ = ["ExampleFiles", "Saved"]

CORRECTIONS = "examples/corrections.yaml"
TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Saved:
    """An example as it now stands in the domain folder.

    Attributes:
        example: It.
        problems: What lint has to say on it, all of it warnings.
        near: The examples most like it, best first.
        waits_for: What is still to be done before it is used, in words; empty if nothing is.
        beside: Id of the example that somebody else changed meanwhile: this one was saved
            beside it, so that nobody's text is lost.
    """

    example: Example
    problems: tuple[Problem, ...] = ()
    near: tuple[Alike, ...] = ()
    waits_for: str = ""
    beside: str = ""


class ExampleFiles:
    """Reads and writes the examples of a domain folder.

    Args:
        opened: The open domain.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._read: tuple[str, Domain] | None = None

    @property
    def domain(self) -> Domain:
        """The domain as it is now, errors and all."""
        stamp = folder_stamp(self._opened.folder) if self._opened.folder.is_dir() else ""
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, self._opened.read())
        return self._read[1]

    @property
    def home(self) -> Path:
        """The state folder."""
        return self._opened.home

    def get(self, name: str) -> Example:
        """Return an example by its id.

        Raises:
            UsageError: There is none.
        """
        for one in self.domain.examples:
            if one.id == name:
                return one
        from harness.domain.problems import did_you_mean

        mean = did_you_mean(name, [one.id for one in self.domain.examples])
        raise UsageError(
            f"{self.domain.name} has no example `{name}`.{mean}",
            "`harness examples list` shows them all.",
        )

    def taken(self) -> set[str]:
        """Return every id of the domain."""
        domain = self.domain
        ids = {one.id for one in domain.examples} | {one.id for one in domain.cases}
        return ids | {one.id for one in domain.rules}

    def bank(self) -> Bank | None:
        """Return the index as it was used last, or None while the folder has errors.

        What is alike may be a change behind: nobody waits for an index to be told.
        """
        if (latest := self._opened.latest) is not None:
            return latest.bank
        try:
            return self._opened.current().bank
        except DomainInvalid:
            return None

    def similar(self, text: str, *, most: int = 8, but: str = "") -> list[Alike]:
        """Return the examples most like a text. See `Examples.similar`."""
        return alike(self.bank(), self.domain.examples, text, most=most, but=but)

    def add_file(self, stem: str, data: bytes) -> str:
        """Write a new CSV file of examples; return its name from the domain folder."""
        refuse_bundled(self.domain.path)
        with locked(self.domain.path, self._opened.home):
            name = self._new_file(stem)
            if not write_over(self.domain.path / name, b"", data):
                raise _not_still(name)
        return name

    def append(self, fields: Mapping[str, Any]) -> Saved:
        """Write a new example; `id` is among the fields. See `Examples.propose`."""
        domain = self.domain
        refuse_bundled(domain.path)
        if fields["id"] in self.taken():
            raise UsageError(f"The id `{fields['id']}` is taken.", "Give another one.")
        with locked(domain.path, self._opened.home):
            for number in range(1, TRIES + 1):
                name = CORRECTIONS if number == 1 else f"examples/corrections-{number}.yaml"
                seen = read_current(domain.path / name)
                edit = append_example(name, seen, fields, domain.settings.answer)
                if edit is not None:
                    return self._written(edit, seen)
        raise _not_still(CORRECTIONS)

    def change(self, name: str, fields: Mapping[str, Any]) -> Saved:
        """Set fields of an example where it stands. See `Examples.edit`."""
        refuse_bundled(self.domain.path)
        with locked(self.domain.path, self._opened.home):
            example = self.get(name)  # as it is now that nobody else writes
            seen = read_current(self.domain.path / example.place.file)
            edit = change_example(seen, example, fields, self.domain.settings.answer)
            return self._written(edit, seen)

    def _written(self, edit: Edit, seen: bytes) -> Saved:
        """Look at an edit, then write it.

        Raises:
            DomainInvalid: The folder would have an error that it has not now.
        """
        saved = self.looked_at(edit.example, but=edit.example.id, others=edit.examples)
        if not write_over(self.domain.path / edit.name, seen, edit.data):
            raise _not_still(edit.name)
        return saved

    def looked_at(
        self, example: Example, *, but: str = "", others: Sequence[Example] = ()
    ) -> Saved:
        """Say what lint has to say on an example, and what is like it.

        Args:
            example: As it would stand in the folder.
            but: Id of one that it is not held against.
            others: All examples of its file; where none are given it is looked at alone.

        Raises:
            DomainInvalid: The folder would have errors with it.
        """
        domain = self.domain
        elsewhere = [
            one for one in domain.examples if not others or one.place.file != example.place.file
        ]
        after = replace(domain, examples=(*elsewhere, *(others or (example,))), problems=())
        ours = [one for one in lint(after) if one.place == example.place]
        errors = [one for one in ours if one.severity == "error"]
        if errors:
            raise DomainInvalid(f"`{example.id}` can't be saved as it is:", errors)
        notes = [one for one in ours if one.severity == "warning"]
        if (note := near_label(domain, example)) is not None:
            notes.append(note)
        near = self.similar(example.input, most=4, but=but or example.id)
        return Saved(example=example, problems=tuple(notes), near=tuple(near))

    def _new_file(self, stem: str) -> str:
        plain = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in stem)[:60]
        names = [
            f"examples/{plain or 'import'}{end}.csv"
            for end in ("", *(f"-{n}" for n in range(2, 1000)))
        ]
        return next(name for name in names if not os.path.lexists(self.domain.path / name))


def _not_still(name: str) -> HarnessError:
    return StateError(
        f"{name} is being changed by another program.", "Close it there, and save once more."
    )
