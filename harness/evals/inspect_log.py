"""An eval run as a log of Inspect (`.eval`), written without Inspect: a zip of JSON files.

The layout is that of Inspect's log format, version 2: `header.json`, `_journal/start.json`,
`summaries.json`, and `samples/ID_epoch_N.json` for each repeat of each case.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.evals.results import CaseResult, EvalRun
from harness.values import Usage

__all__ = ["inspect_log"]

SCORER = "harness"


def inspect_log(run: EvalRun, inputs: Mapping[str, str], *, started: str = "") -> bytes:
    """Return the log.

    Args:
        run: The run.
        inputs: What each case asks, by id; a case that is gone from the folder has none.
        started: When the run began, ISO 8601; by default now.
    """
    begun = started or datetime.now(UTC).isoformat()
    spec = _spec(run, begun)
    plan = {"name": "plan", "steps": [], "config": {}}
    samples = [sample for case in run.cases for sample in _samples(run, case, inputs)]
    header = {
        "version": 2,
        "status": "success" if samples else "cancelled",
        "eval": spec,
        "plan": plan,
        "results": _results(run, len(samples)),
        "stats": {
            "started_at": begun,
            "completed_at": _later(begun, run.seconds),
            "model_usage": {run.model: _usage(run.usage)},
        },
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, "_journal/start.json", {"version": 2, "eval": spec, "plan": plan})
        for sample in samples:
            name = re.sub(r"[/\\\x00]", "_", str(sample["id"]))
            _put(archive, f"samples/{name}_epoch_{sample['epoch']}.json", sample)
        _put(archive, "summaries.json", [_summary(sample) for sample in samples])
        _put(archive, "header.json", header)
    return out.getvalue()


def _put(archive: zipfile.ZipFile, name: str, says: Any) -> None:
    archive.writestr(name, json.dumps(says, ensure_ascii=True))


def _spec(run: EvalRun, begun: str) -> dict[str, Any]:
    repeats = max((len(case.answers) for case in run.cases), default=1)
    return {
        "eval_id": _short(f"eval {run.run}"),
        "run_id": _short(run.run),
        "created": begun,
        "task": f"{run.domain}/{run.split}",
        "task_id": _short(f"{run.domain}/{run.split}"),
        "task_version": 0,
        "task_attribs": {},
        "task_args": {"policy": run.policy, "guard": run.guard},
        "dataset": {
            "name": f"{run.domain} {run.split}",
            "samples": run.n,
            "sample_ids": [case.id for case in run.cases],
            "shuffled": False,
        },
        "model": run.model,
        "model_args": {},
        "config": {"epochs": max(1, repeats)},
        "metadata": {"harness_run": run.run, "domain_version": run.version},
        "scorers": [{"name": SCORER}],
    }


def _results(run: EvalRun, samples: int) -> dict[str, Any]:
    metrics = {
        name: {"name": name, "value": value, "params": {}}
        for name, value in (
            ("mean", run.score.mean),
            ("low", run.score.low),
            ("high", run.score.high),
        )
        if value is not None
    }
    return {
        "total_samples": samples,
        "completed_samples": samples,
        "scores": [{"name": SCORER, "scorer": SCORER, "params": {}, "metrics": metrics}],
    }


def _samples(run: EvalRun, case: CaseResult, inputs: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    asked = inputs.get(case.id, "")
    target = case.expected if isinstance(case.expected, str) else json.dumps(case.expected)
    for epoch, answer in enumerate(case.answers or ("",), start=1):
        said = {"role": "assistant", "content": answer, "source": "generate", "model": run.model}
        why = case.error or "; ".join(check.why for check in case.checks if check.why)
        scores = {}
        if case.score is not None:
            scores[SCORER] = {"value": case.score, "answer": answer, "explanation": why}
        sample: dict[str, Any] = {
            "id": case.id,
            "epoch": epoch,
            "input": asked,
            "target": "" if case.expected is None else target,
            "messages": [{"role": "user", "content": asked, "source": "input"}, said],
            "output": {
                "model": run.model,
                "choices": [{"message": said, "stop_reason": "stop"}],
                "usage": _usage(case.usage),
            },
            "scores": scores,
            "metadata": {"tags": list(case.tags), "source": case.source, "key": case.key},
            "store": {},
            "events": [],
            "attachments": {},
            "model_usage": {run.model: _usage(case.usage)},
            "total_time": case.seconds,
        }
        if case.error:
            sample["error"] = {"message": case.error, "traceback": "", "traceback_ansi": ""}
        yield sample


def _summary(sample: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("id", "epoch", "input", "target", "metadata", "scores", "model_usage")
    said = {key: sample[key] for key in keys}
    said["input"], said["completed"] = str(sample["input"])[:1000], True
    if "error" in sample:
        said["error"] = sample["error"]["message"]
    return said


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "input_tokens_cache_read": usage.cached_input_tokens,
    }


def _later(begun: str, seconds: float) -> str:
    return (datetime.fromisoformat(begun) + timedelta(seconds=seconds)).isoformat()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:22]
