"""Starting a domain: from a template, or as a copy of a shipped one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.domain.problems import did_you_mean
from harness.domain.scaffold import copy_domain, scaffold
from harness.errors import UsageError
from harness.sdk.bundled import bundled_domains, refuse_bundled

if TYPE_CHECKING:
    from harness.domain.scaffold import Template

__all__ = ["start_domain"]


def start_domain(
    name: str, *, folder: Path, template: Template | None = None, source: str | None = None
) -> tuple[Path, list[Path]]:
    """Make a domain folder; return it and its files.

    Args:
        name: Of the domain and its folder.
        folder: Where to make it.
        template: What to begin with; `blank` where neither is given.
        source: Name of a shipped domain, or a domain folder, to copy.

    Raises:
        UsageError: Both are given, the name does not fit, or the folder is not empty.
    """
    target = folder / name
    refuse_bundled(target)
    if source is None:
        return target, scaffold(target, name=name, template=template or "blank")
    if template is not None:
        raise UsageError("--template and --from exclude each other.", "Give one of them.")
    shipped = bundled_domains()
    origin = Path(source) if Path(source).is_dir() else shipped.get(source)
    if origin is None:
        mean = did_you_mean(source, shipped).lstrip()
        mend = f"{mean} Shipped are {', '.join(shipped)}.".lstrip()
        raise UsageError(f"There is no domain {source}.", mend)
    return target, copy_domain(origin, target, name=name)
