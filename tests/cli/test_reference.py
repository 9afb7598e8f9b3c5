"""The command reference of README.md, made from the commands themselves.

`python tests/cli/test_reference.py` prints it, to stand there between `<!-- cli -->` and
`<!-- /cli -->`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"<!-- cli -->\n(?P<text>.*?)\n?<!-- /cli -->", re.DOTALL)


@functools.cache
def commands() -> dict[str, Any]:
    """Return the commands by name, in the order in which `harness --help` has them.

    Those of a group stand behind its name: `examples list`.
    """
    from typer.main import get_command

    from harness.cli.app import app

    return dict(_leaves(get_command(app)))


def _leaves(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{before}{name} ")
        else:
            yield before + name, command


def arguments(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "argument"]


def options(command: Any) -> list[Any]:
    given = (one for one in command.params if one.param_type_name == "option")
    return [one for one in given if not one.hidden]


def cli_reference() -> str:
    """Return the reference: a table of the commands, and one of their options."""
    usage = ["| command | what it does |", "|---|---|"]
    for name, command in commands().items():
        words = " ".join(["harness", name, *map(_placeholder, arguments(command))])
        usage.append(f"| `{words}` | {_one_line(command.help)} |")
    meaning = ["| option | of | what it means |", "|---|---|---|"]
    for (shown, said), names in _options_by_meaning().items():
        of = "all" if len(names) == len(commands()) else _together(names)
        meaning.append(f"| `{shown}` | {of} | {said} |")
    folded = ["<details><summary>Every option</summary>", "", *meaning, "", "</details>"]
    return "\n".join([*usage, "", *folded])


def _together(names: list[str]) -> str:
    """Return names of commands, those of `runs` with that word said once."""
    of_runs = [one.removeprefix("runs ") for one in names if one.startswith("runs ")]
    said = [one for one in names if not one.startswith("runs ")]
    if len(of_runs) == sum(one.startswith("runs ") for one in commands()):
        return ", ".join([*said, "all of runs"])
    return ", ".join([*said, *(["runs " + " ".join(of_runs)] if of_runs else [])])


def _options_by_meaning() -> dict[tuple[str, str], list[str]]:
    """Return which commands have an option, by the option as written and what it means."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, command in commands().items():
        for one in options(command):
            said = _one_line(one.help) + _default(one)
            found.setdefault((_option(one), said), []).append(name)
    return found


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _placeholder(argument: Any) -> str:
    return argument.metavar if argument.required else f"[{argument.metavar}]"


def _option(option: Any) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    # A choice is shown with its values; a bar would end the cell of the table.
    values = option.metavar or ",".join(option.type_descriptor.choices or ())
    return f"{names} {values}"


def _default(one: Any) -> str:
    if one.is_flag or one.default in (None, "", ()):
        return ""
    return f" Default: `{one.default}`."


def test_every_word_of_every_command_is_explained():
    for name, command in commands().items():
        assert command.help, name
        for one in [*arguments(command), *options(command)]:
            assert (one.help or "").strip().endswith((".", ")")), f"{name}: {one.name}"
            assert one.param_type_name == "option" or one.metavar, f"{name}: {one.name}"


def test_every_command_speaks_json_and_takes_a_home():
    for name, command in commands().items():
        known = {word for one in options(command) for word in one.opts}
        assert "--json" in known or name == "runs export", name  # its lines are JSON
        assert "--home" in known or name in ("init", "schema", "import"), name


def test_the_readme_has_the_reference():
    found = BLOCK.search(README.read_text("utf-8"))
    wanted = cli_reference()
    if found is None or found["text"].strip() != wanted.strip():
        pytest.fail(
            "README.md's command reference is not what the commands say. Between `<!-- cli -->`"
            f" and `<!-- /cli -->` put:\n\n{wanted}\n",
            pytrace=False,
        )


def test_the_reference_names_every_command_and_option():
    text = cli_reference()
    for name, command in commands().items():
        assert f"harness {name}" in text
        for one in options(command):
            for word in one.opts:
                assert word in text


def test_commands_that_messages_name_are_there() -> None:
    """A mend that does not work is worse than none."""
    known = {*commands(), *(name.partition(" ")[0] for name in commands())}
    groups = {name.partition(" ")[0] for name in commands() if " " in name}
    unknown = []
    for folder in ("harness", "ui"):
        for file in (README.parent / folder).rglob("*.py"):
            for first, second in re.findall(r"`harness ([a-z]+)(?: ([a-z]+))?", file.read_text()):
                named = f"{first} {second}" if first in groups and second else first
                if named not in known:
                    unknown.append((file.name, named))
    assert unknown == []


if __name__ == "__main__":
    print(cli_reference())
