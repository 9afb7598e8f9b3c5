"""Reading the examples of an open domain: list, search, find alike and unused, map."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.domain import Domain
from harness.sdk.example_files import ExampleFiles
from harness.sdk.likeness import Alike, twin_pairs
from harness.values import Example, Status

if TYPE_CHECKING:
    from harness.improve.atlas import Atlas
    from harness.sdk.opened import Opened

__all__ = ["ExamplesRead"]


class ExamplesRead:
    """The part of `Examples` that changes nothing; it has the files.

    Args:
        opened: The open domain.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._files = ExampleFiles(opened)

    @property
    def domain(self) -> Domain:
        """The domain as it is now, errors and all."""
        return self._files.domain

    def list(
        self,
        *,
        status: Status | None = None,
        text: str = "",
        tag: str = "",
        author: str = "",
        label: str = "",
    ) -> builtins.list[Example]:
        """Return examples in the order of their files.

        Args:
            status: Only approved, draft or retired ones.
            text: Only those that have all of these words, in any field.
            tag: Only with this tag.
            author: Only by this author.
            label: Only with this output.
        """
        sought = text.casefold().split()
        return [
            one
            for one in self.domain.examples
            if status in (None, one.status)
            and tag in ("", *one.tags)
            and author in ("", one.author)
            and label in ("", one.output)
            and _has(one, sought)
        ]

    def get(self, name: str) -> Example:
        """Return an example by its id.

        Raises:
            UsageError: There is none.
        """
        return self._files.get(name)

    def similar(self, text: str, *, most: int = 8, but: str = "") -> builtins.list[Alike]:
        """Return the examples most like a text, in meaning or in words, best first.

        Args:
            text: A question.
            most: How many.
            but: Id of one to leave out.
        """
        return self._files.similar(text, most=most, but=but)

    def duplicates(self) -> builtins.list[tuple[Example, Example]]:
        """Return every pair of examples that are near-duplicates, retired ones apart."""
        return twin_pairs([one for one in self.domain.examples if one.status != "retired"])

    def never_used(self, *, most: int = 100) -> tuple[builtins.list[Example], int]:
        """Return the approved examples that no question needed, and of how many questions.

        The newest questions are packed again, as the folder is now.

        Args:
            most: How many questions.

        Raises:
            DomainInvalid: The folder has errors.
            StateError: The journal can't be read.
        """
        from harness.sdk.corrections import recent_questions

        questions = recent_questions(self._opened, self.domain.name, most)
        shown: set[str] = set()
        for question in questions:
            packed = self._opened.current().packer.pack(question)
            shown.update(item.id for item in packed.shown("example"))
        return [one for one in self.list(status="approved") if one.id not in shown], len(questions)

    def atlas(self) -> Atlas:
        """Return the map of the approved examples.

        Raises:
            DomainInvalid: The folder has errors.
        """
        from harness.improve.atlas import atlas_of

        bank = self._opened.current().bank
        return atlas_of(bank.items, bank.plane)


def _has(example: Example, sought: Sequence[str]) -> bool:
    if not sought:
        return True
    said = "\n".join(
        (example.id, example.input, example.output, example.why, example.source, *example.tags)
    ).casefold()
    return all(word in said for word in sought)
