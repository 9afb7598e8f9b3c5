"""Evals: cases are asked, answers are graded, and the score says how sure it is."""

from harness.evals.judge import Judge
from harness.evals.record import EvalStore, Generation, GradeRow, Opening, RunRecord
from harness.evals.report import report, to_json
from harness.evals.results import CaseResult, CheckResult, Conditions, EvalRun
from harness.evals.runner import Kept, Plan, run_evals
from harness.evals.standing import Standing

__all__ = [
    "CaseResult",
    "CheckResult",
    "Conditions",
    "EvalRun",
    "EvalStore",
    "Generation",
    "GradeRow",
    "Judge",
    "Kept",
    "Opening",
    "Plan",
    "RunRecord",
    "Standing",
    "report",
    "run_evals",
    "to_json",
]
