"""Eval runs on disk: one JSON file a run, written whole or not at all."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.errors import EvalError, StateError, UsageError
from harness.evals.results import EvalRun

__all__ = ["load_run", "save_run"]

FORMAT = 1
"""Of the file; a higher one was written by a newer version of this program."""


def save_run(folder: Path, run: EvalRun) -> Path:
    """Write the run to `folder`, which is made where it is not there, and return its file.

    A crash or a full disk leaves the old file or none, never half a one.

    Raises:
        StateError: The folder can't be written.
    """
    path = _file(folder, run.run)
    says = {"format": FORMAT, **_adapter().dump_python(run, mode="json")}
    text = json.dumps(says, ensure_ascii=False, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, text)
    except OSError as error:
        raise StateError(
            f"The eval run can't be kept in {folder}: {error.strerror or error}.",
            "Free some space or mend the permissions, and run it again.",
        ) from error
    return path


def load_run(folder: Path, run: str) -> EvalRun:
    """Read the run with that id from `folder`.

    Raises:
        EvalError: There is no such run.
        StateError: Its file is damaged, or written by a newer version.
    """
    path = _file(folder, run)
    try:
        says = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        if says.pop("format") > FORMAT:
            raise StateError(f"{path} was written by a newer version.", "Update domain-harness.")
        return _adapter().validate_python(says)
    except FileNotFoundError:
        raise EvalError(
            f"There is no eval run {run} in {folder}.", "Run `harness eval` to make one."
        ) from None
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise StateError(f"{path} is damaged.", "Delete it and run the evals again.") from error


def _adapter() -> TypeAdapter[EvalRun]:
    return TypeAdapter(EvalRun)


def _file(folder: Path, run: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}", run):
        raise UsageError(f"{run!r} is no id of a run: letters, digits, points and dashes only.")
    return folder / f"{run}.json"


def _write(path: Path, text: str) -> None:
    """Write beside the file, sync, and move into its place."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            # A broken provider can send half a surrogate pair: kept as it came.
            file.write(text.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
