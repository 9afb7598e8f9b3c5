"""A model provider on loopback, for real client libraries to talk to.

It speaks OpenAI chat completions, OpenAI responses, Anthropic messages and OpenAI embeddings,
streamed or not; it answers by a script of turns, keeps every request, and breaks as told.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.seams import Counter, Embedder
from harness.testing.fakes import HashEmbedder
from harness.testing.http_server import HttpServer, Reply
from harness.testing.prompt_cache import PromptCache
from harness.testing.recordings import Recorded
from harness.testing.turns import Fault, Json, Tokens, Turn
from harness.testing.wire import Event, Phase, Wire, status_of, words_of
from harness.testing.wire_anthropic import Messages
from harness.testing.wire_embeddings import EMBEDDINGS_PATH, embeddings
from harness.testing.wire_openai_chat import ChatCompletions, openai_error
from harness.testing.wire_openai_responses import Responses

__all__ = ["Answers", "ProviderServer", "Request", "Script", "refuse_connections"]

_WIRES: Mapping[str, Wire] = {
    wire.path: wire for wire in (ChatCompletions(), Responses(), Messages())
}
_CUT_PHASE: Mapping[str, Phase] = {"cut_text": "text", "cut_tool_call": "tool", "cut_end": "end"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as it arrived. Header names are lower case.

    Attributes:
        at: Seconds of a monotonic clock.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json
    at: float


Answers = Turn | Recorded
Script = Iterable[Answers] | Callable[[Request], Answers]


class ProviderServer:
    """A scripted provider on 127.0.0.1; a context manager.

    Args:
        script: Turns (or recorded exchanges) to answer with in order, or a function from the
            request to one. A script that has run out answers 400.
        latency: Seconds before the first byte of every answer, beside a turn's own delay.
        counter: Counts tokens for usage and for the simulated prompt cache.
        embedder: Makes the vectors of `/v1/embeddings`.
        embedding_faults: What goes wrong with the first embedding requests; None goes well.

    Attributes:
        requests: Every request so far, in the order of arrival.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        latency: float = 0.0,
        counter: Counter | None = None,
        embedder: Embedder | None = None,
        embedding_faults: Iterable[Fault | None] = (),
    ) -> None:
        self.requests: list[Request] = []
        self._script = script if callable(script) else iter(script)
        self._latency = latency
        self._counter = counter or TiktokenCounter()
        self._embedder = embedder or HashEmbedder()
        self._embedding_faults = iter(embedding_faults)
        self._cache = PromptCache(self._counter)
        self._failures: list[BaseException] = []
        self._lock = threading.Lock()
        self._http = HttpServer(self._answer)

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`, Anthropic's base URL."""
        return self._http.origin

    @property
    def openai_url(self) -> str:
        """OpenAI's base URL."""
        return f"{self.origin}/v1"

    def env(self, key: str = "sk-test-0123456789abcdef") -> dict[str, str]:
        """Return environment variables that point the providers' clients here."""
        return {
            "OPENAI_API_KEY": key,
            "OPENAI_BASE_URL": self.openai_url,
            "ANTHROPIC_API_KEY": key,
            "ANTHROPIC_BASE_URL": self.origin,
        }

    def __enter__(self) -> Self:
        self._http.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
        if kind is None and self._failures:
            raise self._failures[0]

    def _answer(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """Answer one request. An error of the script is kept for `__exit__` and answered 400."""
        try:
            path = path.partition("?")[0]
            body = json.loads(raw) if raw else {}
            request = Request(
                method=method, path=path, headers=headers, body=body, at=time.monotonic()
            )
            with self._lock:
                self.requests.append(request)
            if path == EMBEDDINGS_PATH:
                return self._embed(request)
            if (wire := _WIRES.get(path)) is None:
                return _json(404, openai_error("not_found", f"Nothing at {method} {path}."))
            return self._play(wire, request)
        except Exception as error:
            self._failures.append(error)
            return _json(400, openai_error("refused", f"The script failed: {error!r}"))

    def _embed(self, request: Request) -> Reply:
        with self._lock:
            fault = next(self._embedding_faults, None)
            if fault is not None:
                return _faulty(ChatCompletions(), fault)
            return _json(200, embeddings(request.body, self._embedder))

    def _play(self, wire: Wire, request: Request) -> Reply:
        """Answer with the script's next turn."""
        with self._lock:
            turn = self._script(request) if callable(self._script) else next(self._script, None)
        if turn is None:
            return _json(400, wire.error("refused", "The script has no more turns."))
        if isinstance(turn, Recorded):
            return self._replay(wire, turn, request)
        delay = self._latency + turn.delay
        fault = turn.fault
        if fault is not None and not (fault.kind in _CUT_PHASE or fault.kind == "error_event"):
            return _faulty(wire, fault, delay)
        message = wire.message(turn, request.body, self._tokens(wire, turn, request.body))
        if not request.body.get("stream"):
            return _json(200, message, delay=delay)
        events = list(wire.events(message, request.body, turn.pieces))
        return replace(_streamed(wire, events, fault, delay), pace=turn.pace)

    def _replay(self, wire: Wire, recorded: Recorded, request: Request) -> Reply:
        """Answer with what was recorded, cut into events if it was not but now is streamed."""
        if request.body.get("stream") and not recorded.streamed and recorded.status == 200:
            return _events(list(wire.events(json.loads(recorded.body), request.body)))
        return Reply(
            status=recorded.status,
            headers={"Content-Type": recorded.content_type},
            chunks=[recorded.body.encode()],
        )

    def _tokens(self, wire: Wire, turn: Turn, body: Json) -> Tokens:
        """Return the turn's usage; counted, with the prompt cache simulated, if it has none."""
        if turn.tokens is not None:
            return turn.tokens
        scope = f"{wire.path} {body.get('model', '')}"
        with self._lock:
            use = self._cache.use(scope, wire.prompt(body), wire.cache_rules(body))
        reasoning = self._counter.count("".join(part.text for part in turn.reasoning))
        said = turn.text + "".join(call.name + call.arguments_text for call in turn.calls)
        return Tokens(
            input=use.total,
            cached=use.read,
            written=use.written,
            output=self._counter.count(said) + reasoning,
            reasoning=reasoning,
        )


def _json(
    status: int, body: Json, *, delay: float = 0.0, headers: Mapping[str, str] | None = None
) -> Reply:
    return Reply(
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
        chunks=[json.dumps(body, ensure_ascii=False).encode()],
        delay=delay,
    )


def _events(events: list[Event], *, delay: float = 0.0, cut: bool = False) -> Reply:
    return Reply(
        status=200,
        headers={"Content-Type": "text/event-stream; charset=utf-8"},
        chunks=[event.encode() for event in events],
        streamed=True,
        delay=delay,
        cut=cut,
    )


def _streamed(wire: Wire, events: list[Event], fault: Fault | None, delay: float) -> Reply:
    """Return the events, broken off where the fault says."""
    if fault is None:
        return _events(events, delay=delay)
    if fault.kind == "error_event":
        words = words_of(fault.kind, fault.message)
        return _events([*_until(events, "text"), wire.error_event(words)], delay=delay)
    return _events(_until(events, _CUT_PHASE[fault.kind]), delay=delay, cut=not fault.clean)


def _faulty(wire: Wire, fault: Fault, delay: float = 0.0) -> Reply:
    """Return an answer that is wrong as a whole."""
    if (status := status_of(fault.kind)) is not None:
        after = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        words = words_of(fault.kind, fault.message)
        return _json(status, wire.error(fault.kind, words), delay=delay, headers=after)
    if fault.kind == "wrong_content_type":
        page = b"<!doctype html><html><body>Please log in to this network.</body></html>"
        return Reply(status=200, headers={"Content-Type": "text/html"}, chunks=[page], delay=delay)
    chunks = [] if fault.kind == "empty_body" else [b'data: {"id": "x", "choi\n\n']
    if chunks:
        chunks = [b"event: message_start\n" + chunks[0]]
    stream = {"Content-Type": "text/event-stream"}
    return Reply(status=200, headers=stream, chunks=chunks, streamed=True, delay=delay)


def _until(events: list[Event], phase: Phase) -> list[Event]:
    """Return the events up to the middle of a phase; for `end`, all before it."""
    where = [at for at, event in enumerate(events) if event.phase == phase]
    if not where:
        msg = f"This turn has nothing of the phase {phase!r} to be cut in."
        raise ValueError(msg)
    if phase == "end":
        return events[: where[0]]
    return events[: where[0] + max(2, len(where) // 2)]


@contextmanager
def refuse_connections() -> Iterator[str]:
    """Yield an `http://127.0.0.1:PORT` where every connection is refused.

    The port is held, so that nothing else takes it, but nothing listens there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
