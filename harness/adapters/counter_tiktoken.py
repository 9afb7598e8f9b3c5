"""Token counts by tiktoken, with the ranks that ship in the package: no download, ever."""

from __future__ import annotations

import os
import re
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

__all__ = ["TiktokenCounter"]

LONG_BLANK = re.compile(r"(\s{4096})")
"""tiktoken's pattern recurses over white space and dies on a run of a million."""

RANKS = Path(__file__).parents[1] / "data" / "tiktoken"

_loading = threading.Lock()


@cache
def _encoding(name: str) -> Encoding:
    """Load an encoding from the package's ranks.

    tiktoken reads its cache folder from the environment when it loads ranks, so the variable
    is set for that moment and put back; tiktoken itself verifies the file's sha256.
    """
    import tiktoken

    with _loading:  # of two threads one would put back what the other has set
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(RANKS)
        try:
            return tiktoken.get_encoding(name)
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before


class TiktokenCounter:
    """Counts tokens of o200k_base exactly; what looks like a special token counts as text."""

    name = "o200k_base"

    def count(self, text: str) -> int:
        """Return how many tokens the text has; white space is cut every 4,096 characters."""
        encode = _encoding(self.name).encode_ordinary
        if len(text) < 4096 or LONG_BLANK.search(text) is None:
            return len(encode(text))
        return sum(len(encode(piece)) for piece in LONG_BLANK.split(text))
