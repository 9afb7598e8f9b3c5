"""A workspace in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.adapters.workspace_folder import FolderWorkspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[FolderWorkspace]:
    opened = FolderWorkspace(tmp_path / "workspaces" / "run1")
    yield opened
    opened.close()
