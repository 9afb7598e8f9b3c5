"""A run for programs and for people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from harness.errors import UsageError
from harness.journal.events import (
    EVENTS,
    ApprovalDecided,
    ApprovalRequested,
    BudgetWarned,
    ContextCompacted,
    Event,
    FileChanged,
    MessageCompleted,
    MonitorFlagged,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
    ToolFinished,
    ToolStarted,
    UnknownEvent,
)
from harness.journal.export import to_jsonl, to_markdown
from harness.journal.parts import Blob, Citation, File, PlanStep
from harness.journal.reasoning import refuse_reasoning

BLOB = Blob(hash="a" * 64, bytes=1234)
RUN: list[Event] = [
    RunStarted(
        goal="Check it.\nAll.", domain="law", domain_version="v7", model="m:x",
        files=(File(path="lease.pdf", blob=BLOB),),
    ),
    MessageCompleted(step=1, text="I read the lease."),
    MessageCompleted(step=1, text="upkeep", purpose="compact"),
    PlanUpdated(steps=(PlanStep(text="read", state="done"), PlanStep(text="write"))),
    ToolStarted(step=1, call="c1", tool="read_file", arguments={"path": "lease.pdf"}),
    ToolFinished(step=1, call="c1", tool="read_file", text="x```y", seconds=0.25),
    ToolFinished(step=1, call="c2", tool="search", text="no such", error=True, outcome="failed"),
    ApprovalRequested(call="c3", tool="send", effect="external", preview="Dear all"),
    ApprovalDecided(call="c3", decision="deny", reason="too early", by="Ann"),
    QuestionAsked(question="q", text="Which one?\nA or B?"),
    QuestionAnswered(question="q", text="A"),
    SteerReceived(text="shorter", by="Bob"),
    FileChanged(path="out.md", after=BLOB, turn=1),
    FileChanged(path="out.md", before=BLOB, after=BLOB, turn=1),
    FileChanged(path="out.md", before=BLOB, turn=2),
    BudgetWarned(budget="usd", level="warn", used=Decimal("1.6"), limit=Decimal(2)),
    ContextCompacted(how="summary", tokens_before=90000, tokens_after=20000),
    MonitorFlagged(rule="exfiltration", text="wants to send mail"),
    RunResumed(reason="killed", notices=("The domain changed.",)),
    UnknownEvent(name="tool.dreamt", version=3, payload=b'{"x":1}'),
    RunFinished(
        stop="unverified", answer="42", problems=("a quote is wrong",),
        citations=(Citation(document="lease.pdf", where="p. 3", quote="rent", verified=True),
                   Citation(document="lease.pdf", quote="gone")),
    ),
]  # fmt: skip


def recorded(*events: Event) -> list[Recorded]:
    at = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
    return [
        Recorded(run="r1", seq=seq, at=at, event=event, hash="ab")
        for seq, event in enumerate(events, 1)
    ]


def test_json_lines_hold_every_event_in_full() -> None:
    lines = [json.loads(line) for line in to_jsonl(recorded(*RUN))]
    assert [line["seq"] for line in lines] == list(range(1, len(RUN) + 1))
    assert lines[0]["at"] == "2026-01-02T03:04:05.678+00:00"
    assert lines[0]["type"] == "run.started"
    assert lines[0]["event"]["files"] == [
        {"path": "lease.pdf", "blob": {"hash": "a" * 64, "bytes": 1234}}
    ]
    unknown = lines[-2]
    assert (unknown["type"], unknown["version"], unknown["event"]) == ("tool.dreamt", 3, {"x": 1})


def test_markdown_reads_like_the_work() -> None:
    text = "".join(to_markdown(recorded(*RUN)))
    for said in (
        "Check it.\nAll.",
        "- lease.pdf (1,234 bytes)",
        "## Step 1\n\nI read the lease.",
        "- [x] read\n- [ ] write",
        '"path": "lease.pdf"',
        "````\nx```y\n````",  # its own text can't end the block
        "*search (failed), 0.0 s:*",
        "Dear all",
        "> Refused by Ann, once: too early.",
        "> Question: Which one?\n> A or B?",
        "> Answer: A",
        "> Bob: shorter",
        "*Made out.md*\n\n*Wrote out.md*\n\n*Removed out.md*",
        "1.6 of 2 usd",
        "90,000 → 20,000",
        "wants to send mail",
        "*Resumed: killed.* The domain changed.",
        "tool.dreamt, version 3",
        "## End: unverified",
        "lease.pdf, p. 3: “rent”\n",
        "“gone” (not found there)",
    ):
        assert said in text
    assert "upkeep" not in text


def test_a_long_output_is_cut_in_markdown_and_says_so() -> None:
    event = ToolFinished(step=1, call="c", tool="t", text="x" * 9000)
    text = "".join(to_markdown(recorded(event)))
    assert "5,000 characters more" in text
    assert "x" * 9000 in next(to_jsonl(recorded(event)))


def test_half_a_surrogate_pair_does_not_stop_an_export() -> None:
    event = MessageCompleted(step=1, text="a\ud83d")
    assert "a?" in "".join(to_markdown(recorded(event)))
    assert json.loads(next(to_jsonl(recorded(event))))["event"]["text"] == "a\ud83d"


def test_every_known_type_can_be_exported() -> None:
    shown = {event.TYPE for event in RUN}
    silent = {"context.packed", "model.requested", "message.streamed", "tool.requested"}
    assert shown | silent == {*EVENTS, ""}  # the empty one is of UnknownEvent


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "thinking", "thinking": "hm", "signature": "s"}]},
        {"content": [{"type": "text", "text": "a"}, {"type": "redacted_thinking", "data": "x"}]},
        {"content": [{"type": "reasoning", "reasoning": "hm"}]},
        {"content": "a", "additional_kwargs": {"reasoning_content": "hm"}},
        {"type": "ai", "data": {"content": [{"type": "reasoning", "id": "rs_1"}]}},
        {"type": "reasoning", "encrypted_content": "gAAA"},
    ],
)
def test_a_message_that_carries_reasoning_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="reasoning="):
        refuse_reasoning(MessageCompleted(step=1, message=message))


def test_arguments_of_a_tool_may_say_anything() -> None:
    call = {"name": "save", "args": {"type": "reasoning", "thinking": "x"}, "id": "c"}
    block = {"type": "tool_use", "input": {"type": "thinking"}}
    message = {"content": [{"type": "text", "text": "a"}, block], "tool_calls": [call]}
    refuse_reasoning(MessageCompleted(step=1, message=message))
