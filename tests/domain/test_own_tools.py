"""Functions in tools/*.py and servers in mcp.json, read without running anything."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain import lint, read_domain
from harness.domain.own_servers import read_servers
from harness.domain.own_tools import OwnTools, read_own_tools

PREMIUM = '''"""Premiums."""
from datetime import date
from decimal import Decimal
from typing import Literal, Optional
import nothing_that_is_there

raise SystemExit("this must never run")

def _hidden(x):
    return x

def premium(
    age: int,
    cover: Literal["basic", "full"] = "basic",
    start: Optional[date] = None,
    sums: "list[Decimal]" = [],
    today: date = date.today(),
    *,
    rates: dict[str, float] | None = None,
) -> Decimal:
    """Yearly premium in euros.

    By the table of 2026.

    Effect: external
    Secrets: RATES_TOKEN, OTHER

    Args:
        age: In years,
            counted at entry.
        cover (str): What is covered.
    """
'''


def tools(root: Path, **files: str | bytes) -> OwnTools:
    (root / "tools").mkdir(exist_ok=True)
    for name, text in files.items():
        path = root / "tools" / name.replace("__", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_own_tools(root)


def said(own: OwnTools) -> list[str]:
    return [str(one) for one in own.problems]


def test_a_function_is_read_with_types_defaults_and_words(tmp_path: Path):
    own = tools(tmp_path, premium__py=PREMIUM)
    assert said(own) == []
    (function,) = own.functions
    assert (function.name, function.file, function.line) == ("premium", "tools/premium.py", 12)
    assert function.about == "Yearly premium in euros.\n\nBy the table of 2026."
    assert function.effect == "external"
    assert function.secrets == ("RATES_TOKEN", "OTHER")
    by_name = {one.name: one for one in function.parameters}
    assert by_name["age"].about == "In years, counted at entry."
    assert by_name["age"].required
    assert by_name["cover"].type == Literal["basic", "full"]
    assert by_name["cover"].default == "basic"
    assert by_name["cover"].about == "What is covered."
    assert by_name["start"].type == date | None
    assert by_name["sums"].type == list[Decimal]
    assert by_name["today"].computed
    assert not by_name["today"].required
    assert by_name["rates"].type == dict[str, float] | None


@pytest.mark.parametrize(
    ("code", "place", "says"),
    [
        ("def f(:\n    pass\n", "tools/a.py:1:7: python-syntax", "no Python"),
        ("def f(x):\n    'Doc.'\n", "tools/a.py:1:7: tool-type", "`x: str`"),
        ("def f(x: Thing):\n    'Doc.'\n", "tools/a.py:1:7: tool-type", "`Thing`"),
        ("def f(x: 'list['):\n    'Doc.'\n", "tools/a.py:1:7: tool-type", "list["),
        ("def f():\n    pass\n", "tools/a.py:1:1: tool-form", "docstring"),
        ("async def f():\n    'Doc.'\n", "tools/a.py:1:1: tool-form", "async"),
        ("def f(*a):\n    'Doc.'\n", "tools/a.py:1:1: tool-form", "`*a`"),
        ("def compute():\n    'Doc.'\n", "tools/a.py:1:1: tool-name", "built-in"),
        ("def Read_File():\n    'Doc.'\n", "tools/a.py:1:1: tool-name", "built-in"),
        ("def größe():\n    'Doc.'\n", "tools/a.py:1:1: tool-name", "letters"),
        ("def f():\n    'Effect: none'\n", "tools/a.py:1:1: tool-effect", "read"),
    ],
)  # fmt: skip
def test_what_can_be_no_tool_is_said_by_file_and_line(tmp_path, code, place, says):
    own = tools(tmp_path, a__py=code)
    assert own.functions == ()
    assert len(said(own)) == 1
    assert said(own)[0].startswith(place)
    assert says in said(own)[0]


def test_the_same_name_twice_is_said(tmp_path: Path):
    code = "def f():\n    'Doc.'\n"
    own = tools(tmp_path, a__py=code, b__py="\n" + code.replace("def f", "def F"))
    assert "also in tools/a.py, line 1" in said(own)[0]


def test_files_that_are_no_text_or_lead_away_are_said(tmp_path: Path):
    (tmp_path / "outside.py").write_text("def f():\n    'Doc.'\n")
    root = tmp_path / "domain"
    root.mkdir()
    own = tools(root, a__py=b"\xff\xfe\x00")
    (root / "tools" / "link.py").symlink_to(tmp_path / "outside.py")
    both = read_own_tools(root)
    assert own.functions == both.functions == ()
    assert {one.code for one in both.problems} == {"encoding", "outside-folder"}


def test_every_byte_and_every_name_counts_for_the_digest(tmp_path: Path):
    seen = {read_own_tools(tmp_path).digest}
    assert seen == {""}
    for files in (
        {"a__py": "x = 1\n"},
        {"a__py": "x = 2\n"},
        {"mcp__json": "{}"},
        {"notes__txt": "b"},
    ):
        seen.add(tools(tmp_path, **files).digest)
    (tmp_path / "tools" / "notes.txt").rename(tmp_path / "tools" / "notes2.txt")
    seen.add(read_own_tools(tmp_path).digest)
    assert len(seen) == 6
    again = read_own_tools(tmp_path).digest
    (tmp_path / "tools" / "__pycache__").mkdir()
    (tmp_path / "tools" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert read_own_tools(tmp_path).digest == again


@given(st.text(max_size=200))
def test_whatever_stands_in_a_file_it_is_read(tmp_path_factory: Any, text: str):
    root = tmp_path_factory.mktemp("any")
    content = text.encode("utf-8", "surrogatepass")
    own = tools(root, a__py=content, mcp__json=content)
    assert all(one.place.line >= 1 for one in own.problems)


def test_servers_are_read(tmp_path: Path):
    text = (
        '{"mcpServers": {"time": {"command": "mcp-server-time", "args": ["--x"],'
        ' "env": {"A": "secret:B"}, "effects": {"now": "read"}},'
        ' "web": {"type": "http", "url": "https://example.org/mcp", "tools": ["a"]}}}'
    )
    servers, problems = read_servers(text.encode())
    assert problems == []
    assert [one.name for one in servers] == ["time", "web"]
    assert servers[0].effect == "external"
    assert servers[0].effects == {"now": "read"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "mcp.json:1:2: json-syntax"),
        ("[]", "wrong-type"),
        ('{"servers": {}}', "mcpServers"),
        ('{"mcpServers": {"a b": {"command": "x"}}}', "letters"),
        ('{"mcpServers": {"a": 1}}', "command"),
        ('{"mcpServers": {"a": {}}}', "either `command` or `url`"),
        ('{"mcpServers": {"a": {"command": "x", "url": "https://x"}}}', "one of them"),
        ('{"mcpServers": {"a": {"url": "file:///x"}}}', "https://"),
        ('{\n"mcpServers": {\n"a": {"comand": "x"}}}', "mcp.json:3:1: bad-value"),
        ('{"mcpServers": {"a": {"command": "x", "effect": "none"}}}', "`effect`"),
    ],
)
def test_what_is_wrong_with_servers_is_said(text: str, says: str):
    servers, problems = read_servers(text.encode())
    assert servers == ()
    assert says in str(problems[0])


def test_lint_reports_tools_and_the_domain_works_without_them(tmp_path: Path):
    root = tmp_path / "desk"
    root.mkdir()
    (root / "SKILL.md").write_text("---\nname: desk\ndescription: A desk.\n---\nBe kind.\n")
    tools(root, a__py="def f(:\n")
    found = [one for one in lint(read_domain(root)) if one.code == "python-syntax"]
    assert [str(one.place) for one in found] == ["tools/a.py:1:7"]
