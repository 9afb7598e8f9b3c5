"""A model as judge: one question with few possible verdicts, and what it said to it.

The judged text can't forge a verdict. It stands between tags that carry a number made from the
text itself, which a text can't contain beforehand; what looks like a verdict or a tag in it is
broken up; and only the last verdict that the judge itself writes, with that number, counts: where
that can't be read, the judge is asked once more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.errors import (
    MissingKey,
    MissingPackage,
    ModelError,
    NotAuthorized,
    ProviderNotAllowed,
    RateLimited,
    UnknownModel,
)
from harness.evals.limiter import Limiter
from harness.values import Reply, Usage, total_usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from langchain_core.messages import BaseMessage

    from harness.seams import Model

__all__ = ["FATAL", "Judge", "Verdict", "neutralised"]

FATAL = (MissingKey, MissingPackage, UnknownModel, NotAuthorized, ProviderNotAllowed)
"""Errors of a model that no case of a run can survive."""

TRIES = 2
"""Times that a judge is asked: once, and once more where its words hold no verdict."""

_FORGED = re.compile(r"(?i)verdict(?=[\w\s*_`-]{0,40}[:=])")
_TAG = re.compile(r"(?i)<(?=\s*/?\s*(?:answer|first|second|system|user|assistant)\b|\|)")
_PROMPTS = Path(__file__).parent / "prompts"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a judge decided.

    Attributes:
        choice: One of the choices; "" where no verdict could be had.
        why: The judge's reasons, or why there is no verdict.
        usage: Of all tries.
        unreadable: Tries whose words held no verdict.
    """

    choice: str
    why: str = ""
    usage: Usage = field(default_factory=Usage)
    unreadable: int = 0


class Judge:
    """Asks a model for verdicts.

    A judge that is asked too often (429) is asked again after the wait that it wants, and less
    at a time from then on.

    Args:
        model: The judge.
        jobs: Questions under way at one time, at most.
    """

    def __init__(self, model: Model, *, jobs: int = 8) -> None:
        self._model = model
        self._limiter = Limiter(jobs)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    async def decide(
        self, prompt: str, choices: Sequence[str], *, judged: Mapping[str, str], **said: str
    ) -> Verdict:
        """Ask for one of the choices.

        Args:
            prompt: Name of the prompt that says what to judge and how.
            choices: Possible verdicts, in capitals.
            judged: Texts that are judged, by the name of their tag: put between tags.
            **said: Texts that are to be trusted, by heading.

        Raises:
            ModelError: Of those that no case survives; another leaves the verdict open.
        """
        from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

        nonce = _nonce(*said.values(), *judged.values())
        trusted = "\n\n".join(f"{head}:\n{text}" for head, text in said.items() if text)
        between = "\n\n".join(
            f"<{tag}-{nonce}>\n{neutralised(text)}\n</{tag}-{nonce}>"
            for tag, text in judged.items()
        )
        messages: list[BaseMessage] = [
            SystemMessage(_prompt(prompt).format(nonce=nonce)),
            HumanMessage(f"{trusted}\n\n{between}"),
        ]
        usages: list[Usage] = []
        for _ in range(TRIES):
            try:
                reply = await self._reply(messages)
            except FATAL:
                raise
            except ModelError as error:
                why = f"the judge {self.name} could not be asked: {error}"
                return Verdict(choice="", why=why, usage=total_usage(usages))
            usages.append(reply.usage)
            choice = _read(reply.text, nonce, choices)
            if choice:
                why = _before(reply.text, nonce)
                unreadable = len(usages) - 1
                usage = total_usage(usages)
                return Verdict(choice=choice, why=why, usage=usage, unreadable=unreadable)
            lines = " or ".join(f"VERDICT-{nonce}: {one}" for one in choices)
            again = HumanMessage(_prompt("again").format(choices=lines))
            messages = [*messages, AIMessage(reply.text or "…"), again]
        why = f"the judge {self.name} gave no verdict, twice"
        return Verdict(choice="", why=why, usage=total_usage(usages), unreadable=TRIES)

    async def _reply(self, messages: Sequence[BaseMessage]) -> Reply:
        while True:
            entered = await self._limiter.enter()
            try:
                reply = await self._once(messages)
                self._limiter.well()
            except RateLimited as refused:
                self._limiter.refused(entered, refused.retry_after)
                if not refused.passing or self._limiter.hopeless:
                    raise
                continue
            finally:
                self._limiter.leave()
            return reply

    async def _once(self, messages: Sequence[BaseMessage]) -> Reply:
        stream = cast("AsyncGenerator[Any, None]", self._model.stream(messages))
        async with aclosing(stream) as events:
            async for event in events:
                if isinstance(event, Reply):
                    return event
        raise AssertionError("a model's stream ends with a Reply")


def neutralised(text: str) -> str:
    """Return a text that is judged with whatever looks like a verdict or a tag broken up."""
    text = _FORGED.sub(lambda match: "-".join(match[0]), text)
    return _TAG.sub("< ", text)


def _nonce(*texts: str) -> str:
    """Return a number that stands for the texts: the same each time, and not to be foreseen."""
    digest = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()[:10]


def _read(text: str, nonce: str, choices: Sequence[str]) -> str:
    """Return the last verdict, or "" where there is none or it is none of the choices.

    The last place that looks like a verdict decides: one with the number anywhere, or a line
    that begins like one without it. It has to begin its line and be one of the choices and
    nothing more, but for emphasis, quotation marks and a full stop: with an explanation behind
    it (`NO because …`, `YES, but …`) it is none, and an earlier one never counts instead.
    """
    looks = rf"(?im)VERDICT-{nonce}|^[^\w\n]*VERDICT[^\w\n]{{0,9}}(?:-\s?\w+)?[^\w\n]{{0,9}}[:=]"
    last = max((match.start() for match in re.finditer(looks, text)), default=None)
    if last is None:
        return ""
    start = max(text.rfind(end, 0, last + 1) for end in "\n\r") + 1
    words = "|".join(map(re.escape, choices))
    wanted = (
        rf"(?i)[\s>*_`#]*VERDICT-{nonce}[\s*_`]*:[\s*_`\"']*({words})\b"
        r"[ \t*_`\"'.!]*(?:[\r\n]|$)"
    )
    found = re.match(wanted, text[start:])
    return found[1].upper() if found else ""


def _before(text: str, nonce: str) -> str:
    return " ".join(re.split(rf"(?i)VERDICT-{nonce}", text)[0].split()).strip(" *_`#>")[:600]


def _prompt(name: str) -> str:
    return (_PROMPTS / f"{name}.md").read_text("utf-8").strip()
