"""Everything a test needs to stand in for the outside world: fakes for the seams, a provider.

`ProviderServer` is a model provider on loopback that real client libraries talk to;
`ScriptedModel` is a model in-process. Both are scripted with `Turn`s. `ban_live_models` makes
sure that nothing else is talked to.
"""

from __future__ import annotations

from harness.testing.bank import MemoryBank
from harness.testing.fakes import HashEmbedder, MemoryRatios, WordCounter
from harness.testing.journal import MemoryJournal
from harness.testing.models import Call, ScriptedModel
from harness.testing.network import LiveNetworkBanned, ban_live_models
from harness.testing.provider import ProviderServer, Request, refuse_connections
from harness.testing.recordings import Recorded, load_recording
from harness.testing.sandbox import FakeCalculator, FakeSandbox, FakeToolServer
from harness.testing.turns import Fault, FaultKind, Reasoning, Tokens, ToolCall, Turn
from harness.testing.workspace import MemoryWorkspace

__all__ = [
    "Call",
    "FakeCalculator",
    "FakeSandbox",
    "FakeToolServer",
    "Fault",
    "FaultKind",
    "HashEmbedder",
    "LiveNetworkBanned",
    "MemoryBank",
    "MemoryJournal",
    "MemoryRatios",
    "MemoryWorkspace",
    "ProviderServer",
    "Reasoning",
    "Recorded",
    "Request",
    "ScriptedModel",
    "Tokens",
    "ToolCall",
    "Turn",
    "WordCounter",
    "ban_live_models",
    "load_recording",
    "refuse_connections",
]
