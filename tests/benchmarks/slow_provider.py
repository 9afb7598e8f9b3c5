"""A provider of 200 ms in a process of its own, as a real one is elsewhere.

`python -m tests.benchmarks.slow_provider` prints the variables that point clients to it, and
serves until its input is closed. It counts no tokens: that is not what its callers measure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from harness.testing import ProviderServer, Turn
from harness.testing.turns import Tokens

__all__ = ["elsewhere"]

LATENCY = 0.2
ROOT = Path(__file__).parents[2]


@contextmanager
def elsewhere() -> Iterator[None]:
    """Serve as long as the context is open; clients made meanwhile ask there."""
    command = [sys.executable, "-m", "tests.benchmarks.slow_provider"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin
        assert server.stdout
        with server.stdin, patch.dict(os.environ, json.loads(server.stdout.readline())):
            yield


def main() -> None:
    """Serve one answer to everybody."""
    turn = Turn(text="card_arrival", tokens=Tokens(input=1, output=5))
    with ProviderServer(lambda request: turn, latency=LATENCY) as server:
        print(json.dumps(server.env()), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
