"""Cases of promptfoo and Inspect as cases of ours, with a report of what did not carry over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import UsageError

__all__ = ["Imported", "from_inspect", "from_promptfoo"]

Case = dict[str, Any]


@dataclass(kw_only=True)
class Imported:
    """What an import gave.

    Attributes:
        cases: As they are written into a file of evals.
        lost: What did not carry over, in plain words, with the number of cases that had it.
    """

    cases: list[Case] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)

    def lose(self, what: str) -> None:
        """Note that something did not carry over."""
        self.lost[what] = self.lost.get(what, 0) + 1


# --- promptfoo --------------------------------------------------------------------------------


def from_promptfoo(says: Any) -> Imported:
    """Return the tests of a promptfoo configuration as cases.

    Args:
        says: The configuration, as YAML or JSON says it; or a list of tests.

    Raises:
        UsageError: It has no tests.
    """
    config = says if isinstance(says, Mapping) else {"tests": says}
    tests = config.get("tests")
    if not isinstance(tests, list) or not tests:
        raise UsageError("The file has no `tests`.", "Give a promptfoo configuration.")
    found = Imported()
    prompts = config.get("prompts") or []
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    if len(prompts) > 1:
        found.lose("more than one prompt: only the first was filled in")
    default = config.get("defaultTest")
    shared = default if isinstance(default, Mapping) else {}
    for number, test in enumerate(tests, start=1):
        if isinstance(test, Mapping):
            _promptfoo_case(found, number, test, shared, prompts)
        else:
            found.lose("tests in other files (file://, https://)")
    return found


def _promptfoo_case(
    found: Imported,
    number: int,
    test: Mapping[str, Any],
    shared: Mapping[str, Any],
    prompts: Sequence[Any],
) -> None:
    said = {**(shared.get("vars") or {}), **(test.get("vars") or {})}
    if any(isinstance(value, list) for value in said.values()):
        found.lose("lists of variables, which promptfoo multiplies out: the first was taken")
        said = {key: value[0] if isinstance(value, list) else value for key, value in said.items()}
    if any(str(value).startswith("file://") for value in said.values()):
        found.lose("variables from files (file://)")
        return
    checks: list[Any] = []
    for one in [*(shared.get("assert") or []), *(test.get("assert") or [])]:
        checks += _assertion(found, one)
    for key in ("options", "provider", "transform", "threshold"):
        if test.get(key):
            found.lose(f"`{key}` of a test")
    if not checks:
        found.lose("tests of which no assertion carried over: left out")
        return
    case: Case = {"id": f"t{number}", "input": _filled(prompts, said)}
    if test.get("description"):
        case["tags"] = [str(test["description"])]
    found.cases.append({**case, "checks": checks})


def _filled(prompts: Sequence[Any], said: Mapping[str, Any]) -> str:
    template = str(prompts[0]) if prompts and isinstance(prompts[0], str) else ""
    if template and not template.startswith("file://"):
        return re.sub(
            r"\{\{\s*(\w+)\s*\}\}", lambda match: str(said.get(match[1], match[0])), template
        )
    if len(said) == 1:
        return str(next(iter(said.values())))
    return "\n".join(f"{key}: {value}" for key, value in said.items())


def _many(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


_PROMPTFOO: dict[str, Callable[[Any, Any], Any]] = {
    "equals": lambda value, _: {"exact": str(value)},
    "contains": lambda value, _: {"contains": str(value)},
    "icontains": lambda value, _: {"contains": str(value)},
    "contains-all": lambda value, _: {"contains_all": _many(value)},
    "icontains-all": lambda value, _: {"contains_all": _many(value)},
    "contains-any": lambda value, _: {"contains_any": _many(value)},
    "icontains-any": lambda value, _: {"contains_any": _many(value)},
    "not-contains": lambda value, _: {"never_contains": str(value)},
    "not-icontains": lambda value, _: {"never_contains": str(value)},
    "not-contains-any": lambda value, _: {"never_contains": _many(value)},
    "starts-with": lambda value, _: {"matches": rf"\A\s*{re.escape(str(value))}"},
    "regex": lambda value, _: {"matches": str(value)},
    "is-json": lambda value, _: {"json": value if isinstance(value, dict) else {}},
    "similar": lambda value, limit: {
        "similar": {"to": str(value), "at_least": str(0.75 if limit is None else limit)}
    },
    "llm-rubric": lambda value, _: {"rubric": {"criteria": [{"text": str(value)}]}},
    "cost": lambda _, limit: {"cost": str(limit)},
    "latency": lambda _, limit: {"seconds": str(float(limit) / 1000)},
}


def _assertion(found: Imported, one: Any) -> list[Any]:
    if not isinstance(one, Mapping):
        found.lose("assertions that are no mapping")
        return []
    kind = str(one.get("type", ""))
    reader = _PROMPTFOO.get(kind)
    needs_limit = kind in ("cost", "latency")
    if reader is None or (needs_limit and one.get("threshold") is None):
        found.lose(f"assertions of the type `{kind}`")
        return []
    if isinstance(one.get("value"), str) and one["value"].startswith("file://"):
        found.lose("assertions with a value from a file (file://)")
        return []
    if kind in ("contains", "contains-all", "contains-any", "not-contains"):
        found.lose("case counts in promptfoo's `contains`: here it does not")
    for key in ("weight", "metric", "transform"):
        if one.get(key) is not None:
            found.lose(f"`{key}` of an assertion")
    return [reader(one.get("value"), one.get("threshold"))]


# --- Inspect ----------------------------------------------------------------------------------


def from_inspect(samples: Sequence[Any]) -> Imported:
    """Return the samples of an Inspect JSON dataset as cases.

    Args:
        samples: As the JSON (or each line of JSON) says them.

    Raises:
        UsageError: There are none.
    """
    if not samples or not all(isinstance(one, Mapping) for one in samples):
        raise UsageError("The file has no samples.", "Give Inspect's JSON or JSON lines.")
    found = Imported()
    for number, sample in enumerate(samples, start=1):
        _inspect_case(found, number, sample)
    return found


def _inspect_case(found: Imported, number: int, sample: Mapping[str, Any]) -> None:
    text = _inspect_input(found, sample.get("input"))
    target = sample.get("target")
    if target in (None, "", []):
        found.lose("samples without a target: left out")
        return
    for key in ("files", "sandbox", "setup"):
        if sample.get(key):
            found.lose(f"`{key}` of a sample")
    case: Case = {"id": str(sample.get("id") or f"s{number}"), "input": text}
    choices = sample.get("choices")
    if choices:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        case["input"] += "\n\n" + "\n".join(
            f"{letter}) {choice}" for letter, choice in zip(letters, choices, strict=False)
        )
        found.lose("choices stand below the question: Inspect's solver shows them in its own way")
    if isinstance(target, list) and len(target) == 1:
        target = target[0]
    if isinstance(target, list):
        case["checks"] = [{"contains_any": [str(one) for one in target]}]
        found.lose("several targets: taken as `contains_any`, whatever the task's scorer was")
    else:
        case["expected"] = str(target)
    metadata = sample.get("metadata")
    if isinstance(metadata, Mapping):
        flat = {key: value for key, value in metadata.items() if isinstance(value, str | int)}
        case["tags"] = [f"{key}={value}" for key, value in flat.items()][:20]
        if len(flat) < len(metadata):
            found.lose("nested `metadata`")
    found.cases.append(case)


def _inspect_input(found: Imported, written: Any) -> str:
    if isinstance(written, str):
        return written
    if not isinstance(written, list):
        return json.dumps(written, ensure_ascii=False)
    messages = [one for one in written if isinstance(one, Mapping)]
    if len(messages) == 1:
        return str(messages[0].get("content", ""))
    found.lose("conversations: written out as one text")
    return "\n\n".join(f"{one.get('role', '')}: {one.get('content', '')}" for one in messages)
