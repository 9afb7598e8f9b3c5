"""A JSON Schema from a caller or a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UsageError

__all__ = ["check_schema", "read_schema"]


def read_schema(path: Path) -> dict[str, Any]:
    """Return the schema in a file.

    Raises:
        UsageError: The file can't be read, or holds no JSON Schema.
    """
    try:
        schema = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        message = f"{path} can't be read: {error.strerror or error}."
        raise UsageError(message, "Check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8.", "Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} holds no JSON: {error}.", "Mend the file.") from error
    check_schema(schema, str(path))
    return dict(schema)


def check_schema(schema: object, name: str) -> None:
    """Make sure that something is a JSON Schema.

    Args:
        schema: What was given.
        name: What it is called in errors.

    Raises:
        UsageError: It is none.
    """
    from jsonschema import Draft202012Validator, SchemaError

    if not isinstance(schema, Mapping):
        raise UsageError(f"{name} holds no JSON Schema.", "It has to be a JSON object.")
    try:
        Draft202012Validator.check_schema(dict(schema))
    except (SchemaError, RecursionError) as error:
        words = getattr(error, "message", None) or "it is nested too deep"
        raise UsageError(f"{name} holds no JSON Schema: {words}.", "Mend it.") from error
