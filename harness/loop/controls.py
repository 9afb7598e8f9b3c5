"""Control tools: what the loop itself does for a call of plan, ask, finish or delegate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from harness.journal.events import (
    PlanUpdated,
    QuestionAsked,
    ToolFinished,
)
from harness.journal.parts import PlanStep
from harness.loop.budgets import share_of
from harness.loop.finish import end
from harness.loop.inbox import Inbox
from harness.loop.means import Delegation
from harness.loop.prompts import words
from harness.loop.record import Record
from harness.loop.state_calls import OpenCall, limits_of
from harness.loop.tooling import Outcome, ToolFacts
from harness.loop.world import World
from harness.words.blank import is_blank

__all__ = ["Controls", "refusal"]

STATES = ("pending", "doing", "done", "dropped")


class Controls:
    """Plans, asks, hands in, delegates.

    Args:
        record: Of the run.
        world: Checks answers and works on children.
        inbox: Brings answers.
        stop: Set to end the children at work.
    """

    def __init__(self, record: Record, world: World, inbox: Inbox, stop: anyio.Event) -> None:
        self._record, self._world, self._inbox = record, world, inbox
        self.stop = stop

    async def do(self, call: OpenCall, facts: ToolFacts) -> None:
        """Bring a call of plan, ask or finish to its result.

        Raises:
            Ended: The run came to its end.
        """
        if facts.control == "plan":
            self._plan(call)
        elif facts.control == "ask":
            await self._ask(call)
        else:
            await self._hand_in(call)

    # --- plan and ask -------------------------------------------------------------------------

    def _plan(self, call: OpenCall) -> None:
        given = call.arguments.get("steps")
        steps = tuple(map(_plan_step, given if isinstance(given, list) else []))
        self._record.note(PlanUpdated(steps=steps))
        done = sum(one.state == "done" for one in steps)
        self._result(call, f"The plan has {len(steps)} steps, {done} done.")

    async def _ask(self, call: OpenCall) -> None:
        if call.question is None:
            choices = call.arguments.get("choices") or []
            self._record.note(
                QuestionAsked(
                    question=call.id,
                    text=str(call.arguments.get("question", "")),
                    choices=tuple(map(str, choices)),
                )
            )
            await self._record.commit()
        if call.answer is None:
            await self._inbox.drain()
        if call.answer is None and not self._world.waits(self._record):
            await end(self._record, "needs_input", answer=self._record.state.last_text)
        await self._inbox.wait_for(call)
        if call.answer is not None:
            self._result(call, f"The user answers: {call.answer.text}")

    # --- finish -------------------------------------------------------------------------------

    async def _hand_in(self, call: OpenCall) -> None:
        others = [one for one in self._record.state.calls.values() if one.id != call.id]
        if others:
            text = "Not handed in: other calls of the same message had no result yet. Look at"
            self._result(call, f"{text} their results, then call this again, alone.", error=True)
            return
        answer = str(call.arguments.get("answer", ""))
        if is_blank(answer):
            self._result(call, "The answer is empty. Hand in all of it.", error=True)
            return
        problems = await self.judge(answer, call)
        self._result(call, refusal(problems), error=True, artifact={"refused": list(problems)})

    async def judge(self, answer: str, call: OpenCall | None = None) -> tuple[str, ...]:
        """Check an answer; return what is wrong, for the model to mend, the first time.

        Args:
            answer: All of it.
            call: The call of finish that handed it in, if one did.

        Raises:
            Ended: The answer was accepted, or was wrong once more: the run has ended.
        """
        record, state = self._record, self._record.state
        gated = await self._world.gate(answer)
        if gated.problems and not state.refused_answers and not state.wrapping_up:
            return gated.problems
        if call is not None:
            self._result(call, "Handed in.")
        stop = "unverified" if gated.problems else "budget" if state.wrapping_up else "completed"
        await end(
            record,
            stop,  # type: ignore[arg-type] # one of three literals
            answer=answer,
            value=await self._world.value(answer),
            citations=gated.citations,
            problems=gated.problems,
        )
        raise AssertionError("end() raises")

    # --- delegate -----------------------------------------------------------------------------

    def granted(self, call: OpenCall) -> Mapping[str, Any]:
        """Return the arguments of a call of delegate with what the child may use."""
        share = call.arguments.get("share", 0.25)
        limits = share_of(
            self._record.state.left, float(share) if isinstance(share, int | float) else 0.25
        )
        return {
            **call.arguments,
            "run": f"{self._record.run}-{call.id.replace('.', '-')}",
            "limits": {
                "tokens": limits.tokens,
                "usd": None if limits.usd is None else str(limits.usd),
                "steps": limits.steps,
                "minutes": limits.minutes,
            },
        }

    async def delegate(self, call: OpenCall, arguments: Mapping[str, Any]) -> Outcome:
        """Work on a child run to its end; what it says is the result."""
        state = self._record.state
        rules = self._world.means.rules
        delegation = Delegation(
            run=str(arguments.get("run")),
            parent=self._record.run,
            parent_seq=self._record.writer.seq,
            task=str(arguments.get("task", "")),
            context=str(arguments.get("context", "")),
            limits=limits_of(arguments.get("limits")),
            mode=state.started.approvals if state.started else "never",
            rules=type(rules)(
                deny=rules.deny,
                ask=rules.ask,
                allow=rules.allow,
                grants=(*rules.grants, *state.grants),
            ),
            stop=self.stop,
        )
        return await self._world.delegate(call.id, delegation)

    def _result(
        self, call: OpenCall, text: str, *, error: bool = False, artifact: Any = None
    ) -> None:
        self._record.note(
            ToolFinished(
                step=self._record.state.step,
                call=call.id,
                tool=call.tool,
                text=text,
                artifact=artifact,
                error=error,
                outcome="failed" if error else "done",
            )
        )


def refusal(problems: Sequence[str]) -> str:
    """Return what the model is told of an answer that was not accepted."""
    return words("gate", problems="\n".join(f"- {one}" for one in problems))


def _plan_step(given: Any) -> PlanStep:
    if not isinstance(given, Mapping):
        return PlanStep(text=str(given))
    state = given.get("state", "pending")
    return PlanStep(text=str(given.get("text", "")), state=state if state in STATES else "pending")
