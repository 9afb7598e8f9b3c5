"""Files of other eval tools, read and written."""

from __future__ import annotations

import io
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import StateError, UsageError
from harness.evals.foreign import Imported, from_inspect, from_promptfoo

if TYPE_CHECKING:
    from harness.sdk.harness import Harness

__all__ = ["Foreign", "export_inspect", "import_cases"]

Foreign = Literal["promptfoo", "inspect"]

TABLES = (".csv", ".xlsx")


def import_cases(source: Path, target: Path, kind: Foreign | None = None) -> Imported:
    """Write the cases of another tool's file, or of a table, as YAML.

    Args:
        source: promptfoo's YAML or JSON; Inspect's JSON or JSON lines; a table (.csv, .xlsx)
            with the columns of `evals/*.csv`.
        target: A file that is not there yet, as `evals/dev.yaml`.
        kind: Whose file it is; by default told from what is in it.

    Raises:
        UsageError: It can't be read, has no cases, or the target is there already.
        StateError: The target can't be written.
    """
    _refuse_existing(target)
    if source.suffix.lower() in TABLES:
        found = _of_table(source)
    else:
        says = _read(source)
        if kind is None:
            kind = "inspect" if isinstance(says, list) and _samples(says) else "promptfoo"
        found = from_inspect(says) if kind == "inspect" else from_promptfoo(says)
    if not found.cases:
        lost = "; ".join(found.lost) or "it has none"
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

    Args:
        harness: Open over the run's domain.
        run: Id of the run.
        target: A file that is not there yet and ends with `.eval`, by which Inspect knows it.

    Raises:
        EvalError: There is no such run.
        UsageError: The run is of another domain, or the target is there or no `.eval` file.
        StateError: The target can't be written.
    """
    from harness.evals.inspect_log import inspect_log
    from harness.evals.loading import load_run
    from harness.wiring import make_eval_store

    if target.suffix.lower() != ".eval":
        raise UsageError(
            f"{target} would not be known to Inspect as a log.", "Name a file that ends with .eval."
        )
    _refuse_existing(target)
    domain = harness.evals.domain()
    with closing(make_eval_store(harness.home, harness.settings)) as store:
        record = store.record(run)
        if record.conditions.domain != domain.name:
            raise UsageError(
                f"The run {run} is of {record.conditions.domain}, not of {domain.name}.",
                "Name the domain that it is of, or another run: `harness evals` lists them.",
            )
        found = load_run(store, run)
    inputs = {case.id: case.text for case in domain.cases}
    try:
        target.write_bytes(inspect_log(found, inputs, started=record.started))
    except OSError as error:
        raise StateError(f"{target} can't be written: {error.strerror or error}.") from error
    return found.n


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise UsageError(f"{target} is there already.", "Name another file, or move it.")


def _of_table(source: Path) -> Imported:
    """Return the rows of a table, by the columns that `evals/*.csv` has, as cases."""
    from harness.domain.checks import COLUMN
    from harness.domain.entries import plain_text
    from harness.domain.excel import read_xlsx
    from harness.domain.files import DomainFile, Unusable, decode
    from harness.domain.formats import CaseItem
    from harness.domain.items import gather_columns
    from harness.domain.tables import read_csv

    file = DomainFile(name=source.name, path=source)
    try:
        data = source.read_bytes()
        if file.ending == ".xlsx":
            entries, problems = read_xlsx(file, data, CaseItem)
        else:
            entries, problems = read_csv(file, decode(file, data), CaseItem)
    except OSError as error:
        raise UsageError(f"{source} can't be read: {error}.", "Check the path.") from error
    except Unusable as error:
        raise UsageError(str(error.problem)) from error
    found = Imported()
    for problem in problems:
        if not entries:
            raise UsageError(
                str(problem),
                "Mend the table. Its columns are id, input, expected, tags, check:NAME.",
            )
        found.lose(problem.message)
    for entry in entries:
        case = {name: plain_text(cell) for name, cell in entry.data.items()}
        wrong = gather_columns(case, entry)
        for problem in wrong:
            found.lose(f"rows with {problem.code}, left out: {problem.message}")
        if "checks" in case:
            case["checks"] = {
                name.removeprefix(COLUMN): spec for name, spec in case["checks"].items()
            }
        if not wrong:
            found.cases.append(case)
    return found


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
