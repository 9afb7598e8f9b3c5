"""The front door: light to open, every public name there and explained."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import harness

DATA = ("harness.domain.templates", "harness.domains", "harness.ui")
HEAVY = [
    "chromadb",
    "langchain",
    "langchain_anthropic",
    "langchain_core",
    "langchain_openai",
    "numpy",
    "onnxruntime",
    "pandas",
    "pydantic",
    "scipy",
    "streamlit",
    "tiktoken",
    "tokenizers",
]


def modules() -> list[str]:
    """Every module of the package but what ships as data: templates and domains."""
    found = (info.name for info in pkgutil.walk_packages(harness.__path__, "harness."))
    return ["harness", *(name for name in found if not name.startswith(DATA))]


MODULES = modules()


def loaded_after(statement: str) -> list[str]:
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = run.stdout.splitlines()[-1].split()
    assert "harness" in names
    return [name for name in HEAVY if name in names]


@pytest.mark.parametrize(
    "statement",
    [
        "import harness",
        "import harness; dir(harness)",
        "import harness.errors, harness.values, harness.settings, harness.seams",
        # The command line ends by exiting.
        "from harness.cli import main\nsys.argv = ['harness', '--help']\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code, done.code",
    ],
    ids=["import", "dir", "foundations", "help"],
)
def test_the_door_opens_without_the_heavy_libraries(statement: str) -> None:
    assert loaded_after(statement) == []


def test_the_test_for_heavy_libraries_can_fail() -> None:
    assert loaded_after("import harness, numpy") == ["numpy"]


@pytest.mark.parametrize("name", MODULES)
def test_every_exported_name_is_there_and_explained(name: str) -> None:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])
    assert len(exported) == len(set(exported))
    for one in exported:
        value = getattr(module, one)  # raises where it is not there
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), f"{name}.{one} has no docstring"
    assert module.__doc__, f"{name} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_every_public_method_and_class_is_explained(name: str) -> None:
    """By the source, so that an inherited docstring does not stand for one's own."""
    module = importlib.import_module(name)
    tree = ast.parse(inspect.getsource(module)) if has_source(module) else ast.parse("")
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            explained(node, f"{name}.{node.name}")


def has_source(module: ModuleType) -> bool:
    try:
        return bool(inspect.getsource(module).strip())
    except OSError:
        return False


def explained(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, where: str) -> None:
    if node.name.startswith("_"):
        return
    assert ast.get_docstring(node), f"{where} has no docstring"
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                explained(inner, f"{where}.{inner.name}")


def test_the_front_door_s_names() -> None:
    assert set(harness.__all__) <= set(dir(harness))
    assert harness.Harness is importlib.import_module("harness.sdk").Harness
    assert issubclass(harness.HarnessError, Exception)
    with pytest.raises(AttributeError, match="no attribute 'Harnes'"):
        harness.Harnes  # noqa: B018


def test_the_version_is_the_package_s() -> None:
    from importlib import metadata

    assert harness.__version__ == metadata.version("domain-harness")


def test_sync_and_async_doors_take_the_same() -> None:
    """No method for waiting callers is missing for async ones, or the other way round."""
    public = {name for name in vars(harness.Harness) if not name.startswith("_")}
    for name in ("ask", "stream", "preview", "evaluate", "close"):
        assert {name, f"a{name}"} <= public
        assert inspect.getdoc(getattr(harness.Harness, f"a{name}"))
