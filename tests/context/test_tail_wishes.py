"""Items that a person wants to see, and those that they do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness import Harness
from harness.testing import HashEmbedder

ROWS = "".join(
    f"e{n},case{n} alpha{n * 3} beta{n * 7} gamma{n * 11},label{n % 3}\n" for n in range(400)
)


def test_an_item_asked_for_is_shown_and_an_excluded_one_is_not(
    write_domain: Callable[..., Path],
) -> None:
    folder = write_domain("wishes", **{"examples/a.csv": "id,input,output\n" + ROWS})
    with Harness(folder, embedder=HashEmbedder()) as h:
        how = {"budget": 1500, "sections": {"core": 0, "demonstrations": 300}}
        usual = h.preview("case5 alpha15 beta35", **how)
        shown = [item.id for item in usual.shown("example")]
        far = next(f"e{n}" for n in range(399, 0, -1) if f"e{n}" not in shown)
        wished = h.preview("case5 alpha15 beta35", include=[far], exclude=[shown[-1]], **how)
        now = {item.id: item for item in wished.items}
        assert (now[far].kept, now[far].reason) == (True, "asked for")
        assert (now[shown[-1]].kept, now[shown[-1]].reason) == (False, "excluded")
        assert wished.by_section["demonstrations"] <= 300
        assert wished.prefix_sha256 == usual.prefix_sha256
