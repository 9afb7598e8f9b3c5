"""Evals: cases are asked, answers are graded, and the score says how sure it is."""

from harness.evals.report import report, to_json
from harness.evals.results import CaseResult, CheckResult, Conditions, EvalRun
from harness.evals.runner import run_evals
from harness.evals.store import load_run, save_run

__all__ = [
    "CaseResult",
    "CheckResult",
    "Conditions",
    "EvalRun",
    "load_run",
    "report",
    "run_evals",
    "save_run",
    "to_json",
]
