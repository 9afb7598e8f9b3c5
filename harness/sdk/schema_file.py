"""A JSON Schema from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import UsageError

__all__ = ["read_schema"]


def read_schema(path: Path) -> dict[str, Any]:
    """Return the schema in a file.

    Raises:
        UsageError: The file can't be read, or holds no JSON Schema.
    """
    from jsonschema import Draft202012Validator, SchemaError

    try:
        schema = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        message = f"{path} can't be read: {error.strerror or error}."
        raise UsageError(message, "Check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8.", "Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} holds no JSON: {error}.", "Mend the file.") from error
    if not isinstance(schema, dict):
        raise UsageError(f"{path} holds no JSON Schema.", "It has to be a JSON object.")
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        words = getattr(error, "message", None) or "it is nested too deep"
        raise UsageError(f"{path} holds no JSON Schema: {words}.", "Mend the file.") from error
    return schema
