"""Every setting: its name, default, type, environment variable, and a sentence.

Precedence: command line, then environment, then domain (`domain.yaml`, for the settings that it
has), then the project file `harness.toml`, then the default. `harness config` prints each value
and where it came from.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import UsageError

__all__ = ["SETTINGS", "Origin", "Setting", "Settings", "Value", "find_home", "find_keys"]

Origin = Literal["command line", "environment", "domain", "project file", "default"]
PROJECT_FILE = "harness.toml"
STATE_FOLDER = ".harness"


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def _level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError
    return text.upper()


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: As in `harness.toml` and `harness config`.
        default: Its value where nobody says otherwise.
        read: Makes the value from text; raises ValueError.
        form: What a value looks like, for messages.
        about: One sentence.
    """

    name: str
    default: Any
    read: Callable[[str], Any]
    form: str
    about: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"HARNESS_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting("home", None, str, "a folder", "The state folder: indexes, caches and records."),
    Setting(
        "keys", None, str, "a folder", "Keys of the journal's runs, outside of the state folder."
    ),
    Setting(
        "database",
        None,
        str,
        "postgresql://user@host/database",
        "Keeps the journal there, not in the state folder.",
    ),
    Setting(
        "model",
        "baseline:nearest",
        str,
        "provider:model",
        "The model that answers; `baseline:nearest` needs no key.",
    ),
    Setting(
        "fallback_model", None, str, "provider:model", "Tried where the model can't be reached."
    ),
    Setting("judge_model", None, str, "provider:model", "Grades by rubrics and compares answers."),
    Setting("timeout", 120.0, _positive, "seconds", "How long one call to a model may be silent."),
    Setting("retries", 4, _whole, "a whole number", "How often a failed call is tried again."),
    Setting("jobs", 8, _count, "a whole number above 0", "How many eval cases run at once."),
    Setting(
        "sandbox_seconds", 120.0, _positive, "seconds", "How long code may run in the sandbox."
    ),
    Setting(
        "sandbox_memory", 2048, _count, "megabytes", "Memory of all that runs in one sandbox call."
    ),
    Setting("sandbox_disk", 512, _count, "megabytes", "Files that one sandbox call may write."),
    Setting(
        "log_level", "WARNING", _level, "DEBUG, INFO, WARNING or ERROR", "What is logged to stderr."
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Value:
    """A setting's value, and where it came from."""

    value: Any
    origin: Origin
    where: str = ""


class Settings:
    """The settings as they stand for one process.

    Args:
        flags: From the command line or the caller; None means not given.
        environment: By default the process's own.
        folder: Where the search for `harness.toml` begins; by default the current folder.

    Raises:
        UsageError: A value is of the wrong form, or `harness.toml` has an unknown key.
    """

    def __init__(
        self,
        flags: Mapping[str, Any] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        environment = os.environ if environment is None else environment
        project, where = _project_file(folder or Path.cwd())
        self._values: dict[str, Value] = {}
        for setting in SETTINGS:
            name = setting.name
            if flags and flags.get(name) is not None:
                value = _read(setting, flags[name], "--" + name.replace("_", "-"))
                self._values[name] = Value(value, "command line")
            elif environment.get(setting.variable):
                value = _read(setting, environment[setting.variable], setting.variable)
                self._values[name] = Value(value, "environment", setting.variable)
            elif name in project:
                value = _read(setting, project[name], f"`{name}` in {where}")
                self._values[name] = Value(value, "project file", where)
            else:
                self._values[name] = Value(setting.default, "default")

    def __getitem__(self, name: str) -> Any:
        return self._values[name].value

    def explain(self, domain: Mapping[str, Any] | None = None) -> dict[str, Value]:
        """Return every value with its origin.

        Args:
            domain: What `domain.yaml` sets, by setting name; goes before project and default.
        """
        return {name: self.beside(name, (domain or {}).get(name)) for name in self._values}

    def beside(self, name: str, of_domain: Any) -> Value:
        """Return a setting's value where the domain has its own word on it."""
        value = self._values[name]
        if of_domain is None or value.origin in ("command line", "environment"):
            return value
        return Value(of_domain, "domain", "domain.yaml")


def find_home(settings: Settings, near: Path | None = None) -> Path:
    """Return the state folder, which need not be there yet.

    It is `--home`, else `HARNESS_HOME`, else what `harness.toml` says (from its own folder), else
    the nearest `.harness/` above the domain or above the current folder, else `.harness/` in the
    current folder.
    """
    said = settings.explain()["home"]
    if said.value:
        base = Path(said.where).parent if said.origin == "project file" else Path.cwd()
        return base.absolute() / Path(said.value).expanduser()
    for start in (near, Path.cwd()):
        for folder in [start.absolute(), *start.absolute().parents] if start else ():
            if (folder / STATE_FOLDER).is_dir():
                return folder / STATE_FOLDER
    return Path.cwd() / STATE_FOLDER


def find_keys(settings: Settings) -> Path:
    """Return the keys folder, which need not be there yet.

    It is `--keys`, else `HARNESS_KEYS`, else `harness/keys` in the user's own data folder.
    """
    if settings["keys"]:
        return Path(settings["keys"]).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("harness", appauthor=False) / "keys"


def _read(setting: Setting, given: Any, where: str) -> Any:
    try:
        return setting.read(str(given))
    except ValueError:
        raise UsageError(f"{where} is {given!r}.", f"It has to be {setting.form}.") from None


def _project_file(start: Path) -> tuple[dict[str, Any], str]:
    """Return what the nearest `harness.toml` above a folder says, and its path."""
    for folder in [start.absolute(), *start.absolute().parents]:
        path = folder / PROJECT_FILE
        if path.is_file():
            return _checked(path), str(path)
    return {}, ""


def _checked(path: Path) -> dict[str, Any]:
    try:
        said = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} can't be read: {error}.", "Mend it, or take it away.") from error
    for key in said:
        if key not in BY_NAME:
            near = difflib.get_close_matches(key, BY_NAME, 1)
            mend = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(BY_NAME)}."
            raise UsageError(f"{path} has the unknown key `{key}`.", mend)
    return said
