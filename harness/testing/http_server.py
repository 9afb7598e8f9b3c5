"""A small HTTP server in threads of its own, which can also break off in the middle.

The standard library's server parses requests; answers are written here, byte by byte as told.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Answer", "HttpServer", "Reply"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An HTTP answer.

    Attributes:
        chunks: The body; where `streamed`, each is sent by itself as it would trickle in.
        delay: Seconds before the first byte.
        pace: Seconds between streamed chunks.
        cut: Break the connection after the last chunk instead of ending the body.
    """

    status: int
    headers: Mapping[str, str]
    chunks: Sequence[bytes]
    streamed: bool = False
    delay: float = 0.0
    pace: float = 0.0
    cut: bool = False


Answer = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""From method, path, headers (names in lower case) and body."""


class HttpServer:
    """Serves on 127.0.0.1, on a port that is free, from `start` to `close`."""

    def __init__(self, answer: Answer) -> None:
        self._closing = threading.Event()
        self._server = _Server(answer, self._closing)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.005},
            name="harness-testing-http",
            daemon=True,
        )

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """End all connections and stop serving."""
        self._closing.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.end_connections()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that closing ends those that are kept alive."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Answer, closing: threading.Event) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.closing = closing
        self._open: set[socket.socket] = set()
        self._gate = threading.Lock()

    def opened(self, connection: socket.socket) -> None:
        with self._gate:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._gate:
            self._open.discard(connection)

    def end_connections(self) -> None:
        with self._gate:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of the server's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.answer(self.command, self.path, headers, body)
        self.server.closing.wait(reply.delay)
        try:
            self._write(reply)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _write(self, reply: Reply) -> None:
        """Write the answer; a streamed body goes out in HTTP chunks, one write each."""
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not reply.streamed:
            body = b"".join(reply.chunks)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in reply.chunks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            if reply.pace:
                self.server.closing.wait(reply.pace)
        if reply.cut:
            self._break()
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _break(self) -> None:
        """Close so that the peer sees the connection broken, after it has read what was sent."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
