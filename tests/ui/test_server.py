"""How the web app is started, and what keeps it to itself."""

from __future__ import annotations

import ast
from pathlib import Path

from harness_ui.server import content_policy, settings
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.conftest import ROOT

ALLOWED = {"harness", "harness_ui", "streamlit", "altair", "pandas", "starlette", "__future__"}


def test_pages_are_built_on_the_sdk_alone() -> None:
    """No page reaches past the front rooms of the SDK, nor to a library of the stages."""
    rooms = {"harness", "harness.sdk", "harness.errors", "harness.values", "harness.settings"}
    kinds = {"harness.domain", "harness.domain.formats", "harness.evals", "harness.seams"}
    kinds |= {"harness.journal.events", "harness.evals.compare"}
    for path in (ROOT / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom | ast.Import):
                continue
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in named:
                top = name.split(".")[0]
                assert top in ALLOWED or top in _standard(), f"{path.name}: {name}"
                if top == "harness":
                    fine = name in rooms | kinds or name.startswith("harness.sdk.")
                    assert fine, f"{path.name}: {name}"


def _standard() -> frozenset[str]:
    import sys

    return sys.stdlib_module_names


def test_only_this_machine_is_reached_unless_told_otherwise() -> None:
    said = settings("127.0.0.1", 8501)
    assert said["server.address"] == "127.0.0.1"
    assert said["browser.gatherUsageStats"] is False


def test_every_setting_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    config.get_config_options()
    known = set(config._config_options_template)
    assert set(settings("127.0.0.1", 1)) <= known


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    policy = content_policy("<script>a = 1</script><script src='x.js'></script>")
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert policy.count("sha256-") == 1
    for line in policy.split("; "):
        words = line.split()[1:]
        assert not [word for word in words if "." in word or word in ("*", "http:", "https:")]


@given(st.text())
def test_a_text_is_never_obeyed_as_markup(text: str) -> None:
    from harness_ui.words import plain

    shown = plain(text)
    for sign in "<$*_`[":
        at = -1
        while (at := shown.find(sign, at + 1)) >= 0:
            assert shown[at - 1] == "\\"


def test_the_page_script_is_there() -> None:
    assert (Path(ROOT) / "ui" / "page.py").is_file()
