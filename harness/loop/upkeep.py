"""Upkeep: the context is kept below the model's window, first by clearing, then by a summary.

What is pinned is carried over word for word: the packed context with request and rules, the plan,
decisions, figures, citations. All of what is taken out of view is read for the summary, piece by
piece if need be. A summary that fails changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from harness.journal.events import ContextCompacted, MessageCompleted
from harness.loop.conversation import CLEARED, Entry
from harness.loop.gate import quotes_in
from harness.loop.prompts import words
from harness.loop.record import Record
from harness.loop.state import MEMORY, pinned_text
from harness.loop.turn import Turns

__all__ = ["Upkeep", "pinned_of"]

FULL = 0.8
"""Share of the window at which room is made."""
KEPT = 0.2
"""Share that the latest messages may keep, word for word."""
WORTH_CLEARING = 0.2
"""Share that clearing has to give back; else a summary is made at once."""
PIECE = 0.4
"""Share that one stretch of the record may have when it is summed up."""
PINNED = 0.1
"""Share that figures and citations may have each."""
RECENT_STEPS = 6
"""Steps whose results are not cleared."""
SMALL = 100
"""Tokens; a result below this is not worth clearing."""
MOST_OF_ONE = 8_000
"""Characters of one message that go into the record for the summary."""
AROUND = 100
"""Characters of a long sentence that are kept to each side of a figure."""
_FIGURE = re.compile(r"\d\d|\d\s*[%€$£]|[€$£]\s*\d")
_CITATION = re.compile(r"\[[^\[\]\n]{1,200}:\s*[\"“„«][^\[\]]*\]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


class Upkeep:
    """Makes room.

    Args:
        record: Of the run.
        turns: Asks the model for summaries.
    """

    def __init__(self, record: Record, turns: Turns) -> None:
        self._record, self._turns = record, turns
        self._most = 10**12

    async def make_room(self) -> None:
        """Make room if the context has come near the model's window."""
        before = self._turns.context_tokens()
        if before <= self._window * FULL or before <= self._record.state.compact_above:
            return
        if not self._clear(RECENT_STEPS, int(self._window * WORTH_CLEARING)):
            await self._sum_up()

    async def make_room_at_once(self) -> bool:
        """Make room because the provider refused the request as too long; return if there is."""
        before = self._turns.context_tokens()
        self._most = before  # it takes less than we thought
        await self._sum_up()
        if self._turns.context_tokens() >= before:
            self._clear(1, 1)
        return self._turns.context_tokens() < before

    # --- clearing -----------------------------------------------------------------------------

    def _clear(self, recent: int, least: int) -> bool:
        """Clear results older than some steps, if that gives back so many tokens."""
        state = self._record.state
        conversation = state.conversation
        newest = state.step - recent
        old: dict[str, int] = {}
        for index, entry in enumerate(conversation.entries):
            if entry.role == "tool" and entry.text != CLEARED and _step(entry) <= newest:
                tokens = conversation.tokens_of(index)
                if tokens > SMALL:
                    old[entry.own_call] = tokens
        freed = int(sum(old.values()) * state.ratio)
        if not old or freed < least:
            return False
        before = self._turns.context_tokens()
        self._record.note(
            ContextCompacted(
                how="clear", tokens_before=before, tokens_after=before - freed, cleared=tuple(old)
            )
        )
        return True

    # --- summing up ---------------------------------------------------------------------------

    async def _sum_up(self) -> None:
        state = self._record.state
        before = self._turns.context_tokens()
        first, end = state.packed_entries, self._tail()
        dropped = state.conversation.entries[first:end]
        if not any(one.kind != MEMORY for one in dropped):
            self._give_up(before, "There is nothing that could be taken out.")
            return
        summary, problem = await self._summary(dropped)
        if problem:
            self._give_up(before, problem)
            return
        pinned = pinned_of(state, dropped, self._room(PINNED))
        memory = words("compacted", pinned=pinned_text(pinned), summary=summary)
        after = before - sum(map(state.conversation.tokens_of, range(first, end)))
        self._record.note(
            ContextCompacted(
                how="summary",
                tokens_before=before,
                tokens_after=after + self._turns.count(memory),
                through_seq=max(one.seq for one in dropped if one.kind != MEMORY),
                summary=summary,
                pinned=pinned,
            )
        )
        await self._record.commit()

    def _give_up(self, before: int, problem: str) -> None:
        self._record.note(
            ContextCompacted(
                how="summary", tokens_before=before, tokens_after=before, problem=problem
            )
        )

    def _room(self, share: float) -> int:
        """Return a share of the window in our tokens."""
        return int(self._window * share / self._record.state.ratio)

    @property
    def _window(self) -> int:
        return min(self._most, self._turns.window)

    def _tail(self) -> int:
        """Return where what is kept begins: at a message of the model, as far back as fits."""
        state = self._record.state
        entries, room = state.conversation.entries, self._room(KEPT)
        begin = len(entries)
        for index in range(len(entries) - 1, state.packed_entries - 1, -1):
            room -= state.conversation.tokens_of(index)
            if room < 0:
                break
            if entries[index].role == "model":
                begin = index
        return begin

    async def _summary(self, dropped: Sequence[Entry]) -> tuple[str, str]:
        """Return a summary of everything, or why there is none."""
        state = self._record.state
        memory = state.summary
        goal = state.started.goal if state.started else ""
        for stretch in self._stretches(dropped):
            text = words("stretch", request=goal, memory=memory or "(nothing yet)", record=stretch)
            rest = state.left.tokens
            tokens = int(self._turns.count(text) * state.ratio) + 500
            if rest is not None and rest < 2 * tokens:
                return "", "The rest of the budget is too small for a summary."
            said = await self._turns.request(
                partial(_asked, text),
                purpose="compact",
                sha256=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
                tokens=tokens,
            )
            if said.reply is None:
                return "", str(said.error)
            self._record.note_message(
                MessageCompleted(
                    step=state.step + 1,
                    text=said.reply.text,
                    usage=said.reply.usage,
                    stop=said.reply.stop,
                    model=said.reply.model,
                    purpose="compact",
                    seconds=said.seconds,
                ),
                None,
            )
            await self._record.commit()
            memory = said.reply.text.strip()
            if not memory:
                return "", "The summary was empty."
        return memory, ""

    def _stretches(self, entries: Iterable[Entry]) -> Iterator[str]:
        """Yield the record in stretches that fit into the window."""
        most = self._room(PIECE)
        lines: list[str] = []
        tokens = 0
        for entry in entries:
            if entry.kind == MEMORY:
                continue
            line = _told(entry)
            count = self._turns.count(line)
            if lines and tokens + count > most:
                yield "\n\n".join(lines)
                lines, tokens = [], 0
            lines.append(line)
            tokens += count
        if lines:
            yield "\n\n".join(lines)


def pinned_of(state: Any, dropped: Sequence[Entry], room: int) -> dict[str, list[str]]:
    """Return what is carried over word for word, by kind.

    Args:
        state: Of the run.
        dropped: What is taken out of view.
        room: Tokens that figures and citations may have each; the latest stay.
    """
    said = [one.text for one in dropped if one.role == "model"]
    figures = [line for text in said for line in _figures(text)]
    citations = [f'[{source}: "{quote}"]' for text in said for source, quote in quotes_in(text)]
    before = state.pinned
    request = [state.started.goal] if state.started else []
    return {
        "The request, word for word": request,
        "The plan": [f"[{one.state}] {one.text}" for one in state.plan],
        "Decisions": _latest(state.decisions, 2 * room),
        "Figures": _latest([*before.get("Figures", ()), *figures], room),
        "Citations": _latest([*before.get("Citations", ()), *citations], room),
    }


def _figures(text: str) -> Iterator[str]:
    """Yield the sentences with figures; of a long one, what stands around its first figure."""
    for sentence in _SENTENCE.split(_CITATION.sub("", text)):
        found = _FIGURE.search(sentence)
        if found is None:
            continue
        line = " ".join(sentence[max(0, found.start() - AROUND) : found.end() + AROUND].split())
        yield line if len(sentence) <= 2 * AROUND else f"… {line} …"


def _latest(lines: Iterable[str], room: int) -> list[str]:
    """Return the latest lines that fit, each once, in their order; a token has 3 characters."""
    kept: list[str] = []
    for line in reversed(list(dict.fromkeys(lines))):
        room -= len(line) // 3 + 2
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]


def _step(entry: Entry) -> int:
    """Return the step that a result belongs to."""
    return int(entry.own_call.partition(".")[0] or 0)


def _told(entry: Entry) -> str:
    """Return an entry as a line of the record."""
    text = entry.packed.text if entry.packed else entry.text
    if len(text) > MOST_OF_ONE:
        text = f"{text[: MOST_OF_ONE * 3 // 4]}\n[…]\n{text[-MOST_OF_ONE // 4 :]}"
    if entry.role == "model":
        calls = "".join(
            f"\n→ {one.tool} {json.dumps(one.arguments, ensure_ascii=False, default=str)}"[:2_000]
            for one in entry.calls
        )
        return f"[you] {text}{calls}"
    if entry.role == "tool":
        return f"[result of {entry.kind}] {text}"
    return f"[{'harness' if entry.kind == 'harness' else 'user'}] {text}"


def _asked(text: str) -> list[Any]:
    from langchain_core.messages import HumanMessage, SystemMessage

    return [SystemMessage(content=words("summary")), HumanMessage(content=text)]
