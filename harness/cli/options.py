"""The words that several commands share, and how they become an open domain."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.sdk import Harness
    from harness.values import Section

__all__ = [
    "AsJson",
    "Budget",
    "DomainFolder",
    "Files",
    "Home",
    "Model",
    "ModelOptions",
    "Policy",
    "Sections",
    "open_domain",
    "print_json",
    "read_options",
    "read_question",
    "read_sections",
]

PolicyName = Literal["balanced", "nearest", "diverse", "everything", "none"]

DomainFolder = Annotated[
    str, typer.Argument(metavar="DOMAIN", help="A domain folder, or the name of a shipped one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, alone on stdout.")]
Home = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The state folder (default: the nearest .harness)."),
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="provider:model, as openai:gpt-5, or baseline:nearest."),
]
ModelOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--model-option",
        metavar="KEY=VALUE",
        help="Reaches the model's client as it is: JSON, else text. May be repeated.",
    ),
]
Policy = Annotated[PolicyName | None, typer.Option(help="How demonstrations are chosen.")]
Budget = Annotated[
    int | None, typer.Option(min=1, metavar="TOKENS", help="Most tokens of the whole context.")
]
Sections = Annotated[
    list[str] | None,
    typer.Option(
        "--section",
        metavar="NAME=SIZE",
        help="Room of a section: tokens (demonstrations=500) or a share (core=25%). "
        "May be repeated.",
    ),
]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", metavar="FILE", help="A file that belongs to the question. Repeatable."),
]


def open_domain(
    domain: str,
    *,
    home: Path | None = None,
    model: str | None = None,
    model_options: list[str] | None = None,
) -> Harness:
    """Open a domain for a command; embedding tells its progress on stderr."""
    from harness.cli.progress import embedding_progress
    from harness.sdk import Harness
    from harness.settings import Settings

    settings = Settings({"home": home, "model": model})
    logging.getLogger("harness").setLevel(settings["log_level"])
    return Harness(
        domain,
        settings=settings,
        model_options=read_options(model_options or []),
        progress=embedding_progress(),
    )


def read_options(options: list[str]) -> dict[str, Any]:
    """Return what `--model-option` options say.

    Raises:
        UsageError: One is not KEY=VALUE.
    """
    read: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise UsageError(f"--model-option {option!r} has no value.", "Write KEY=VALUE.")
        try:
            read[key] = json.loads(value)
        except ValueError:
            read[key] = value
    return read


def read_sections(sections: list[str] | None) -> dict[Section, str]:
    """Return what `--section` options say.

    Raises:
        UsageError: One is not NAME=SIZE, or names no section.
    """
    from typing import get_args

    from harness.values import Section

    read: dict[Section, str] = {}
    for option in sections or []:
        name, equals, size = option.partition("=")
        if not equals or name not in get_args(Section):
            names = ", ".join(get_args(Section))
            raise UsageError(
                f"--section {option!r} is not NAME=SIZE.", f"The sections are {names}."
            )
        read[cast("Section", name)] = size
    return read


def read_question(words: str) -> str:
    """Return the question; `-` stands for standard input."""
    if words != "-":
        return words
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"Standard input is not UTF-8: {error}.", "Save it as UTF-8.") from error


def print_json(value: Any) -> None:
    """Print JSON to stdout, unescaped."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    print(text.encode("utf-8", "backslashreplace").decode("utf-8"))
