"""Examining the machine: what works, what is missing, how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from harness.errors import HarnessError, SandboxAbsent
from harness.journal.masking import Masker
from harness.sdk.bundled import bundled_domains
from harness.seams_hands import SandboxJob
from harness.settings import Settings, find_home, find_keys
from harness.wiring import (
    make_calculator,
    make_counter,
    make_embedder,
    make_journal,
    make_sandbox,
    make_store,
)

__all__ = ["Finding", "examine"]

Verdict = Literal["ok", "absent", "broken"]
LOW_DISK = 1 << 30
KEYS = {"OpenAI": "OPENAI_API_KEY", "Anthropic": "ANTHROPIC_API_KEY"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing examined. `absent` is no fault: it says what can't be done without it."""

    what: str
    verdict: Verdict
    detail: str
    mend: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Examine the state folder, the shipped parts, and what providers are reachable by key."""
    return [
        _versions(),
        _state_folder(find_home(settings)),
        _embedder(),
        _counter(),
        _store(),
        _journal(settings),
        _domains(),
        _calculator(),
        _sandbox(settings),
        *_keys(),
    ]


def _versions() -> Finding:
    names = ("domain-harness", "langchain", "chromadb", "streamlit", "tiktoken")
    found = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return Finding(
        what="versions", verdict="ok", detail=f"Python {sys.version.split()[0]}, {found}"
    )


def _state_folder(home: Path) -> Finding:
    what = "state folder"
    try:
        above = next(folder for folder in (home, *home.parents) if folder.exists())
        with tempfile.TemporaryFile(dir=above) as file:  # permission bits don't tell all
            file.write(b"harness")
        free = shutil.disk_usage(above).free
    except OSError as error:
        return Finding(
            what=what,
            verdict="broken",
            detail=f"{home} can't be written: {error.strerror or error}",
            mend="Give permission to write there, or name another folder with HARNESS_HOME.",
        )
    detail = f"{home} ({free / 2**30:.1f} GiB free)"
    if free < LOW_DISK:
        mend = "Make room: an index needs about 5 kB an example."
        return Finding(what=what, verdict="broken", detail=detail, mend=mend)
    return Finding(what=what, verdict="ok", detail=detail)


REINSTALL = "Install domain-harness anew."


def _embedder() -> Finding:
    try:
        near, also, far = make_embedder("minilm").embed(
            ["a lost card", "my card is gone", "tax law"]
        )
    except (HarnessError, OSError, ImportError, RuntimeError) as error:
        return Finding(what="embedder", verdict="broken", detail=str(error), mend=REINSTALL)
    if not near @ also > near @ far:
        detail = "minilm gives vectors that make no sense"
        return Finding(what="embedder", verdict="broken", detail=detail, mend=REINSTALL)
    detail = f"minilm, {len(near)} dimensions, on this machine"
    return Finding(what="embedder", verdict="ok", detail=detail)


def _counter() -> Finding:
    counter = make_counter()
    try:
        count = counter.count("hello world")
    except (OSError, ValueError, ImportError) as error:
        return Finding(what="tokens", verdict="broken", detail=str(error), mend=REINSTALL)
    sound = count == 2
    return Finding(
        what="tokens",
        verdict="ok" if sound else "broken",
        detail=f"{counter.name}, ranks in the package",
        mend="" if sound else REINSTALL,
    )


def _store() -> Finding:
    import numpy as np

    from harness.seams import VectorGroup

    vectors = np.eye(3, 8, dtype=np.float32)
    group = VectorGroup(keys=["a", "b", "c"], vectors=vectors, add=[0, 1, 2])
    try:
        with tempfile.TemporaryDirectory() as folder:
            make_store().update(Path(folder) / "chroma", {"demonstrations": group})
    except (HarnessError, OSError, ImportError) as error:
        return Finding(what="vector store", verdict="broken", detail=str(error), mend=REINSTALL)
    return Finding(
        what="vector store",
        verdict="ok",
        detail="Chroma wrote an index that another process could read",
    )


def _journal(settings: Settings) -> Finding:
    """Open the journal where it would be used; a state folder that is not there stays so."""
    home, keys = find_home(settings), find_keys(settings)
    what, where = "journal", f"keys in {keys}"
    if not home.exists() and not settings["database"]:
        return Finding(what=what, verdict="ok", detail=f"none yet, {where}")
    try:
        journal = make_journal(settings, home, Masker.from_environment(os.environ))
        count = len(journal.runs())
        journal.close()
    except (HarnessError, OSError) as error:
        mend = error.mend if isinstance(error, HarnessError) else ""
        told = error.message if isinstance(error, HarnessError) else str(error)
        return Finding(what=what, verdict="broken", detail=told, mend=mend or "Mend that.")
    return Finding(what=what, verdict="ok", detail=f"{count:,} runs, {where}")


def _calculator() -> Finding:
    calculator = make_calculator()
    try:
        result = calculator.run("from decimal import Decimal\nDecimal('1.10') * 3")
    except HarnessError as error:
        return Finding(what="compute", verdict="broken", detail=error.message, mend=error.mend)
    finally:
        calculator.close()
    if result.value != "Decimal('3.30')":
        detail = f"compute miscalculates: {result.value or result.errors}"
        return Finding(what="compute", verdict="broken", detail=detail, mend=REINSTALL)
    return Finding(what="compute", verdict="ok", detail=f"calculates in {calculator.name}")


def _sandbox(settings: Settings) -> Finding:
    what = "sandbox"
    try:
        result = make_sandbox(settings).run(SandboxJob(kind="python", code="import pandas\n1 + 1"))
    except SandboxAbsent as error:
        return Finding(what=what, verdict="absent", detail=error.message, mend=error.mend)
    if result.end != "done":
        detail = f"python does not run in the sandbox: {result.errors.strip()[-300:] or result.end}"
        mend = "Install domain-harness into a virtual environment of its own."
        return Finding(what=what, verdict="broken", detail=detail, mend=mend)
    return Finding(what=what, verdict="ok", detail="python, shell and tools/*.py run in bubblewrap")


def _domains() -> Finding:
    names = ", ".join(bundled_domains())
    return Finding(
        what="shipped domains",
        verdict="ok" if names else "broken",
        detail=names or "none",
        mend="" if names else REINSTALL,
    )


def _keys() -> Iterator[Finding]:
    for provider, variable in KEYS.items():
        if os.environ.get(variable):
            yield Finding(what=provider, verdict="ok", detail=f"{variable} is set")
        else:
            yield Finding(
                what=provider,
                verdict="absent",
                detail=f"{variable} is not set: its models can't be asked",
                mend=f"export {variable}=… (baseline:nearest needs no key)",
            )
