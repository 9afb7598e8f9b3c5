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
        Draft202012Validator.check_schema(schema)
    except (OSError, ValueError, SchemaError) as error:
        words = getattr(error, "message", None) or str(error)
        raise UsageError(f"{path} holds no JSON Schema: {words}", "Mend the file.") from error
    if not isinstance(schema, dict):
        raise UsageError(f"{path} holds no JSON Schema.", "It has to be a JSON object.")
    return schema
