"""A model behind real client libraries, asked against a scripted provider."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from harness.adapters.model_langchain import LangChainModel
from harness.adapters.provider_retries import Retries
from harness.errors import HarnessError
from harness.testing import ProviderServer, Request
from harness.values import Delta, Reply

CHAT = ("openai:gpt-4o-mini", {})
RESPONSES = ("openai:gpt-4o-mini", {"use_responses_api": True})
MESSAGES = ("anthropic:claude-sonnet-4-6", {})


@dataclass
class Said:
    """What came of one call."""

    deltas: list[Delta] = field(default_factory=list)
    answer: Reply | None = None
    error: HarnessError | None = None
    waits: list[float] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def reply(self) -> Reply:
        assert self.answer is not None, f"no reply but {self.error!r}"
        return self.answer

    @property
    def shown(self) -> str:
        """What a reader of the stream has before them at the end."""
        text = ""
        for delta in self.deltas:
            text = "" if delta.restart else text + delta.text
        return text


Say = Callable[..., Said]


@pytest.fixture(params=[CHAT, RESPONSES, MESSAGES], ids=["chat", "responses", "messages"])
def wire(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A model's name and options for each of the three wire formats."""
    return request.param


@pytest.fixture(scope="session")
def few_authorities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one certificate. Every client loads what SSL_CERT_FILE names, and all of a
    machine's take longer to load than such a test to run."""
    import certifi

    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----"
    file = tmp_path_factory.mktemp("tls") / "authorities.pem"
    file.write_text(bundle[: bundle.index(end) + len(end)] + "\n", encoding="utf-8")
    return file


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, few_authorities: Path
) -> Callable[[Mapping[str, str]], None]:
    """Sets a provider's variables, after all that this machine may have set are gone."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "ANTHROPIC_", "LANGSMITH_", "LANGCHAIN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(few_authorities))

    def put(variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture
def say(environment: Callable[[Mapping[str, str]], None]) -> Say:
    """Ask a model once, against a script; errors of ours come back in the result."""

    def ask(
        wire: tuple[str, dict[str, Any]],
        script: Any,
        *,
        options: Mapping[str, Any] | None = None,
        messages: Sequence[BaseMessage] = (HumanMessage("hello"),),
        retries: int = 2,
        timeout: float = 5.0,
        **asked: Any,
    ) -> Said:
        said = Said()

        async def note(seconds: float) -> None:
            said.waits.append(seconds)

        async def run() -> None:
            name, own = wire
            model = LangChainModel(
                name,
                options={**own, **(options or {})},
                timeout=timeout,
                max_retries=retries,
                retries=Retries(draw=lambda: 1.0, sleep=note),
            )
            try:
                async for piece in model.stream(messages, **asked):
                    if isinstance(piece, Reply):
                        said.answer = piece
                    else:
                        assert said.answer is None, "the reply comes last"
                        said.deltas.append(piece)
            except HarnessError as error:
                said.error = error
            finally:
                await model.aclose()

        with ProviderServer(script) as server:
            environment(server.env())
            asyncio.run(run())
            said.requests = server.requests
        return said

    return ask
