"""Calls: each is decided on, written down as begun, made, and its result written down.

Reading calls that stand side by side in a message are made together, all others one by one. What a
call changed in the workspace is written down with its result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import anyio

from harness.errors import HarnessError
from harness.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    FileChanged,
    MonitorFlagged,
    ToolFinished,
    ToolStarted,
)
from harness.journal.parts import ApprovalMode, Blob, Picture
from harness.loop.approvals import Verdict, decide
from harness.loop.attend import GivenUp, attend
from harness.loop.controls import Controls
from harness.loop.finish import end
from harness.loop.inbox import Inbox
from harness.loop.prompts import words
from harness.loop.record import Record
from harness.loop.spill import spill
from harness.loop.state import OpenCall
from harness.loop.tooling import Outcome, ToolFacts, said_by
from harness.loop.world import World

__all__ = ["Calls"]

TOGETHER = 8
"""Reading calls that are made at once."""
MOST_REPEATS = 5
SPILLED = "spilled/"
"""Folder of the workspace for the full text of long results."""
UNKNOWN_TOOL = ToolFacts(name="")


class Calls:
    """Works off the calls of a message.

    Args:
        record: Of the run.
        world: Has the tools.
        inbox: Brings decisions and answers.
        controls: Does what the loop itself does for a call.
    """

    def __init__(self, record: Record, world: World, inbox: Inbox, controls: Controls) -> None:
        self._record, self._world, self._inbox = record, world, inbox
        self._controls = controls

    async def work_off(self) -> None:
        """Bring every open call to its result.

        Raises:
            Ended: The run came to its end with one of them.
        """
        while self._record.state.calls:
            waiting = list(self._record.state.calls.values())
            together: list[OpenCall] = []
            for call in waiting:
                if len(together) == TOGETHER or not self._side_by_side(call):
                    break
                together.append(call)
            if together:
                await self._make(together)
            else:
                await self._one(waiting[0])

    # --- what is to be done with a call -------------------------------------------------------

    def _facts(self, call: OpenCall) -> ToolFacts:
        return self._world.facts(call.tool) or UNKNOWN_TOOL

    def _side_by_side(self, call: OpenCall) -> bool:
        """Whether a call may be made beside others, with nobody to be asked."""
        facts = self._facts(call)
        if call.repeat >= MOST_REPEATS or self._record.state.wrapping_up or not facts.name:
            return False
        if call.uncertain and not _repeatable(call):
            return False
        reads = call.effect == "read" and facts.control in ("", "delegate")
        if not reads or call.asked is not None:
            return False
        if call.decision is not None:
            return call.decision.decision == "allow" and call.decision.arguments is None
        return self._verdict(call).word == "allow"

    def _verdict(self, call: OpenCall) -> Verdict:
        state = self._record.state
        return decide(
            call.tool,
            self._world.full_arguments(call.tool, call.arguments),
            call.effect,
            rules=self._world.means.rules,
            mode=self._mode,
            grants=state.grants,
        )

    @property
    def _mode(self) -> ApprovalMode:
        started = self._record.state.started
        return started.approvals if started else "ask"

    async def _one(self, call: OpenCall) -> None:
        """Bring one call to its result."""
        facts = self._facts(call)
        if not facts.name:
            text = f"There is no tool `{call.tool}` any more."
            self._finish(call, Outcome(text=text, outcome="invalid"))
        elif call.repeat >= MOST_REPEATS:
            await self._end_loop(call)
        elif facts.control in ("plan", "ask", "finish"):
            await self._controls.do(call, facts)
        elif self._record.state.wrapping_up:
            text = "The budget is all but used up: hand in the answer now, from what there is."
            self._finish(call, Outcome(text=text, outcome="denied"))
        elif call.uncertain and not _repeatable(call):
            if await self._again(call):
                await self._make([call])
        elif await self._allowed(call):
            await self._make([call])

    async def _end_loop(self, call: OpenCall) -> None:
        text = "The call was not made: it is the same for the fifth time."
        for one in list(self._record.state.calls.values()):
            self._finish(one, Outcome(text=text, outcome="denied"))
        problem = f"The model made the same call of `{call.tool}` {MOST_REPEATS} times."
        answer = self._record.state.last_text
        await end(self._record, "loop", answer=answer, problems=(problem,))

    # --- approval -----------------------------------------------------------------------------

    async def _allowed(self, call: OpenCall) -> bool:
        """Return whether a call is made; where it is not, its result says why."""
        if call.decision is None and call.asked is None:
            verdict = self._verdict(call)
            if verdict.word == "allow":
                if verdict.rule:
                    self._decided_by_policy(call, "allow", f"the rule {verdict.rule}")
                return True
            if verdict.word == "deny":
                self._decided_by_policy(call, "deny", verdict.reason)
                self._refuse(call, verdict.reason)
                return False
            preview = await self._world.preview(call.id, call.tool, call.arguments)
            await self._ask(call, preview, verdict.rule)
        if call.decision is None:
            await self._wait(call)
        decision = call.decision
        if decision is None or decision.decision == "deny":
            self._refuse(call, "the user refused it" + _why(decision))
            return False
        return self._edited_is_allowed(call)

    def _edited_is_allowed(self, call: OpenCall) -> bool:
        """Check the arguments as a person changed them: the rules that forbid still hold."""
        edited = call.decision.arguments if call.decision else None
        if edited is None:
            return True
        problem = self._world.problem(call.id, call.tool, edited)
        if problem:
            self._finish(call, Outcome(text=problem, outcome="invalid"))
            return False
        verdict = decide(
            call.tool,
            self._world.full_arguments(call.tool, edited),
            call.effect,
            rules=replace(self._world.means.rules, ask=()),
            mode="ask",
        )
        if verdict.word == "deny":
            self._refuse(call, verdict.reason)
            return False
        return True

    async def _again(self, call: OpenCall) -> bool:
        """Decide on a call that had begun and may have taken effect."""
        if self._mode != "ask":
            self._finish(call, Outcome(text=words("unknown"), outcome="unknown"))
            return False
        if call.asked is None or call.decision is not None:
            arguments = call.started.arguments if call.started else call.arguments
            preview = await self._world.preview(call.id, call.tool, arguments)
            await self._ask(call, f"{words('unfinished')}\n\n{preview}".strip(), "unfinished")
        await self._wait(call)
        if call.decision is None or call.decision.decision == "deny":
            text = f"{words('unknown')} The user chose so{_why(call.decision)}."
            self._finish(call, Outcome(text=text, outcome="unknown"))
            return False
        return self._edited_is_allowed(call)

    async def _ask(self, call: OpenCall, preview: str, rule: str) -> None:
        self._record.note(
            ApprovalRequested(
                call=call.id,
                tool=call.tool,
                arguments=call.arguments,
                effect=call.effect,
                preview=preview,
                rule=rule,
            )
        )
        await self._record.commit()

    async def _wait(self, call: OpenCall) -> None:
        """Wait for a decision; where nobody is there to give it, the run ends, resumable.

        Raises:
            Ended: It does, or it was cancelled.
        """
        await self._inbox.drain()
        if call.decision is None and not self._world.waits(self._record):
            await end(self._record, "needs_input", answer=self._record.state.last_text)
        await self._inbox.wait_for(call)

    def _decided_by_policy(self, call: OpenCall, word: str, reason: str) -> None:
        self._record.note(
            ApprovalDecided(
                call=call.id,
                decision="allow" if word == "allow" else "deny",
                reason=reason,
                by="policy",
            )
        )

    def _refuse(self, call: OpenCall, reason: str) -> None:
        text = f"The call was not made: {reason}. Find another way, or say what can't be done."
        self._finish(call, Outcome(text=text, outcome="denied"))

    # --- making calls -------------------------------------------------------------------------

    async def _make(self, calls: Sequence[OpenCall]) -> None:
        """Make calls that are allowed, beside one another."""
        for call in calls:
            if call.decision is None and (verdict := self._verdict(call)).rule:
                self._decided_by_policy(call, "allow", f"the rule {verdict.rule}")
            self._begin(call)
        await self._record.commit()
        outcomes = await self._outcomes(calls)
        stopped = False
        for call, outcome in zip(calls, outcomes, strict=True):
            if outcome is None:
                stopped = True
                continue
            await self._write_down(call, outcome)
        # What they did is written with what is begun next: nothing happens in the world before.
        if stopped:
            await self._inbox.drain()
            await end(self._record, "cancelled", answer=self._record.state.last_text)

    def _begin(self, call: OpenCall) -> None:
        arguments = call.arguments
        if call.decision is not None and call.decision.arguments is not None:
            arguments = call.decision.arguments
        elif call.started is not None:
            arguments = call.started.arguments
        elif self._facts(call).control == "delegate":
            arguments = self._controls.granted(call)
        self._record.note(
            ToolStarted(
                step=self._record.state.step,
                call=call.id,
                tool=call.tool,
                arguments=arguments,
                effect=call.effect,
                idempotent=call.idempotent,
                attempt=call.attempt + 1,
            )
        )

    async def _outcomes(self, calls: Sequence[OpenCall]) -> list[Outcome | None]:
        """Return what came of calls; None for one that was given up when the run was cancelled."""
        outcomes: list[Outcome | None] = [None] * len(calls)

        async def run(index: int, call: OpenCall) -> None:
            started = self._world.clock()
            outcome = await self._call(call)
            outcomes[index] = replace(outcome, seconds=self._world.elapsed(started, call.id))

        async def run_all() -> None:
            async with anyio.create_task_group() as group:
                for index, call in enumerate(calls):
                    group.start_soon(run, index, call)

        with contextlib.suppress(GivenUp):
            work = run(0, calls[0]) if len(calls) == 1 else run_all()
            await attend(work, partial(self._shall_end, calls))
        return outcomes

    async def _shall_end(self, calls: Sequence[OpenCall]) -> bool:
        """Return whether calls at work are given up.

        What changes the world is not: its outcome would not be known. Children end by themselves.
        """
        if not await self._inbox.cancelled():
            return False
        if any(map(self._is_child, calls)):
            self._controls.stop.set()
            return False
        return all(one.effect == "read" for one in calls)

    async def _call(self, call: OpenCall) -> Outcome:
        facts = self._facts(call)
        arguments = call.started.arguments if call.started else call.arguments
        if facts.control == "delegate":
            return await self._controls.delegate(call, arguments)
        minutes = self._record.state.left.minutes
        most = facts.timeout if minutes is None else min(facts.timeout, max(1.0, minutes * 60))
        return await self._world.execute(call.id, call.tool, arguments, most)

    # --- results ------------------------------------------------------------------------------

    async def _write_down(self, call: OpenCall, outcome: Outcome) -> None:
        """Note the result of a call and what it changed."""
        await self.note_changes(call.id, reads=call.effect == "read" and not self._is_child(call))
        text = self._world.means.mask(outcome.text)
        full: Blob | None = None
        spilled = spill(text, self._world.means.counter)
        if spilled is not None:
            data = spilled.full.encode("utf-8", "replace")
            full = await self._record.put_blob(data)
            path = f"{SPILLED}{call.id}.txt"
            written = await self._world.write(call.id, path, data)
            text = spilled.shown(f"in the file `{path}`" if written else "kept in the journal")
        pictures = await self._record.put_pictures(outcome.pictures)
        self._finish(call, replace(outcome, text=text), full, pictures)

    def _is_child(self, call: OpenCall) -> bool:
        return self._facts(call).control == "delegate"

    def _finish(
        self,
        call: OpenCall,
        outcome: Outcome,
        full: Blob | None = None,
        pictures: tuple[Picture, ...] = (),
    ) -> None:
        self._record.note(
            ToolFinished(
                step=self._record.state.step,
                call=call.id,
                tool=call.tool,
                text=outcome.text,
                full=full,
                artifact=outcome.artifact,
                error=outcome.error,
                outcome=outcome.outcome,
                seconds=outcome.seconds,
                pictures=pictures,
            )
        )

    async def note_changes(self, call: str, *, reads: bool = False) -> None:
        """Note what changed in the workspace.

        Args:
            call: Id of the call that did it; empty where none did.
            reads: The call only reads: the workspace is not looked at.
        """
        if reads:
            return
        try:
            changes = await self._world.changes(call)
        except (HarnessError, OSError) as error:
            problem = f"The workspace can't be read, so changes are not recorded: {said_by(error)}"
            self._record.note(MonitorFlagged(rule="workspace", text=problem, call=call))
            return
        state = self._record.state
        for change in changes:
            if change.path.startswith(SPILLED):
                continue
            before = state.turn_before.get(change.path, state.files.get(change.path))
            if before is None and change.path not in state.turn_before:
                before = await self._record.put_content(change.before)
            after = await self._record.put_content(change.after)
            self._record.note(
                FileChanged(
                    path=change.path, before=before, after=after, turn=state.turn, call=call
                )
            )


def _repeatable(call: OpenCall) -> bool:
    return call.effect == "read" or call.idempotent


def _why(decision: ApprovalDecided | None) -> str:
    return f": {decision.reason}" if decision is not None and decision.reason else ""
