"""The conversation: what the model is shown, as entries that become messages when asked for.

An entry is light; its message, its tokens and its share of the request's hash are made once, when
the conversation is next shown. So a step costs the same however long the run is, and a run that is
read back makes messages only of what compaction left.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from harness.journal.parts import ToolCall
from harness.loop.messages import ai_message, clean, to_langchain
from harness.loop.pictures import TOKENS, Seen, blocks_of, in_words
from harness.values_packed import Message

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from harness.seams import Counter

__all__ = ["Conversation", "Entry"]

Role = Literal["packed", "user", "model", "tool"]
FRAME = 6
"""Tokens that a message costs beside its text, about."""
CLEARED = "[This result was taken out to save room. Call the tool again if you need it.]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One message.

    Attributes:
        seq: Number of the event that it is from.
        kind: For the user's: what it is, as steer or answer; for a tool's: the tool.
        call: Id of the call as the provider knows it, for a tool's.
        own_call: Id of the call in this run.
        message: As the provider needs it back, for the model's.
        sealed: The same with its reasoning.
        packed: For the packed context.
        tokens: Of all of it, where packing counted them already.
        pictures: What stands below the text.
    """

    seq: int
    role: Role
    text: str = ""
    kind: str = ""
    call: str = ""
    own_call: str = ""
    error: bool = False
    calls: tuple[ToolCall, ...] = ()
    message: Mapping[str, Any] | None = None
    sealed: Mapping[str, Any] | None = None
    packed: Message | None = None
    tokens: int | None = None
    step: int = 0
    pictures: tuple[Seen, ...] = ()


class Conversation:
    """Grows at its end; clearing and compacting change what stands before.

    Args:
        counter: Counts the tokens of what is shown.
    """

    def __init__(self, counter: Counter) -> None:
        self.entries: list[Entry] = []
        self.plain_before = 0
        self.had_pictures = False
        """Some were shown: what they cost is a guess."""
        self._counter = counter
        self._messages: list[BaseMessage] = []
        self._tokens: list[int] = []
        self._total = 0
        self._pictured: list[int] = []
        self._digest = hashlib.sha256()

    # --- what it is ---------------------------------------------------------------------------

    @property
    def messages(self) -> list[BaseMessage]:
        """The messages to send; the list itself, not a copy."""
        self._show()
        return self._messages

    def messages_for(self, *, pictures: bool) -> Sequence[BaseMessage]:
        """Return the messages for a model that takes pictures, or one that is told of them.

        Where there are none, it is the list itself: this is asked at every step.
        """
        shown = self.messages
        if pictures or not self._pictured:
            return shown
        told = list(shown)
        for index in self._pictured:
            told[index] = in_words(told[index])
        return told

    @property
    def tokens(self) -> int:
        """Tokens of all messages, as counted here."""
        self._show()
        return self._total

    def sha256(self) -> str:
        """Return the hash of all that is shown, reasoning left out."""
        self._show()
        return self._digest.hexdigest()

    def tokens_from(self, index: int) -> int:
        """Return the tokens of the entries from an index on."""
        self._show()
        return sum(self._tokens[index:])

    def tokens_of(self, index: int) -> int:
        """Return the tokens of one entry."""
        self._show()
        return self._tokens[index]

    # --- what changes it ----------------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self.entries.append(entry)
        self.had_pictures = self.had_pictures or bool(entry.pictures)

    def amend(self, index: int, **changes: Any) -> None:
        """Change an entry; for the last ones, before they are shown, this costs nothing."""
        self.entries[index] = replace(self.entries[index], **changes)
        if index < len(self._messages):
            self._forget(index)

    def keep(self, entries: Iterable[Entry]) -> None:
        """Have other entries instead."""
        self.entries = list(entries)
        self.plain_before = min(self.plain_before, len(self.entries))
        self._forget(0)

    def clear(self, calls: Iterable[str]) -> None:
        """Take out the text of some calls' results."""
        wanted = frozenset(calls)
        first = None
        for index, entry in enumerate(self.entries):
            if entry.role == "tool" and entry.own_call in wanted:
                self.entries[index] = replace(entry, text=CLEARED)
            elif entry.pictures and entry.own_call in wanted:
                self.entries[index] = replace(entry, text=CLEARED, pictures=())
            else:
                continue
            if first is None:
                first = index
        if first is not None:
            self._forget(first)

    def make_plain(self) -> None:
        """Show all messages so far without what only their own provider understands."""
        self.plain_before = len(self.entries)
        self._forget(0)

    # --- inside -------------------------------------------------------------------------------

    def _forget(self, index: int) -> None:
        """Make everything from an index on anew when it is next shown."""
        if index >= len(self._messages):
            return
        del self._messages[index:], self._tokens[index:]
        self._pictured = [one for one in self._pictured if one < index]
        self._total = sum(self._tokens)
        self._digest = hashlib.sha256()
        for entry in self.entries[:index]:
            self._digest.update(_canonical(entry))

    def _show(self) -> None:
        for index in range(len(self._messages), len(self.entries)):
            entry = self.entries[index]
            canonical = _canonical(entry)
            self._digest.update(canonical)
            self._messages.append(_message(entry, plain=index < self.plain_before))
            if entry.pictures:
                self._pictured.append(index)
            tokens = self._count(entry, canonical) + FRAME
            self._tokens.append(tokens)
            self._total += tokens

    def _count(self, entry: Entry, canonical: bytes) -> int:
        if entry.tokens is not None:
            return entry.tokens
        text = canonical.decode() if entry.calls else _text(entry)
        return self._counter.count(text) + TOKENS * len(entry.pictures)


def _text(entry: Entry) -> str:
    return entry.packed.text if entry.packed else entry.text


def _canonical(entry: Entry) -> bytes:
    """Return what an entry says, as bytes that are the same in a replay."""
    parts: list[Any] = [entry.role, entry.packed.role if entry.packed else "", _text(entry)]
    if entry.calls:
        parts.append([[one.id, one.tool, one.written or one.arguments] for one in entry.calls])
    if entry.call:
        parts += [entry.call, entry.error]
    if entry.pictures:  # their sizes: a replay knows no more of them
        parts.append([[one.media_type, one.size] for one in entry.pictures])
    return json.dumps(parts, separators=(",", ":"), default=str).encode()


def _message(entry: Entry, *, plain: bool) -> BaseMessage:
    from langchain_core.messages import HumanMessage, ToolMessage

    if entry.packed is not None:
        return to_langchain([entry.packed])[0]
    if entry.role == "user":
        if entry.pictures:
            return HumanMessage(content=blocks_of(clean(entry.text), entry.pictures))
        return HumanMessage(content=clean(entry.text))
    if entry.role == "tool":
        return ToolMessage(
            content=clean(entry.text),
            tool_call_id=entry.call,
            name=entry.kind,
            status="error" if entry.error else "success",
        )
    return ai_message(entry.text, entry.calls, None if plain else entry.sealed or entry.message)


def text_of(entries: Sequence[Entry]) -> str:
    """Return the text of entries, one after the other."""
    return "\n".join(map(_text, entries))
