"""Events: what can happen in a run, one frozen dataclass each.

Every class has a name and a version of its own. A field is never taken away or given a new
meaning under the same version; what a later version of this program wrote comes out as an
`UnknownEvent` and goes back byte for byte. Text is the user's, the model's or a tool's, in full:
what is long stands in a blob, which the journal sees to.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.journal.event import Event, Recorded, UnknownEvent
from harness.journal.events_model import (
    ContextCompacted,
    ContextPacked,
    MessageCompleted,
    MessageStreamed,
    ModelRequested,
)
from harness.journal.events_run import (
    BudgetWarned,
    MonitorFlagged,
    RunFinished,
    RunResumed,
    RunStarted,
    SteerReceived,
)
from harness.journal.events_tool import (
    ApprovalDecided,
    ApprovalRequested,
    FileChanged,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    ToolFinished,
    ToolRequested,
    ToolStarted,
)

__all__ = [
    "EVENTS",
    "ApprovalDecided",
    "ApprovalRequested",
    "BudgetWarned",
    "ContextCompacted",
    "ContextPacked",
    "Event",
    "FileChanged",
    "MessageCompleted",
    "MessageStreamed",
    "ModelRequested",
    "MonitorFlagged",
    "PlanUpdated",
    "QuestionAnswered",
    "QuestionAsked",
    "Recorded",
    "RunFinished",
    "RunResumed",
    "RunStarted",
    "SteerReceived",
    "ToolFinished",
    "ToolRequested",
    "ToolStarted",
    "UnknownEvent",
]

EVENTS: Mapping[str, type[Event]] = {
    kind.TYPE: kind
    for kind in (
        RunStarted,
        RunResumed,
        ContextPacked,
        ModelRequested,
        MessageStreamed,
        MessageCompleted,
        ToolRequested,
        ApprovalRequested,
        ApprovalDecided,
        ToolStarted,
        ToolFinished,
        PlanUpdated,
        QuestionAsked,
        QuestionAnswered,
        SteerReceived,
        FileChanged,
        BudgetWarned,
        ContextCompacted,
        MonitorFlagged,
        RunFinished,
    )
}
"""Every known type, by name."""
