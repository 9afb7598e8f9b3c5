from __future__ import annotations

import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.provider_retries import Retries, retry_after


@given(st.integers(1, 50), st.floats(0, 1), st.none() | st.floats(0, 120))
def test_a_wait_keeps_within_bounds(failed, drawn, asked):
    wait = Retries(most=100, draw=lambda: drawn).wait(failed, asked)
    least = asked or 0.0
    assert least <= wait <= (30.0 if asked is None else asked + 1.0)


def test_waits_end_with_the_retries():
    policy = Retries(most=2)
    assert policy.wait(1) is not None
    assert policy.wait(2) is not None
    assert policy.wait(3) is None
    assert policy.wait(1, 121.0) is None


def test_jitter_is_full():
    assert Retries(draw=lambda: 0.0).wait(3) == 0.0
    assert Retries(draw=lambda: 1.0).wait(3) == 4.0


@given(st.text())
def test_any_header_is_read(text):
    wait = retry_after({"retry-after": text})
    assert wait is None or (wait >= 0 and math.isfinite(wait))


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": formatdate(1_700_000_060, usegmt=True)}, 60.0),
        ({"retry-after": formatdate(1_600_000_000, usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers, wait):
    assert retry_after(headers, now=1_700_000_000.0) == wait
