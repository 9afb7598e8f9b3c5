"""The pipes between the harness and a sandbox: everything that comes through them is bounded.

Output is kept at both ends and cut in the middle; results are frames whose lengths are checked
before a byte of them is kept.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import selectors
import struct
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["FLOOD", "Exchange", "Kept", "Results"]

FLOOD = 64 << 20
"""Bytes of output after which a job is ended: nobody will read them."""
_PIECE = 1 << 16
_HEAD = struct.Struct("!BIQ")
MOST_NAME = 1 << 16
MOST_NAMED = 20_000
_FILE, _REMOVED, _ODD, _END = 1, 2, 3, 4


class Kept:
    """The beginning and the end of a stream.

    Args:
        most: Characters, about.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._first = bytearray()
        self._last = bytearray()
        self.total = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.total += len(piece)
        room = max(self._most // 2 - len(self._first), 0)
        self._first += piece[:room]
        self._last += piece[room:]
        if len(self._last) > 4 * self._most:
            del self._last[: -self._most]

    def text(self) -> str:
        """Return what was kept, with a word on what was not."""
        last = self._last[-(self._most - self._most // 2) :]
        cut = self.total - len(self._first) - len(last)
        if not cut:
            return (self._first + last).decode("utf-8", "replace")
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        first = decoder.decode(bytes(self._first))
        end = last.decode("utf-8", "replace").lstrip("\ufffd")
        return f"{first}\n[… {cut:,} bytes left out …]\n{end}"


class Results:
    """Frames as they come from inside: a kind, a name, a content.

    Args:
        most: Bytes of all contents together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._named = 0
        self._buffer = bytearray()
        self.files: dict[str, bytes] = {}
        self.removed: list[str] = []
        self.oddities: list[str] = []
        self.code: int | None = None
        self.timed_out = False
        self.value: Any = None
        self.broken = False

    def add(self, piece: bytes) -> None:
        """Take the next piece; what makes no sense ends the listening."""
        if self.broken:
            return
        self._buffer += piece
        try:
            while self._frame():
                pass
        except (ValueError, RecursionError):
            self.broken = True
            self._buffer.clear()

    def _frame(self) -> bool:
        if len(self._buffer) < _HEAD.size:
            return False
        kind, head, content = _HEAD.unpack_from(self._buffer)
        if head > MOST_NAME or content > self._most or self._named > MOST_NAMED:
            raise ValueError("too much")
        whole = _HEAD.size + head + content
        if len(self._buffer) < whole:
            return False
        name = self._buffer[_HEAD.size : _HEAD.size + head].decode("utf-8")
        data = bytes(self._buffer[_HEAD.size + head : whole])
        del self._buffer[:whole]
        self._most -= content
        self._named += 1
        self._take(kind, name, data)
        return True

    def _take(self, kind: int, name: str, data: bytes) -> None:
        if kind == _FILE:
            self.files[name] = data
        elif kind == _REMOVED:
            self.removed.append(name)
        elif kind == _ODD:
            self.oddities.append(name[:500])
        elif kind == _END:
            code, late = name.split()
            self.value = json.loads(data) if data else None
            self.timed_out = bool(int(late))
            self.code = int(code)
        else:
            raise ValueError("no such kind")


class Exchange:
    """Writes the input and reads the outputs of a process, without waiting for any of them.

    Args:
        stdin: Descriptor to write to; closed when all is written.
        feed: What to write.
        outputs: Descriptors to read, each with what takes the pieces.
    """

    def __init__(
        self, stdin: int, feed: Sequence[bytes], outputs: Sequence[tuple[int, Kept | Results]]
    ) -> None:
        self._stdin = stdin
        self._feed: Iterator[bytes] = iter(feed)
        self._left = memoryview(b"")
        self._selector = selectors.DefaultSelector()
        os.set_blocking(stdin, False)
        self._selector.register(stdin, selectors.EVENT_WRITE, None)
        for descriptor, taker in outputs:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, taker)
        self._open = {descriptor for descriptor, _ in outputs}

    @property
    def done(self) -> bool:
        """Every output has come to its end."""
        return not self._open

    def step(self, seconds: float) -> None:
        """Move what can be moved, for so long at most."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._write()
            else:
                self._read(key.fd, key.data)

    def close(self) -> None:
        """Let go of all descriptors."""
        for descriptor in [*self._open]:
            self._drop(descriptor)
        self._close_input()
        self._selector.close()

    def _write(self) -> None:
        try:
            while True:
                if not self._left:
                    self._left = memoryview(next(self._feed))
                self._left = self._left[os.write(self._stdin, self._left[: 1 << 20]) :]
        except BlockingIOError:
            return
        except (StopIteration, OSError):
            self._close_input()

    def _read(self, descriptor: int, taker: Kept | Results) -> None:
        for _ in range(64):  # so that one that floods does not keep the others waiting
            try:
                piece = os.read(descriptor, _PIECE)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            if not piece:
                self._drop(descriptor)
                return
            taker.add(piece)

    def _drop(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(descriptor)
        with contextlib.suppress(OSError):
            os.close(descriptor)

    def _close_input(self) -> None:
        if self._stdin < 0:
            return
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self._stdin)
        with contextlib.suppress(OSError):
            os.close(self._stdin)
        self._stdin = -1
