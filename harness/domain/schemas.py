"""JSON Schemas of all formats, for completion and checking in editors.

Scalars may stand with or without quotes in the files, so a text may also be a number there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from harness.domain.check_specs import SPECS
from harness.domain.formats import (
    GRADERS,
    NUMBER_KEYS,
    CaseItem,
    DomainSettings,
    ExampleItem,
    RubricItem,
    RuleItem,
)

__all__ = ["json_schemas", "write_schemas"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCALAR = {"type": ["string", "number", "boolean"]}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return a JSON Schema for each format, by the file name to keep it under."""
    return {
        "examples.schema.json": _titled(list[ExampleItem], "Worked examples: examples/*.yaml"),
        "evals.schema.json": _with_checks(_titled(list[CaseItem], "Eval cases: evals/*.yaml")),
        "rules.schema.json": _titled(list[RuleItem], "Rules learnt: rules.yaml"),
        "rubrics.schema.json": _titled(dict[str, RubricItem], "Rubrics: rubrics.yaml"),
        "domain.schema.json": _titled(DomainSettings, "Settings: domain.yaml"),
    }


def write_schemas(folder: Path) -> list[Path]:
    """Write each JSON Schema into a file of the folder, and return the paths.

    Args:
        folder: Made where it is not there.

    Raises:
        OSError: It can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in json_schemas().items():
        path = folder / name
        text = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def _titled(kind: Any, title: str) -> dict[str, Any]:
    schema: dict[str, Any] = _nullable(TypeAdapter(kind).json_schema())
    return {"$schema": _DRAFT, "title": title, **schema}


def _nullable(schema: Any) -> Any:
    """Let keys that may be absent be empty too, and drop defaults that JSON can't say better."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _nullable(value)
        for key, value in schema.items()
        if not (key == "default" and value is None)
    }


def _with_checks(schema: dict[str, Any]) -> dict[str, Any]:
    specs = {grader: _spec(grader, forms) for grader, forms in GRADERS.items()}
    one = {"type": "object", "properties": specs, "additionalProperties": False}
    bare = ("expected", "alone")
    name = {"enum": [grader for grader, forms in GRADERS.items() if set(bare) & set(forms)]}
    single = {"anyOf": [name, {**one, "minProperties": 1, "maxProperties": 1}]}
    case = schema["$defs"]["CaseItem"]
    case["properties"]["checks"] = {
        "description": case["properties"]["checks"]["description"],
        "anyOf": [name, {**one, "minProperties": 1}, {"type": "array", "items": single}],
    }
    case["anyOf"] = [{"required": ["expected"]}, {"required": ["checks"]}]
    return schema


def _spec(grader: str, forms: tuple[str, ...]) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = []
    if "expected" in forms or "alone" in forms:
        kinds.append({"type": "null"})
    if "text" in forms or "amount" in forms:
        kinds.append(_SCALAR)
    if "texts" in forms:
        kinds.append({"type": "array", "items": _SCALAR, "minItems": 1})
    if "number" in forms:
        keys = dict.fromkeys(NUMBER_KEYS, _SCALAR)
        kinds.append({"type": "object", "properties": keys, "additionalProperties": False})
    if "json" in forms:
        kinds.append({"type": "object"})
    if "keys" in forms:
        kinds.append(_inlined(TypeAdapter(SPECS[grader]).json_schema()))
    return {"anyOf": kinds}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with its definitions written out where they are meant."""
    definitions = schema.pop("$defs", {})

    def meant(part: Any) -> Any:
        if isinstance(part, list):
            return [meant(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return meant(definitions[part["$ref"].rsplit("/", 1)[-1]])
        return {key: meant(value) for key, value in part.items()}

    inlined: dict[str, Any] = _nullable(meant(schema))
    return inlined
