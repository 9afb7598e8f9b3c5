"""Every third-party import is declared, and nothing is declared in vain."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASKED_FOR = {
    *("langchain", "langchain-anthropic", "langchain-openai", "streamlit"),
    *("matplotlib", "pandas"),  # for scripts in the sandbox
    "pydantic-monty-runtime",  # the program that the client starts
}
"""Part of the product whether or not a line imports them by name."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {normal(re.split(r"[\s\[<>=!~;]", line)[0]) for line in project["dependencies"]}


def extras() -> set[str]:
    """What is imported only where it is installed; the message names the extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [line for extra in project["optional-dependencies"].values() for line in extra]
    return {normal(re.split(r"[\s\[<>=!~;]", line)[0]) for line in lines}


def imported() -> Iterator[tuple[str, str]]:
    """Yield each third-party top-level module, and the file that imports it."""
    for path in sorted([*(ROOT / "harness").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                if top not in (*sys.stdlib_module_names, "harness", "harness_ui"):
                    yield top, path.relative_to(ROOT).as_posix()


def test_every_import_is_declared():
    owners = packages_distributions()
    missing = {
        (module, file)
        for module, file in imported()
        if not {normal(name) for name in owners.get(module, ())} & (declared() | extras())
    }
    assert not missing


def test_nothing_is_declared_in_vain():
    owners = packages_distributions()
    used = {normal(name) for module, _ in imported() for name in owners.get(module, ())}
    assert declared() - used <= ASKED_FOR


def test_the_constraints_fix_every_dependency_and_name_no_index():
    lines = (ROOT / ".ci" / "constraints.txt").read_text("utf-8").splitlines()
    names = [line.partition("==")[0] for line in lines]
    assert all(re.fullmatch(r"[a-z0-9._-]+==[A-Za-z0-9.+!_-]+", line) for line in lines)
    assert len(set(map(normal, names))) == len(names)
    assert declared() | extras() <= set(map(normal, names))
    assert "domain-harness" not in names
