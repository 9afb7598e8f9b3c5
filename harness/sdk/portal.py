"""The sync door: one long-lived event loop in a thread of its own.

A new loop for each call would break the providers' connection pools ("Event loop is closed"),
and a caller inside a running loop, as in a notebook, could not call at all.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

__all__ = ["call", "iterate"]

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that a call has for putting away what it had when it is stopped."""

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


def _begin_anew() -> None:
    """In a forked child the loop's thread is gone: forget it, and the lock it may have held."""
    global _starting  # noqa: PLW0603 -- a lock can't be renewed in place
    _starting = threading.Lock()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def call(function: Callable[[], Awaitable[T]]) -> T:
    """Run an async function on the loop and return what it returns.

    Ctrl-C cancels it, and comes through when it has put away what it had.
    """
    ended = threading.Event()

    async def work() -> T:
        try:
            return await function()
        finally:
            ended.set()

    future = _portal().start_task_soon(work)
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        ended.wait(PATIENCE)
        raise


def iterate(make: Callable[[], AsyncGenerator[T, None]]) -> Iterator[T]:
    """Yield what an async generator yields; leaving the loop early closes it, and waits for that.

    Else what it holds, as the lease on a run, would still be held when the caller goes on.
    """
    items: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    ended = threading.Event()

    async def pump() -> None:
        try:
            async with aclosing(make()) as source:
                async for item in source:
                    items.put(("item", item))
        except Exception as error:
            items.put(("error", error))
        else:
            items.put(("end", None))
        finally:
            ended.set()

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
        if future.cancel() or not future.done():
            ended.wait(PATIENCE)
