"""Writing `core.lock`, the ids chosen for the stable core."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.errors import DomainReadOnly

__all__ = ["write_core_lock"]

HEAD = """\
# The examples that stand in every context of this domain, in this order.
# Written by `harness core`; keep it with the folder, so that every machine packs the same.
"""


def write_core_lock(folder: Path, ids: Sequence[str]) -> None:
    """Replace `core.lock` in one step.

    Raises:
        DomainReadOnly: The folder can't be written.
    """
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=folder, prefix=".core.lock.", delete=False
        ) as file:
            file.write(HEAD + "".join(f"{one}\n" for one in ids))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(file.name, 0o644)  # noqa: PTH101
        Path(file.name).replace(folder / "core.lock")
    except OSError as error:
        raise DomainReadOnly(
            f"{folder / 'core.lock'} can't be written: {error.strerror}.",
            "Give permission to write to the domain folder.",
        ) from error
