"""What a user gets: the wheel's contents, and the wheel in use on a clean machine."""

from __future__ import annotations

import json
import re
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAINS = (
    "clinical-calculators",
    "contract-clauses",
    "financial-analysis",
    "support-triage",
    "visit-notes",
)


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return {name for name in file.namelist() if not name.endswith("/")}


def kept(folder: Path) -> set[str]:
    """Every file of a folder that belongs to it, by its path from there."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_site_packages_gets_harness_and_nothing_else(names):
    tops = {name.split("/")[0] for name in names}
    assert {re.sub(r"-[\d.]+\.", ".", top) for top in tops} == {
        "harness",
        "domain_harness.dist-info",
    }


def test_everything_that_is_shipped_is_in_it(names):
    assert {f"harness/domains/{name}" for name in kept(ROOT / "domains")} <= names
    assert {f"harness/ui/{name}" for name in kept(ROOT / "ui")} <= names
    assert {f"harness/{name}" for name in kept(ROOT / "harness")} <= names
    for name in (
        "harness/py.typed",
        "harness/ui/README.md",
        "harness/data/minilm-l6-v2-int8/model.onnx",
        "harness/data/minilm-l6-v2-int8/shipped/vectors.npy",
        "harness/data/tiktoken/fb374d419588a4632f3f557e76b4b70aebbca790",
        "harness/context/prompts/legend.md",
        "harness/domain/templates/blank/SKILL.md",
        "harness/domain/templates/labels/examples/mail.csv",
        *(f"harness/domains/{name}/SKILL.md" for name in DOMAINS),
    ):
        assert name in names


def test_what_others_made_carries_its_licence(names):
    for name in DOMAINS:
        assert f"harness/domains/{name}/LICENSE" in names
        assert f"harness/domains/{name}/SOURCE.md" in names
    for name in ("minilm-l6-v2-int8", "tiktoken"):
        assert f"harness/data/{name}/LICENSE" in names
        assert f"harness/data/{name}/SOURCE.txt" in names


def test_nothing_of_a_developer_is_in_it(names):
    for name in names:
        parts = name.split("/")
        assert not any(part.startswith((".", "test_")) for part in parts), name
        assert "tests" not in parts, name
        assert "__pycache__" not in parts, name
        assert not name.endswith((".db", ".log", ".lock.tmp")), name


def test_it_says_what_it_is(wheel, names):
    with zipfile.ZipFile(wheel) as file:
        [path] = [name for name in names if name.endswith(".dist-info/METADATA")]
        says = message_from_string(file.read(path).decode("utf-8"))
        [entries] = [name for name in names if name.endswith(".dist-info/entry_points.txt")]
        assert "harness = harness.cli:main" in file.read(entries).decode("utf-8")
    assert says["Name"] == "domain-harness"
    assert says["License-Expression"] == "Apache-2.0"
    assert says["Requires-Python"] == ">=3.11"
    needs = {re.split(r"[\s\[<>=!~;]", line)[0] for line in says.get_all("Requires-Dist")}
    assert needs >= {
        *("langchain", "langchain-openai", "langchain-anthropic"),
        *("chromadb", "streamlit", "tiktoken"),
    }


IMPORT_ALL = """
import ast, importlib, pathlib, pkgutil, sys, harness
sys.path.insert(0, str(pathlib.Path(harness.__file__).parent / "ui"))  # as `harness ui` does
names = [one.name for one in pkgutil.walk_packages(harness.__path__, "harness.")]
for name in names:
    importlib.import_module(name)
inside = set()  # what functions import when they are called
for path in pathlib.Path(harness.__file__).parent.rglob("*.py"):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            inside.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside.add(node.module)
for name in sorted(inside - {"formulas"}):  # an extra of its own licence
    importlib.import_module(name)
print(len(names), len(inside))
"""


def test_every_import_works_without_what_developers_have(installed, tmp_path):
    strict = "error::DeprecationWarning:harness"
    done = installed.run("python", "-W", strict, "-c", IMPORT_ALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    modules = [path for path in (ROOT / "harness").rglob("*.py") if path.name != "__init__.py"]
    assert int(done.stdout.split()[0]) >= len(modules)
    assert not list(installed.packages.glob("pytest*"))


def test_doctor_finds_the_installation_sound(installed, tmp_path):
    done = installed.run("harness", "doctor", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    found = {one["what"]: one for one in json.loads(done.stdout)}
    assert found["shipped domains"]["detail"] == ", ".join(DOMAINS)
    assert found["embedder"]["verdict"] == found["vector store"]["verdict"] == "ok"


def test_a_shipped_domain_answers_from_an_empty_folder(installed, tmp_path):
    done = installed.run(
        *("harness", "ask", "support-triage", "My card still hasn't arrived"), cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "card_arrival\n"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_shipped_domains_are_read_only_and_copies_are_not(installed, tmp_path):
    refused = installed.run("harness", "core", "visit-notes", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "read-only" in refused.stderr
    assert "harness init my-visit-notes --from visit-notes" in refused.stderr
    made = installed.run("harness", "init", "my", "--from", "visit-notes", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    written = installed.run("harness", "core", "my", "--json", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    chosen = json.loads(written.stdout)["core"]
    lock = (tmp_path / "my" / "core.lock").read_text("utf-8").splitlines()
    assert [line for line in lock if line and not line.startswith("#")] == chosen != []
    inside = installed.run(
        *("harness", "init", "x", "--in", str(installed.packages / "harness" / "domains")),
        cwd=tmp_path,
    )
    assert inside.returncode == 1
    assert "read-only" in inside.stderr
    assert not (installed.packages / "harness" / "domains" / "x").exists()
