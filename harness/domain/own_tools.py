"""The functions in a domain's `tools/*.py`, read as text: nothing of them is run or imported.

A public function with types and a docstring is a tool. `Effect: read` on a line of its docstring
says what it does to the world, `Secrets: NAME` which environment variables it needs.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.domain.files import DomainFile, Unusable, decode, read_bytes, walk
from harness.domain.own_servers import EFFECTS, MCP_FILE, Effect, OwnServer, read_servers
from harness.domain.own_types import KNOWN, UnknownType, read_type
from harness.values import Place, Problem

__all__ = [
    "RESERVED",
    "OwnFunction",
    "OwnTools",
    "Parameter",
    "read_own_tools",
]

FOLDER = "tools"
MOST_BYTES = 4 << 20
RESERVED = frozenset(
    (
        *("list_files", "read_file", "search_files", "write_file", "edit_file"),
        *("read_document", "search_document", "look_at_pages"),
        *("write_document", "write_spreadsheet", "revise_document"),
        *("search_references", "read_reference", "search_examples"),
        *("compute", "python", "shell", "fetch_page", "plan", "ask", "finish", "delegate"),
    )
)
"""Names of built-in tools, which a domain's own can't have."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?):\s*$")
_ITEM = re.compile(r"^(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")
_SECRETS = re.compile(r"^Secrets:\s*([A-Z0-9_, ]+?)\s*$", re.MULTILINE)
_EFFECT = re.compile(r"^Effect:\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a function takes.

    Attributes:
        type: As Python has it.
        required: It has no default.
        default: Where it has one that can be read.
        computed: It has one that is known only when the function runs.
        about: From the docstring.
    """

    name: str
    type: Any
    required: bool = True
    default: Any = None
    computed: bool = False
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnFunction:
    """A function that an expert wrote.

    Attributes:
        file: Its file, from the domain's folder.
        line: Where it begins.
        about: The docstring up to the arguments.
        effect: As declared; None where the docstring does not say.
        secrets: Environment variables that it gets where it is granted the host.
    """

    name: str
    file: str
    line: int
    about: str
    parameters: tuple[Parameter, ...]
    effect: Effect | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnTools:
    """What a domain's `tools/` holds.

    Attributes:
        modules: Text of each Python file by its name, as `premium.py`.
        digest: Hash over names and bytes of all its files; empty where there are none.
        servers: The MCP servers that `mcp.json` names.
    """

    functions: tuple[OwnFunction, ...] = ()
    modules: dict[str, str] = field(default_factory=dict)
    servers: tuple[OwnServer, ...] = ()
    problems: tuple[Problem, ...] = ()
    digest: str = ""


def read_own_tools(path: Path) -> OwnTools:
    """Read a domain's `tools/`: all that is sound, and all that is not as `problems`."""
    root = path.resolve()
    functions: list[OwnFunction] = []
    problems: list[Problem] = []
    modules: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    for file in _files(root, problems):
        contents[file.name] = b"unreadable"
        try:
            content = contents[file.name] = read_bytes(file, root, limit=MOST_BYTES)
            if file.ending == ".py":
                text = decode(file, content)
                found, wrong = _functions(file, text)
                functions += found
                problems += wrong
                modules[file.name.removeprefix(f"{FOLDER}/")] = text
        except Unusable as error:
            problems.append(error.problem)
    problems += _twice(functions)
    servers, wrong = read_servers(contents.get(MCP_FILE, b""))
    return OwnTools(
        functions=tuple(functions),
        modules=modules,
        servers=servers,
        problems=(*problems, *wrong),
        digest=_digest(contents),
    )


def _files(root: Path, problems: list[Problem]) -> Iterator[DomainFile]:
    if not (root / FOLDER).exists():
        return
    try:
        yield from (one for one in walk(root, FOLDER, deep=True) if "/__pycache__/" not in one.name)
    except Unusable as error:
        problems.append(error.problem)


def _digest(contents: dict[str, bytes]) -> str:
    if not contents:
        return ""
    total = hashlib.sha256()
    for name, content in sorted(contents.items()):
        total.update(f"{len(name.encode())} {name} {len(content)} ".encode())
        total.update(content)
    return total.hexdigest()


def _problem(file: str, line: int, code: str, message: str, column: int = 1) -> Problem:
    return Problem(place=Place(file=file, line=line, column=column), code=code, message=message)


def _functions(file: DomainFile, text: str) -> tuple[list[OwnFunction], list[Problem]]:
    try:
        tree = ast.parse(text, file.name)
    except (SyntaxError, ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1) or 1, getattr(error, "offset", 1) or 1
        says = f"This is no Python: {getattr(error, 'msg', error)}. Mend the line."
        return [], [_problem(file.name, line, "python-syntax", says, max(column, 1))]
    found: list[OwnFunction] = []
    problems: list[Problem] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            wrong = list(_wrong(file.name, node))
            problems += wrong
            if not wrong:
                found.append(_function(file.name, node))
    return found, problems


def _wrong(file: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Problem]:
    name, line = node.name, node.lineno
    if isinstance(node, ast.AsyncFunctionDef):
        yield _problem(file, line, "tool-form", f"`{name}` is async. Write it as a plain `def`.")
    if not _NAME.fullmatch(name):
        says = f"`{name}` can't be a tool's name: letters, digits and `_` only, at most 64."
        yield _problem(file, line, "tool-name", says)
    if name.casefold() in RESERVED:
        says = f"`{name}` is the name of a built-in tool. Choose another name."
        yield _problem(file, line, "tool-name", says)
    doc = ast.get_docstring(node) or ""
    if not doc.strip():
        says = f"`{name}` has no docstring. Say in a sentence what it does: the model reads it."
        yield _problem(file, line, "tool-form", says)
    effect = _EFFECT.search(doc)
    if effect and effect[1] not in EFFECTS:
        says = f"`Effect: {effect[1]}` is not known. There are: {', '.join(EFFECTS)}."
        yield _problem(file, line, "tool-effect", says)
    given = node.args
    for star in (given.vararg, given.kwarg):
        if star is not None:
            says = f"`{name}` takes `*{star.arg}`. Name each argument."
            yield _problem(file, star.lineno, "tool-form", says)
    for one in (*given.posonlyargs, *given.args, *given.kwonlyargs):
        yield from _wrong_type(file, name, one)


def _wrong_type(file: str, function: str, one: ast.arg) -> Iterator[Problem]:
    place = (file, one.lineno, "tool-type")
    if one.annotation is None:
        says = f"`{one.arg}` of `{function}` has no type. Write one: `{one.arg}: str`."
        yield _problem(*place, says, one.col_offset + 1)
        return
    try:
        read_type(one.annotation)
    except UnknownType as error:
        says = f"`{one.arg}` of `{function}`: a model can't fill in `{error}`. Use {KNOWN}."
        yield _problem(*place, says, one.col_offset + 1)


def _function(file: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> OwnFunction:
    doc = ast.get_docstring(node) or ""
    about, arguments = _parts(doc)
    effect = _EFFECT.search(doc)
    secrets = _SECRETS.search(doc)
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    defaults += given.defaults
    pairs = [*zip(plain, defaults, strict=True)]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return OwnFunction(
        name=node.name,
        file=file,
        line=node.lineno,
        about=about,
        effect=next((one for one in EFFECTS if effect and one == effect[1]), None),
        secrets=tuple(secrets[1].replace(",", " ").split()) if secrets else (),
        parameters=tuple(
            _parameter(one, default, arguments.get(one.arg, "")) for one, default in pairs
        ),
    )


def _parameter(one: ast.arg, default: ast.expr | None, about: str) -> Parameter:
    assert one.annotation is not None  # noqa: S101 - it was looked at before
    kind = read_type(one.annotation)
    if default is None:
        return Parameter(name=one.arg, type=kind, about=about)
    try:
        value = ast.literal_eval(default)
    except ValueError:  # what stands there is known only when it runs: then it is left out
        kind = kind | None
        return Parameter(name=one.arg, type=kind, required=False, computed=True, about=about)
    return Parameter(name=one.arg, type=kind, required=False, default=value, about=about)


def _parts(doc: str) -> tuple[str, dict[str, str]]:
    """Return what a docstring says before its sections, and of each argument."""
    about: list[str] = []
    arguments: dict[str, str] = {}
    section, last = "", ""
    for line in doc.splitlines():
        heading = _SECTION.match(line)
        if heading:
            section, last = heading[1], ""
        elif not section:
            about.append("" if _EFFECT.match(line) or _SECRETS.match(line) else line)
        elif section in ("Args", "Arguments", "Parameters") and line.strip():
            item = _ITEM.match(textwrap.dedent(line).strip())
            if item and (not last or not line.startswith(" " * 8)):
                last = item[1]
                arguments[last] = item[2]
            elif last:
                arguments[last] += f" {line.strip()}"
    return "\n".join(about).strip(), arguments


def _twice(functions: list[OwnFunction]) -> Iterator[Problem]:
    seen: dict[str, OwnFunction] = {}
    for one in functions:
        first = seen.setdefault(one.name.casefold(), one)
        if first is not one:
            says = f"`{one.name}` is also in {first.file}, line {first.line}. Rename one."
            yield _problem(one.file, one.line, "tool-name", says)
