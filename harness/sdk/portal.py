"""The sync door: one long-lived event loop in a thread of its own.

A new loop for each call would break the providers' connection pools ("Event loop is closed"),
and a caller inside a running loop, as in a notebook, could not call at all.
"""

from __future__ import annotations

import atexit
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

__all__ = ["call", "iterate"]

T = TypeVar("T")

_starting = threading.Lock()
_running: list[BlockingPortal] = []


def _portal() -> BlockingPortal:
    with _starting:
        if not _running:
            from anyio.from_thread import start_blocking_portal

            stack = ExitStack()
            _running.append(stack.enter_context(start_blocking_portal()))
            atexit.register(stack.close)
        return _running[0]


def call(function: Callable[[], Awaitable[T]]) -> T:
    """Run an async function on the loop and return what it returns."""
    return _portal().call(function)


def iterate(make: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """Yield what an async iterator yields; leaving the loop early ends it."""
    items: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    async def pump() -> None:
        try:
            async for item in make():
                items.put(("item", item))
        except Exception as error:
            items.put(("error", error))
        else:
            items.put(("end", None))

    future = _portal().start_task_soon(pump)
    try:
        while True:
            kind, item = items.get()
            if kind == "end":
                return
            if kind == "error":
                raise item
            yield item
    finally:
        future.cancel()
