"""A turn of the model: room made, cost reserved, the call made, its message written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from harness.errors import (
    BadResponse,
    ContextTooLong,
    HarnessError,
    ModelError,
    ProviderUnavailable,
    RateLimited,
    StateError,
)
from harness.journal.events import MessageCompleted, ModelRequested, ToolFinished, ToolRequested
from harness.journal.parts import Purpose, ToolCall
from harness.loop.attend import GivenUp, attend
from harness.loop.budgets import LEAST_OUTPUT, USUAL_OUTPUT, Price, used_up, warnings
from harness.loop.finish import end
from harness.loop.inbox import Inbox
from harness.loop.messages import part_message
from harness.loop.pictures import takes_pictures
from harness.loop.record import Record
from harness.loop.streamed import Streamed
from harness.loop.tooling import said_by
from harness.loop.world import DEFAULT_WINDOW, World
from harness.values import Delta, Reply, Usage

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from harness.seams import Model

__all__ = ["OutOfTime", "Turns"]

CUT_SHORT = frozenset({"length", "max_tokens", "max_output_tokens", "MAX_TOKENS"})
"""Words of providers for: the message ends at the limit of its length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What came of a call to a model: a reply, or why there is none."""

    reply: Reply | None = None
    error: HarnessError | None = None
    cancelled: bool = False
    seconds: float = 0.0


class Turns:
    """Asks the model.

    Args:
        record: Of the run.
        world: Has the models.
        inbox: Watched while a call takes long.
        tool_tokens: Tokens of the tools' descriptions.
    """

    def __init__(self, record: Record, world: World, inbox: Inbox, tool_tokens: int) -> None:
        self._record, self._world, self._inbox = record, world, inbox
        self._tool_tokens = tool_tokens
        self.error: HarnessError | None = None
        self.model: Model = world.means.model

    # --- sizes and prices ---------------------------------------------------------------------

    @property
    def window(self) -> int:
        """Most input tokens of the model, in its own tokens."""
        return self._world.means.window or self.model.context_window or DEFAULT_WINDOW

    def context_tokens(self) -> int:
        """Return what the next call's input will have, in the model's tokens, about."""
        state = self._record.state
        return int((state.conversation.tokens + self._tool_tokens) * state.ratio) + 1

    def count(self, text: str) -> int:
        """Return how many of our tokens a text has."""
        return self._world.means.counter.count(text)

    def _price(self) -> Price:
        tokens = self.context_tokens()
        if self._record.state.limits.usd is None:
            return Price(input_tokens=tokens)
        return Price(
            input_tokens=tokens,
            input_usd=self.model.cost(tokens, 0),
            usual_usd=self.model.cost(tokens, USUAL_OUTPUT),
        )

    async def check_budgets(self) -> None:
        """Say what has to be said of the budgets.

        Raises:
            Ended: One is used up.
        """
        state = self._record.state
        found = warnings(state.limits, state.spent, state.left, self._price(), state.told)
        self._record.note(*found)
        if any(one.level == "stop" for one in found):
            problems = tuple(used_up(one) for one in found if one.level == "stop")
            await end(self._record, "budget", answer=state.last_text, problems=problems)

    def most_output(self, input_tokens: int) -> int:
        """Return the most that the model may write, so that no budget is overspent."""
        rest = self._record.state.left
        most = self._world.means.max_output_tokens
        if rest.tokens is not None:
            most = min(most, rest.tokens - input_tokens)
        if rest.usd is not None:
            most = min(most, self._affordable(input_tokens, rest.usd, most))
        return max(most, LEAST_OUTPUT)

    def _affordable(self, input_tokens: int, usd: Decimal, most: int) -> int:
        """Return how many output tokens the rest of the money buys."""
        whole = self.model.cost(input_tokens, most)
        bare = self.model.cost(input_tokens, 0)
        if whole is None or bare is None or whole <= usd:
            return most
        if whole == bare:  # a price for each call, whatever its length
            return most
        return int(most * (usd - bare) / (whole - bare))

    # --- one call -----------------------------------------------------------------------------

    async def request(
        self,
        messages: Callable[[], Sequence[BaseMessage]],
        *,
        purpose: Purpose = "step",
        sha256: str,
        tokens: int,
        attempt: int = 1,
    ) -> Said:
        """Reserve what a call may cost, write it down, and make it.

        Args:
            messages: Gives what the model is shown, once it is settled which model that is.
            purpose: What for.
            sha256: Of the request.
            tokens: Of its input, in the model's tokens, about.
            attempt: The how many-th for this step.

        Raises:
            Ended: The run was cancelled meanwhile.
        """
        record, state = self._record, self._record.state
        most = self.most_output(tokens)
        bounded = state.limits.tokens is not None or state.limits.usd is not None
        record.note(
            ModelRequested(
                step=state.step + 1,
                model=self.model.name,
                purpose=purpose,
                attempt=attempt,
                request_sha256=sha256,
                reserved_input_tokens=tokens,
                reserved_output_tokens=most,
                reserved_usd=self.model.cost(tokens, most) if state.limits.usd else None,
            )
        )
        await record.commit()
        started = self._world.clock()
        said = await self._attended(messages(), most if bounded else None, purpose)
        if said.cancelled:
            await self._inbox.drain()
            await end(record, "cancelled", answer=state.last_text)
        return Said(reply=said.reply, error=said.error, seconds=self._world.elapsed(started))

    async def _attended(
        self, messages: Sequence[BaseMessage], most: int | None, purpose: Purpose
    ) -> Said:
        """Make the call; give it up when the run is cancelled or its time is over."""
        minutes = self._record.state.left.minutes
        work = self._stream(messages, most, purpose)
        seconds = None if minutes is None else minutes * 60
        try:
            return await attend(work, self._inbox.cancelled, seconds=seconds)
        except GivenUp:
            return Said(cancelled=True)
        except TimeoutError:
            return Said(error=OutOfTime("The time that the run may take is over."))

    async def _stream(
        self, messages: Sequence[BaseMessage], most: int | None, purpose: Purpose
    ) -> Said:
        own = purpose == "step"
        reply: Reply | None = None
        kept = Streamed(self._record, self._record.state.step + 1)
        try:
            stream = self._world.stream(self.model, messages, most, bare=not own)
            async with aclosing(cast(Any, stream)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Reply):
                        reply = piece
                    elif own:
                        await self._record.say(piece)
                        await kept.take(piece)
        except StateError:
            raise  # nothing can be written any more
        except asyncio.CancelledError:
            await kept.keep(all_of_it=True)
            raise
        except HarnessError as error:
            await kept.keep(all_of_it=True)
            return Said(error=error)
        except Exception as error:
            await kept.keep(all_of_it=True)
            # A model of the user's own may raise anything; the run ends in words all the same.
            return Said(error=ModelError(f"{self.model.name} failed: {said_by(error)}"))
        if reply is None:
            return Said(error=BadResponse(f"{self.model.name} ended without an answer."))
        return Said(reply=reply)

    # --- a step -------------------------------------------------------------------------------

    async def ask(self, make_room: Any) -> Reply:
        """Ask the model for its next message; write it down.

        Args:
            make_room: Called where the provider refuses the request as too long; returns
                whether there is room now.

        Raises:
            Ended: There is no answer to be had, or the run was cancelled.
        """
        state = self._record.state
        compacted = False
        while True:
            conversation = state.conversation
            said = await self.request(
                lambda: state.conversation.messages_for(pictures=takes_pictures(self.model)),
                sha256=conversation.sha256(),
                tokens=self.context_tokens(),
                attempt=state.attempt + 1,
            )
            if said.reply is not None:
                self._write_down(said.reply, said.seconds)
                return said.reply
            error = said.error or BadResponse("There is no answer.")
            if isinstance(error, OutOfTime):
                await end(self._record, "budget", answer=state.last_text, problems=(error.message,))
            if isinstance(error, ContextTooLong) and not compacted:
                compacted = True
                if await make_room():
                    continue
            if self._switch(error):
                await self._record.say(Delta(restart=True))
                continue
            self.error = error
            await end(self._record, "failed", problems=(str(error),))

    def _switch(self, error: HarnessError) -> bool:
        """Go over to the fallback model, if there is one and it may help."""
        fallback = self._world.means.fallback
        passing = isinstance(error, ProviderUnavailable | RateLimited | BadResponse)
        if fallback is None or self.model is fallback or not passing:
            return False
        self.model = fallback
        return True

    def _write_down(self, reply: Reply, seconds: float) -> None:
        """Note the message and the calls that it makes."""
        step = self._record.state.step + 1
        parted = part_message(reply.message, reply.text, step)
        self._record.note_message(
            MessageCompleted(
                step=step,
                text=reply.text,
                calls=parted.calls,
                usage=self._priced(reply.usage),
                stop=reply.stop,
                model=reply.model,
                summary=parted.summary,
                message=parted.message,
                seconds=seconds,
            ),
            parted.sealed,
        )
        requested = [
            self._requested(step, number, call) for number, call in enumerate(parted.calls, 1)
        ]
        self._record.note(*requested)
        for event, call in zip(requested, parted.calls, strict=True):
            problem = self._call_problem(event.call, call, twice=call.id in parted.twice)
            if problem:
                self._record.note(
                    ToolFinished(
                        step=step,
                        call=event.call,
                        tool=call.tool,
                        text=problem,
                        error=True,
                        outcome="invalid",
                    )
                )

    def _priced(self, usage: Usage) -> Usage:
        """Return the usage with a price, where a budget in money has to be kept."""
        if usage.cost_usd is not None or self._record.state.limits.usd is None:
            return usage
        cost = self.model.cost(usage.input_tokens, usage.output_tokens)
        return Usage(
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=cost,
        )

    def _requested(self, step: int, number: int, call: ToolCall) -> ToolRequested:
        facts = self._world.facts(call.tool)
        return ToolRequested(
            step=step,
            call=f"{step}.{number}",
            tool=call.tool,
            arguments=call.arguments or ({"written": call.written} if call.written else {}),
            effect=facts.effect if facts else "read",
            idempotent=facts.idempotent if facts else False,
        )

    def _call_problem(self, name: str, call: ToolCall, *, twice: bool) -> str:
        """Return what is wrong with a call, for the model; empty where nothing is."""
        if self._world.facts(call.tool) is None:
            names = ", ".join(f"`{one}`" for one in self._world.names()) or "none"
            return f"There is no tool `{call.tool}`. There are: {names}."
        if call.written:
            shown = call.written[:200]
            return f"The arguments are no JSON object: {shown!r}. Nothing was done; call again."
        if twice:
            return "This call has the id of another call in the same message. Call again alone."
        return self._world.problem(name, call.tool, call.arguments)


class OutOfTime(HarnessError):
    """The minutes of the budget are used up."""
