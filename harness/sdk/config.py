"""Every setting with its value and where that came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.domain import read_domain
from harness.sdk.bundled import find_domain
from harness.settings import SETTINGS, Origin, Settings, find_home, find_keys

__all__ = ["SettingLine", "explain_settings"]


UNITS = ("seconds", "megabytes")
"""Forms of a setting that are its unit, too."""


@dataclass(frozen=True, kw_only=True)
class SettingLine:
    """One setting as it stands; `unit` is empty where the value has none."""

    name: str
    value: Any
    origin: Origin
    where: str
    variable: str
    about: str
    unit: str = ""


def explain_settings(domain: str | None, flags: Mapping[str, Any]) -> list[SettingLine]:
    """Return every setting as it stands for a domain, or without one.

    Raises:
        DomainNotFound: There is no such domain.
    """
    settings = Settings(flags)
    of_domain: dict[str, Any] = {}
    near: Path | None = None
    if domain:
        near = find_domain(domain)
        said = read_domain(near).settings
        of_domain = {"model": said.model, "fallback_model": said.fallback_model}
    lines = []
    for setting in SETTINGS:
        value = settings.beside(setting.name, of_domain.get(setting.name))
        lines.append(
            SettingLine(
                name=setting.name,
                value=_shown(setting.name, value.value, settings, near),
                origin=value.origin,
                where=value.where,
                variable=setting.variable,
                about=setting.about,
                unit=setting.form if setting.form in UNITS else "",
            )
        )
    return lines


def _shown(name: str, value: Any, settings: Settings, near: Path | None) -> Any:
    """Return a value as it is shown: folders where they are, an address without its password."""
    if name == "home":
        return str(find_home(settings, near))
    if name == "keys":
        return str(find_keys(settings))
    if name == "database" and value:
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", value)
    return value
