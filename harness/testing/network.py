"""No test talks to a live model: connections that leave this machine raise."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["LiveNetworkBanned", "ban_live_models"]

_INTERNET = (socket.AF_INET, socket.AF_INET6)


class LiveNetworkBanned(RuntimeError):
    """A test was about to leave this machine.

    Not an OSError, so that no client takes it for a network fault and tries again.
    """

    def __init__(self, host: object) -> None:
        super().__init__(
            f"A test was about to connect to {host}. Tests talk to loopback only: use "
            "harness.testing.ProviderServer or ScriptedModel."
        )


@contextmanager
def ban_live_models() -> Iterator[None]:
    """Raise `LiveNetworkBanned` at every connection and name look-up beyond loopback."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check(self, address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not _is_loopback(host):
            raise LiveNetworkBanned(host)
        return look_up(host, *args, **kwargs)

    # Both are inherited, so that taking ours away again brings the originals back.
    before = {name: vars(socket.socket).get(name) for name in ("connect", "connect_ex")}
    socket.socket.connect = guarded_connect  # type: ignore[method-assign,assignment]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = guarded_look_up
    try:
        yield
    finally:
        socket.getaddrinfo = look_up
        for name, own in before.items():
            if own is None:
                delattr(socket.socket, name)
            else:
                setattr(socket.socket, name, own)


def _check(connection: socket.socket, address: Any) -> None:
    if connection.family in _INTERNET and not _is_loopback(address[0]):
        raise LiveNetworkBanned(address[0])


def _is_loopback(host: str | bytes) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name.lower() in ("", "localhost", "localhost.localdomain"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False
