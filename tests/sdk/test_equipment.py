"""A run's tools: the kits that the domain names, and the tools that it brings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.adapters.workspace_folder import FolderWorkspace
from harness.domain import read_domain
from harness.errors import ToolsNotTrusted
from harness.sdk.equipment import tools_of
from harness.sdk.hands import Hands
from harness.sdk.trust import look_at, record_trust

TOOL = "def late(days: int) -> float:\n    'Interest.'\n    return days * 0.1\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_KEYS", str(tmp_path / "keys"))
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: desk\ndescription: A desk.\n---\nBe kind.\n")
    kits = "tools: [files, compute, python, web]\nweb: {hosts: example.org}\n"
    (folder / "domain.yaml").write_text(kits)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[FolderWorkspace]:
    opened = FolderWorkspace(tmp_path / "home" / "workspaces" / "run1")
    yield opened
    opened.close()


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    made = Hands(tmp_path / "home")
    yield made
    made.close()


def equip(desk: Path, workspace: FolderWorkspace, hands: Hands) -> dict[str, Any]:
    current: Any = SimpleNamespace(domain=read_domain(desk))
    return {one.name: one for one in tools_of(current, workspace, hands)}


def test_a_run_has_the_kits_that_the_domain_names(
    desk: Path, workspace: FolderWorkspace, hands: Hands
):
    tools = equip(desk, workspace, hands)
    assert {"read_file", "compute", "python", "fetch_page", "finish"} <= set(tools)
    assert "shell" not in tools
    answer = asyncio.run(tools["compute"].ainvoke({"code": "6 * 7"}))
    assert answer == "42"


def test_tools_of_the_domain_come_with_trust(desk: Path, workspace: FolderWorkspace, hands: Hands):
    (desk / "tools").mkdir()
    (desk / "tools" / "late.py").write_text(TOOL)
    with pytest.raises(ToolsNotTrusted, match="late"):
        equip(desk, workspace, hands)
    home = workspace.folder.parents[1]
    own, _ = look_at(desk, home)
    record_trust(desk, home, own)
    assert "late" in equip(desk, workspace, hands)
