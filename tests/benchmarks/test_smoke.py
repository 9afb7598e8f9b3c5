"""Every benchmark runs, at tiny sizes, and keeps what a later comparison needs.

A sample of them in `make test`, all in `make soak`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOAK = bool(os.environ.get("HARNESS_SOAK"))
SAMPLE = ("packing-speed", "stable-prefix", "hands")
OTHERS = (
    "start-up",
    "embedding",
    "indexing",
    "packing-quality",
    "loop",
    "documents",
    "scale",
    "evals",
)
NAMES = (*SAMPLE, *OTHERS) if SOAK else SAMPLE

pytestmark = pytest.mark.soak  # a sample in `make test`


@pytest.fixture(scope="module")
def benchmarked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    # Bytecode is kept for the many processes that a benchmark starts, whatever this one does.
    variables = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    only = [word for name in NAMES for word in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick", "--out", str(folder), *only],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(f"{name}: " in done.stdout for name in NAMES), done.stdout
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_kept_with_units_and_circumstances(benchmarked: Path, name: str) -> None:
    said = json.loads((benchmarked / f"{name}.json").read_text("utf-8"))
    assert said["benchmark"] == name
    assert said["quick"] is True
    assert said["date"].endswith("+00:00")
    assert said["machine"]["cores"] >= 1
    assert said["machine"]["python"].count(".") == 2
    assert said["versions"]["chromadb"][0].isdigit()
    assert said["figures"]
    for figure in said["figures"]:
        assert figure["name"]
        assert figure["unit"]
        assert isinstance(figure["value"], int | float)
        assert (figure["met"] is None) == (figure["wanted"] == "")


def test_peers_stand_beside_ours(benchmarked: Path) -> None:
    def names(benchmark: str) -> str:
        said = json.loads((benchmarked / f"{benchmark}.json").read_text("utf-8"))
        return "\n".join(figure["name"] for figure in said["figures"])

    for peer in ("bare Chroma", "LangChain similarity", "LangChain MMR", "numpy"):
        assert peer in names("packing-speed")
    if not SOAK:
        return
    for peer in ("dense top-k", "MMR", "harness balanced", "harness nearest", "harness diverse"):
        assert peer in names("packing-quality")


def test_what_holds_at_any_size_is_met(benchmarked: Path) -> None:
    """No timing: the prefix is one, and a vector does not hang on its neighbours."""
    for name, figure in (
        ("stable-prefix", "different prefixes"),
        ("embedding", "vectors that differ alone and among others"),
    ):
        if name not in NAMES:
            continue
        said = json.loads((benchmarked / f"{name}.json").read_text("utf-8"))
        assert next(one["met"] for one in said["figures"] if one["name"] == figure) is True
