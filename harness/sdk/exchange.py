"""Files of other eval tools, read and written."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import StateError, UsageError
from harness.evals.foreign import Imported, from_inspect, from_promptfoo

if TYPE_CHECKING:
    from harness.sdk.harness import Harness

__all__ = ["Foreign", "export_inspect", "import_cases"]

Foreign = Literal["promptfoo", "inspect"]


def import_cases(source: Path, target: Path, kind: Foreign | None = None) -> Imported:
    """Write the cases of another tool's file as YAML.

    Args:
        source: promptfoo's YAML or JSON; Inspect's JSON or JSON lines.
        target: A file that is not there yet, as `evals/dev.yaml`.
        kind: Whose file it is; by default told from what is in it.

    Raises:
        UsageError: It can't be read, has no cases, or the target is there already.
        StateError: The target can't be written.
    """
    if target.exists():
        raise UsageError(f"{target} is there already.", "Name another file, or move it.")
    says = _read(source)
    if kind is None:
        kind = "inspect" if isinstance(says, list) and _samples(says) else "promptfoo"
    found = from_inspect(says) if kind == "inspect" else from_promptfoo(says)
    if not found.cases:
        lost = "; ".join(found.lost)
        raise UsageError(f"No case of {source} carried over: {lost}.", "Write them anew.")
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width, yaml.default_flow_style, yaml.allow_unicode = 100, False, True
    out = io.StringIO()
    yaml.dump(found.cases, out)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(out.getvalue(), "utf-8")
    except OSError as error:
        raise StateError(f"{target} can't be written: {error.strerror or error}.") from error
    return found


def export_inspect(harness: Harness, run: str, target: Path) -> int:
    """Write a run as a log of Inspect; return the number of its cases.

    Raises:
        EvalError: There is no such run.
        StateError: The target can't be written.
    """
    from harness.evals.inspect_log import inspect_log

    found = harness.evals.load(run)
    inputs = {case.id: case.text for case in harness.evals.domain().cases}
    try:
        target.write_bytes(inspect_log(found, inputs))
    except OSError as error:
        raise StateError(f"{target} can't be written: {error.strerror or error}.") from error
    return found.n


def _samples(says: list[Any]) -> bool:
    return all(isinstance(one, dict) and "input" in one for one in says)


def _read(source: Path) -> Any:
    try:
        text = source.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{source} can't be read: {error}.", "Check the path.") from error
    ending = source.suffix.lower()
    try:
        if ending == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        if ending == ".json":
            return json.loads(text)
        from ruamel.yaml import YAML

        return YAML(typ="safe", pure=True).load(text)
    except Exception as error:  # a YAML reader raises many kinds
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{source} can't be read: {first}.", "Mend the file.") from error
