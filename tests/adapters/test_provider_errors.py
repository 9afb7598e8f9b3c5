"""Errors of libraries that are not installed here are read by their shape."""

from __future__ import annotations

import json
import socket

import pytest

from harness.adapters.provider_errors import read_error
from harness.errors import (
    BadResponse,
    ConnectionFailed,
    ContextTooLong,
    NotAuthorized,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
    UnknownModel,
)
from harness.testing import LiveNetworkBanned

NAME = "mistralai:large"


class Response:
    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.headers = headers or {}


class HTTPStatusError(Exception):
    """As httpx raises it: the status is the response's."""

    def __init__(self, message: str, response: Response, body: object = None) -> None:
        super().__init__(message)
        self.response = response
        self.body = body


class APICallError(Exception):
    """As Google's client raises it: the status is `code`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def test_status_of_a_response():
    fault = read_error(HTTPStatusError("slow down", Response(429, {"Retry-After": "3"})), NAME)
    assert type(fault.error) is RateLimited
    assert (fault.retry, fault.asked, fault.error.retry_after) == (True, 3.0, 3.0)
    assert "slow down" in str(fault.error)


def test_status_as_code():
    assert type(read_error(APICallError(403, "no"), NAME).error) is NotAuthorized
    assert type(read_error(APICallError(404, "no"), NAME).error) is UnknownModel
    assert read_error(APICallError(503, "no"), NAME).retry
    assert read_error(APICallError(408, "no"), NAME).retry


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "own words", "code": "context_length_exceeded"}},
        json.dumps({"error": {"message": "own words", "type": "request_too_large"}}),
    ],
)
def test_a_body_says_more_than_a_status(body):
    fault = read_error(HTTPStatusError("Bad request", Response(400), body), NAME)
    assert type(fault.error) is ContextTooLong
    assert "own words" in str(fault.error)


def test_a_body_that_is_no_json():
    page = "<html>Bad gateway</html>"
    fault = read_error(HTTPStatusError("Bad gateway", Response(502), page), NAME)
    assert type(fault.error) is ProviderUnavailable


@pytest.mark.parametrize(
    ("words", "kind", "retry"),
    [
        ("ResponseError(code='server_error', message='Oops')", ProviderUnavailable, True),
        ("ResponseError(code='rate_limit_exceeded', message=\"It's\")", RateLimited, True),
        ("ResponseError(code='insufficient_quota', message='No')", RateLimited, False),
        ("overloaded_error: Overloaded", ProviderUnavailable, True),
        ("ResponseError(code='context_length_exceeded', message='x')", ContextTooLong, False),
    ],
)
def test_failures_inside_a_stream(words, kind, retry):
    fault = read_error(ValueError(words), NAME, began=True)
    assert (type(fault.error), fault.retry) == (kind, retry)


def test_network_errors_without_a_status():
    refused = ConnectionRefusedError(111, "Connection refused")
    assert "refused" in str(read_error(refused, NAME).error)
    assert "looked up" in str(read_error(socket.gaierror(-2, "unknown"), NAME).error)
    assert type(read_error(TimeoutError(), NAME).error) is ProviderUnavailable
    cut = ConnectionResetError(104, "reset")
    assert "broke" in str(read_error(cut, NAME, began=True).error)
    other = ConnectionError("odd")
    assert "can't be reached" in str(read_error(other, NAME).error)
    assert type(read_error(other, NAME).error) is ConnectionFailed


def test_what_is_no_fault_of_the_network_is_not_tried_again():
    fault = read_error(KeyError("tools"), NAME)
    assert type(fault.error) is RequestRefused
    assert not fault.retry


def test_what_breaks_once_the_answer_began_is_a_bad_response():
    fault = read_error(KeyError("choices"), NAME, began=True)
    assert type(fault.error) is BadResponse
    assert fault.retry


def test_a_banned_connection_says_so_and_is_not_tried_again():
    wrapped = RuntimeError("Connection error.")
    wrapped.__cause__ = LiveNetworkBanned("api.example.com")
    fault = read_error(wrapped, NAME)
    assert "ProviderServer" in str(fault.error)
    assert not fault.retry


def test_our_own_errors_pass_through():
    own = BadResponse("nothing", model=NAME)
    assert read_error(own, NAME).error is own


def test_a_circle_of_causes_ends():
    left, right = ValueError("a"), ValueError("b")
    left.__cause__, right.__cause__ = right, left
    assert type(read_error(left, NAME).error) is RequestRefused


def test_words_are_masked_shortened_and_in_one_line():
    secret = "my-very-own-secret"
    words = f"Key {secret}\nand sk-proj-abcdefghijklmnopqrstuvwx " + "x" * 5000
    message = read_error(HTTPStatusError(words, Response(400)), NAME, frozenset({secret})).error
    assert secret not in str(message)
    assert "sk-proj" not in str(message)
    assert "\n" not in str(message)
    assert len(str(message)) < 1000
