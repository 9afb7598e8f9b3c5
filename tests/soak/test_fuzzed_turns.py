"""Fuzzed provider turns through the real client libraries: every one ends in a result or an error.

What the provider says is drawn: texts, calls that are broken, doubled or unknown, reasoning, odd
usage, every fault; and recorded traffic of real providers, its bytes changed, cut and doubled.
A few hundred turns in `make test`, 10,000 in `make soak`, kept in `.cache/soak`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import anyio
import pytest

from harness.adapters.journal_sql import SqlJournal
from harness.adapters.model_langchain import LangChainModel
from harness.errors import HarnessError
from harness.journal.events import ContextPacked, RunFinished, RunStarted
from harness.journal.parts import Limits
from harness.loop import Loop, Means, Opening
from harness.testing import Fault, ProviderServer, Reasoning, ToolCall, Turn, WordCounter
from harness.testing.recordings import Recorded, load_recording
from harness.testing.turns import FaultKind, Tokens
from harness.testing.wire import Wire
from harness.testing.wire_anthropic import Messages
from harness.testing.wire_openai_chat import ChatCompletions
from harness.testing.wire_openai_responses import Responses
from harness.tools import make_kit
from harness.values_packed import Message, Part
from tests.loop.desk import tool

ROOT = Path(__file__).parents[2]
SOAK = os.environ.get("HARNESS_SOAK") == "1"
TURNS = 10_000 if SOAK else 120
SEED = 20_261_121
WIRES: dict[str, tuple[str, Wire]] = {
    "chat": ("openai:gpt-5-mini", ChatCompletions()),
    "responses": ("openai:gpt-5-mini", Responses()),
    "anthropic": ("anthropic:claude-sonnet-4-6", Messages()),
}
TEXTS = (
    "", " ", "Done.", "x" * 20_000, "é漢😀\u202e\u0000", "<think>hm</think>Yes.", '{"a": 1',
    '[x.pdf: "quote"]', "```json\n{}\n```", "\n\n\n", "null", "[" * 500,
)  # fmt: skip
ARGUMENTS: tuple[Any, ...] = (
    {"n": 4}, {"n": "four"}, {}, {"n": 1, "more": [1]}, '{"n": 4', "", "null", "[1]", '"x"', "{}{}",
    '{"n": 1e999}', '{"n": NaN}', '{"n": ' + "9" * 400 + "}", '{"a":' * 300, "\u0000",
    {"answer": 7}, {"answer": "Done."}, {"steps": "none"}, {"steps": [{"text": 1}]},
)  # fmt: skip
NAMES = ("look", "finish", "plan", "fail", "no_such_tool", "", "look look", "x" * 300)


def look(n: int) -> str:
    """Look at a clause."""
    return f"clause {n}"


def fail(n: int) -> str:
    """Fail."""
    raise RuntimeError(f"no clause {n}")


def streamed(one: Recorded, wire: Wire) -> Recorded:
    """Return an exchange as an event stream, which is what the loop asks for."""
    if one.streamed:
        return one
    body = b"".join(event.encode() for event in wire.events(json.loads(one.body), one.request))
    return dataclasses.replace(one, body=body.decode(), content_type="text/event-stream")


class Fuzz:
    """Draws what a provider answers."""

    def __init__(self, draw: random.Random, wire: Wire) -> None:
        self._draw = draw
        self._recorded = [
            streamed(exchange, wire)
            for file in sorted((ROOT / "tests" / "recordings").glob("*.json"))
            for exchange in load_recording(file)
            if exchange.path.endswith(wire.path) and exchange.status == 200
        ]
        self.turns = 0

    def __call__(self, _: object) -> Turn | Recorded:
        self.turns += 1
        draw = self._draw
        if self._recorded and draw.random() < 0.3:
            return self._mangled(draw.choice(self._recorded))
        fault = None
        if draw.random() < 0.2:
            kind: FaultKind = draw.choice(get_args(FaultKind))
            after = draw.choice([None, 0, "0", "soon", -1, "Thu, 01 Jan 1970 00:00:00 GMT"])
            fault = Fault(kind=kind, retry_after=after, clean=draw.random() < 0.5)
        cut = fault.kind if fault else ""
        text = "I look at it." if cut in ("cut_text", "error_event") else draw.choice(TEXTS)
        calls = 1 if cut == "cut_tool_call" else draw.choice([0, 1, 1, 2, 5])
        return Turn(
            text=text,
            tool_calls=tuple(self._call() for _ in range(calls)),
            reasoning=tuple(self._reasoning() for _ in range(draw.choice([0, 0, 1, 3]))),
            tokens=self._tokens(),
            stop=draw.choice(["done", "done", "length", "filter"]),
            model=draw.choice(["", "other-model"]),
            fault=fault,
        )

    def _call(self) -> ToolCall:
        draw = self._draw
        name = draw.choice(NAMES) if draw.random() < 0.4 else "look"
        return ToolCall(
            name=name, arguments=draw.choice(ARGUMENTS), id=draw.choice(["", "", "same", "x" * 100])
        )

    def _reasoning(self) -> Reasoning:
        draw = self._draw
        return Reasoning(
            text=draw.choice(["", "hm", "x" * 3_000]),
            seal=draw.choice(["", "c2VhbA==", "not base64"]),
            redacted=draw.random() < 0.2,
        )

    def _tokens(self) -> Tokens | None:
        draw = self._draw
        some = Tokens(input=draw.choice([0, 1, 10**7]), output=draw.choice([0, 5, 10**6]))
        return draw.choice([None, some])

    def _mangled(self, one: Recorded) -> Recorded:
        """Change a recorded answer: characters, lines, status, charset, or nothing."""
        draw, body = self._draw, one.body
        how = draw.randrange(7)
        if how == 1:
            body = body[: draw.randrange(len(body) + 1)]
        elif how == 2:
            for _ in range(draw.randint(1, 20)):
                at = draw.randrange(len(body))
                body = body[:at] + chr(draw.randrange(32, 127)) + body[at + 1 :]
        elif how in (3, 4):
            lines = body.split("\n")
            for _ in range(draw.randint(1, 5)):
                at = draw.randrange(len(lines))
                lines[at : at + 1] = [] if how == 3 else [lines[at]] * 2
            body = "\n".join(lines)
        elif how == 5:
            return dataclasses.replace(one, status=draw.choice([200, 204, 302, 418, 500]))
        elif how == 6:
            kind = draw.choice(["utf-16", "latin-1", "no-such-charset"])
            return dataclasses.replace(one, content_type=f"text/event-stream; charset={kind}")
        return dataclasses.replace(one, body=body)


def made(name: str, wire: str, server: ProviderServer) -> LangChainModel:
    options: dict[str, Any] = {"base_url": server.openai_url}
    if wire == "anthropic":
        options = {"base_url": server.origin, "max_tokens": 900}
    elif wire == "responses":
        options |= {"use_responses_api": True, "store": False}
    return LangChainModel(name, options=options, max_retries=0)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import certifi

    end = "-----END CERTIFICATE-----"
    bundle = Path(certifi.where()).read_text("utf-8")
    file = tmp_path / "authorities.pem"
    file.write_text(bundle[: bundle.index(end) + len(end)] + "\n", "utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-test-0123456789")


def runs(
    folder: Path, model: LangChainModel, enough: Callable[[], bool]
) -> Iterator[tuple[RunFinished, HarnessError | None]]:
    """Yield how runs ended, until there were enough turns."""
    journal = SqlJournal(folder / "state", folder / "keys")
    means = Means(
        model=model,
        counter=WordCounter(),
        tools=[tool(look), tool(fail), *make_kit(("finish", "plan"))],
        check=lambda answer: ["It is empty."] if not answer.strip() else [],
    )

    async def one(run: str) -> tuple[RunFinished, HarnessError | None]:
        started = RunStarted(
            goal="Look.", domain="d", domain_version="v", model=model.name, limits=Limits(steps=8)
        )
        said = Message(role="user", parts=(Part(text="Look."),))
        packed = ContextPacked(step=0, tokens=1, budget=10)
        with journal.start(run) as writer:
            loop = Loop(writer, means, Opening(started=started, packed=packed, messages=(said,)))
            return await loop.run(_nowhere), loop.error

    async def some() -> list[tuple[RunFinished, HarnessError | None]]:
        found = []
        while not enough() and len(found) < 50:
            found.append(await one(f"r{next(numbers)}"))
        await model.aclose()
        return found

    numbers = iter(range(1_000_000))
    while not enough():
        yield from anyio.run(some)
    assert all(one.clean for one in journal.verify_all())
    journal.close()


async def _nowhere(item: object) -> None:
    del item


@pytest.mark.soak
@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("wire", WIRES)
def test_fuzzed_turns(wire: str, tmp_path: Path) -> None:
    began = time.monotonic()
    name, spoken = WIRES[wire]
    fuzz = Fuzz(random.Random(f"{SEED} {wire}"), spoken)
    most = TURNS // len(WIRES) + 1
    ends: Counter[str] = Counter()
    with ProviderServer(fuzz) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the clients, over what they were sent
        for finished, error in runs(tmp_path, made(name, wire, server), lambda: fuzz.turns >= most):
            kind = type(error).__name__ if error else ""
            assert finished.stop != "failed" or finished.problems
            ends[f"{finished.stop} {kind}".strip()] += 1
    assert ends["completed"]
    if SOAK:
        folder = ROOT / ".cache" / "soak"
        folder.mkdir(parents=True, exist_ok=True)
        result = {
            "turns": fuzz.turns,
            "runs": sum(ends.values()),
            "crashes": 0,
            "ends": dict(ends.most_common()),
            "seconds": round(time.monotonic() - began, 1),
        }
        (folder / f"fuzzed_turns_{wire}.json").write_text(
            json.dumps(result, indent=1) + "\n", "utf-8"
        )
