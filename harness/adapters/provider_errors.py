"""What client libraries raise, put into our own words: which error, and whether to try again.

Libraries differ, their errors look alike: a status, headers, a body with a code and a message,
or a cause from the network. So they are read by shape and by class name, with none imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.adapters.provider_retries import retry_after
from harness.errors import (
    BadResponse,
    ConnectionFailed,
    ContextTooLong,
    ModelError,
    NotAuthorized,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
    UnknownModel,
)

__all__ = ["Fault", "ProviderFault", "mask", "read_error"]

_LONGEST = 600
_TIMEOUTS = {"APITimeoutError", "TimeoutException", "TimeoutError", "Timeout"}
_CONNECTIONS = {"APIConnectionError", "TransportError", "ConnectionError", "gaierror"}
_ODD_ANSWERS = {"JSONDecodeError", "APIResponseValidationError", "ValidationError"}
_TOO_LONG = re.compile(
    r"context_length_exceeded|ContextWindowExceeded|(prompt|input|request) is too long"
    r"|(exceeds?|longer than|larger than) (the |its |this |available )*(model'?s? )?"
    r"(maximum |max |available )?context|maximum context length|input tokens exceed"
    r"|input token count .{0,40}exceeds|too many (input |total )?tokens"
    r"|reduce the length of the (messages|prompt|input)|context window (exceeded|of)",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient_quota|exceeded your current quota|billing_hard_limit|billing_not_active"
    r"|credit balance is too low|out of credits",
    re.IGNORECASE,
)
_KEY_SHAPE = re.compile(r"\b(sk|pk|gsk|xai|key|AIza)[-_]?[A-Za-z0-9_-]{16,}")
# A failure inside a stream comes under status 200; its code says what a status would have.
_CODES = {
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "vector_store_timeout": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    "overloaded": 529,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """An error to raise, and whether to try again first.

    Attributes:
        asked: Seconds that the provider asked to wait.
    """

    error: ModelError
    retry: bool
    asked: float | None = None


class ProviderFault(Exception):
    """Carries a fault that was found in an answer, not raised by a library."""

    def __init__(self, error: ModelError, *, retry: bool) -> None:
        super().__init__(error.message)
        self.fault = Fault(error=error, retry=retry)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What an error shows.

    Attributes:
        words: The provider's own, masked.
        names: Class names of the error and its causes, their bases included.
    """

    model: str
    status: int | None
    code: str
    words: str
    names: frozenset[str]
    asked: float | None
    where: str


def read_error(
    error: BaseException, model: str, secrets: frozenset[str] = frozenset(), *, began: bool = False
) -> Fault:
    """Return what an error from a client library means.

    Args:
        error: As raised.
        model: `provider:model`.
        secrets: What must not stand in the message.
        began: The answer had begun, so that the request was accepted.
    """
    if isinstance(error, ProviderFault):
        return error.fault
    if isinstance(error, ModelError):
        return Fault(error=error, retry=False)
    seen = _look(error, model, secrets)
    if seen.status is not None:
        return _by_status(seen)
    return _by_class(error, seen, began=began)


def _look(error: BaseException, model: str, secrets: frozenset[str]) -> _Seen:
    body = _body(error)
    code, words = _code_and_words(error, body)
    status = _status(error)
    if status is None or status < 400:
        status = _CODES.get(code) if status is None else _CODES.get(code, 400)
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None)
    lowered = {str(k).lower(): str(v) for k, v in headers.items()} if headers else {}
    return _Seen(
        model=model,
        status=status,
        code=code,
        words=mask(words, secrets),
        names=frozenset(base.__name__ for link in _chain(error) for base in type(link).__mro__),
        asked=retry_after(lowered),
        where=_where(error),
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what caused it."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "code", "status"):
            value = getattr(holder, name, None)
            if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600:
                return int(value)
    return None


def _body(error: BaseException) -> Mapping[str, Any]:
    """Return the error object of the answer's body, however deep it is wrapped."""
    body: Any = getattr(error, "body", None)
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return {}
    while isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        body = body["error"]
    return body if isinstance(body, Mapping) else {}


def _code_and_words(error: BaseException, body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the provider's code and its message."""
    words = str(body.get("message") or getattr(error, "message", "") or error)
    for code in (body.get("code"), body.get("type")):
        if isinstance(code, str) and code and code != "error":
            return code, words
    # LangChain raises a failed response as ValueError("ResponseError(code='…', message='…')")
    # and an error event as ValueError("code: message").
    if failed := re.search(r"code='(\w+)', message=(['\"])(.*?)\2", words):
        return failed[1], failed[3]
    if event := re.match(r"(\w+): (.*)", words, re.DOTALL):
        return event[1], event[2] if event[1] in _CODES else words
    return "", words


def _where(error: BaseException) -> str:
    """Return scheme, host and port that were asked, with no path and no credentials."""
    for link in _chain(error):
        try:
            url = urlsplit(str(link.request.url))  # type: ignore[attr-defined]
            port = f":{url.port}" if url.port else ""
        except (AttributeError, RuntimeError, ValueError):
            continue
        if url.hostname:
            return f"{url.scheme}://{url.hostname}{port}"
    return ""


def mask(words: str, secrets: frozenset[str]) -> str:
    """Return a provider's words in one line, keys taken out, not too long, and with a full stop."""
    for secret in sorted(secrets, key=len, reverse=True):
        words = words.replace(secret, "[secret]")
    words = " ".join(_KEY_SHAPE.sub("[secret]", words).split())
    if len(words) > _LONGEST:
        return f"{words[:_LONGEST]}…"
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _by_status(seen: _Seen) -> Fault:
    """Return the meaning of an HTTP status."""
    status, model, said = seen.status or 0, seen.model, f"It says: {seen.words}"
    provider = model.partition(":")[0]
    if status in (400, 413, 422, 500) and _is_too_long(seen):
        return Fault(error=_too_long(seen), retry=False)
    if status in (401, 403):
        refused = NotAuthorized(
            f"{provider} refuses the key ({status}). {said}",
            "Check the key with `harness config`, and that it may use this model.",
            model=model,
        )
        return Fault(error=refused, retry=False)
    if status == 404:
        unknown = UnknownModel(
            f"{provider} has no model {model.partition(':')[2]!r} for this key (404). {said}",
            "Check the model's name, and base_url if you set one.",
            model=model,
        )
        return Fault(error=unknown, retry=False)
    if status == 429:
        return _rate_limited(seen, said)
    if status >= 500 or status == 408:
        down = ProviderUnavailable(
            f"{provider} fails ({status}). {said}", "Try again later.", model=model
        )
        return Fault(error=down, retry=True, asked=seen.asked)
    mend = "Change model_options, or the request, as it says."
    if "stream_options" in seen.words:
        mend = "Set stream_usage: false in model_options."
    refusal = RequestRefused(
        f"{provider} refuses the request ({status}). {said}", mend, model=model
    )
    return Fault(error=refusal, retry=False)


def _is_too_long(seen: _Seen) -> bool:
    if seen.code in ("context_length_exceeded", "request_too_large"):
        return True
    if {"ContextOverflowError"} & seen.names:
        return True
    return bool(_TOO_LONG.search(seen.words))


def _too_long(seen: _Seen) -> ContextTooLong:
    return ContextTooLong(
        f"The context is longer than {seen.model} takes. It says: {seen.words}",
        "Lower context.budget in domain.yaml, or choose a model with a longer context.",
        model=seen.model,
    )


def _rate_limited(seen: _Seen, said: str) -> Fault:
    """Tell an account that is used up from one that is only too fast."""
    provider = seen.model.partition(":")[0]
    if seen.code == "insufficient_quota" or _QUOTA.search(seen.words):
        message = f"The {provider} account has no credit left (429). {said}"
        mend = "Look at its billing page."
        spent = RateLimited(message, mend, model=seen.model, passing=False)
        return Fault(error=spent, retry=False)
    limited = RateLimited(
        f"{provider} says: too many requests (429). {said}",
        "Wait, ask less at a time (-j), or raise the account's limit.",
        model=seen.model,
        retry_after=seen.asked,
    )
    return Fault(error=limited, retry=True, asked=seen.asked)


def _by_class(error: BaseException, seen: _Seen, *, began: bool) -> Fault:
    """Return the meaning of an error that has no status."""
    model, provider = seen.model, seen.model.partition(":")[0]
    if _is_too_long(seen):
        return Fault(error=_too_long(seen), retry=False)
    if "LiveNetworkBanned" in seen.names:
        banned = next(
            str(link) for link in _chain(error) if "banned" in type(link).__name__.lower()
        )
        return Fault(error=ConnectionFailed(banned, model=model), retry=False)
    if seen.names & _TIMEOUTS:
        late = ProviderUnavailable(
            f"{provider} did not answer in time.",
            "Try again later, or raise the timeout.",
            model=model,
        )
        return Fault(error=late, retry=True)
    if seen.names & _CONNECTIONS:
        return Fault(error=_unreachable(seen, began=began), retry=True)
    if began or seen.names & _ODD_ANSWERS or "No generation" in seen.words:
        odd = BadResponse(
            f"{provider} answered with what is no model's answer: {seen.words}",
            "If you set base_url, check that it is a model's address; a login page of the "
            "network may also stand in between.",
            model=model,
        )
        return Fault(error=odd, retry=True)
    mend = "Check model_options."
    if "unexpected keyword argument" in seen.words:
        mend = "Fields that only this provider knows go under extra_body in model_options."
    refused = RequestRefused(
        f"The client library of {provider} refuses the request: {seen.words}", mend, model=model
    )
    return Fault(error=refused, retry=False)


def _unreachable(seen: _Seen, *, began: bool) -> ConnectionFailed:
    provider = seen.model.partition(":")[0]
    where = f" at {seen.where}" if seen.where else ""
    mend = "Check the network connection."
    if "gaierror" in seen.names:
        message = f"There is no host of {provider}{where}: its name can't be looked up."
        mend = "Check the network connection, and base_url if you set one."
    elif "ConnectionRefusedError" in seen.names:
        message = f"Nothing answers for {provider}{where}: the connection is refused."
        mend = "Check that the server runs, and base_url if you set one."
    elif began or seen.names & {"RemoteProtocolError", "ReadError", "ConnectionResetError"}:
        message = f"The connection to {provider}{where} broke before the answer was whole."
    else:
        message = f"{provider}{where} can't be reached."
    return ConnectionFailed(message, mend, model=seen.model)
