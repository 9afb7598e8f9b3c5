"""What real providers sent, to be played again.

A recording is a JSON file: a list of `{request: {method, path, body}, response: {status,
content_type, body}}`, with bodies as they went over the wire.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.testing.turns import Json

__all__ = ["Recorded", "load_recording"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One recorded exchange.

    Attributes:
        path: Where the request went.
        request: The request's body.
        status: HTTP status of the answer.
        content_type: Of the answer.
        body: The exact text that was answered.
    """

    path: str
    request: Json
    status: int
    content_type: str
    body: str

    @property
    def streamed(self) -> bool:
        """Whether the answer was an event stream."""
        return self.content_type.startswith("text/event-stream")


def load_recording(file: Path) -> list[Recorded]:
    """Return the exchanges of a recording, in order."""
    return [
        Recorded(
            path=exchange["request"]["path"],
            request=exchange["request"]["body"],
            status=exchange["response"]["status"],
            content_type=exchange["response"]["content_type"],
            body=exchange["response"]["body"],
        )
        for exchange in json.loads(file.read_text(encoding="utf-8"))
    ]
