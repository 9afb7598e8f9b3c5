"""Every view of the pages with something in it: can be used by everybody, and is photographed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness import Harness
from tests.ui.conftest import Server, Visit
from tests.ui.test_browser import SCHEMES, SCREENS, serious

VIEWS = {
    "examples": ("view", ("List", "Similar", "Near-duplicates", "Map", "Never used", "Import")),
    "domain": (
        "domain-view",
        ("Health", "Settings", "Texts", "Files", "History", "New domain"),
    ),
}


def looked_at(one: Visit, name: str, scheme: str, found: dict[Any, Any]) -> None:
    """Photograph a view, wide and narrow, and note what keeps people out."""
    one.settle()
    for width in (1280, 400):
        one.page.set_viewport_size({"width": width, "height": 1400})
        one.still()
        one.page.screenshot(path=SCREENS / f"{name}-{width}-{scheme}.png")
        if bad := serious(one):
            found[name, width] = bad
        if one.page.evaluate("document.documentElement.scrollWidth") > width:
            found[name, width, "wide"] = True
    one.page.set_viewport_size({"width": 1280, "height": 1400})


@pytest.mark.soak
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_view_can_be_used_by_everybody(
    visit: Callable[..., Visit], served: Server, scheme: str
) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    with Harness(served.domain, home=served.home) as h:
        h.examples.propose("The cat sat on my phone", "card_not_working", why="It is", by="ben")
        h.examples.propose("How do I re-order a damaged card", "card_not_working", by="ben")
        for limit in (12, 8):
            h.evaluate(limit=limit)
    one = visit(color_scheme=scheme)
    found: dict[Any, Any] = {}
    one.go("review")
    looked_at(one, "review-draft", scheme, found)
    one.turn_to("evals")
    looked_at(one, "evals-compared", scheme, found)
    for page, (key, views) in VIEWS.items():
        one.turn_to(page)
        for view in views:
            one.key(key).get_by_text(view, exact=True).click()
            looked_at(one, f"{page}-{view.lower().replace(' ', '-')}", scheme, found)
    assert found == {}
