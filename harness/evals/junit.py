"""An eval run as JUnit XML, as build servers read it: one test case an eval case."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from harness.evals.compare import Comparison
from harness.evals.results import CaseResult, EvalRun

__all__ = ["junit_xml"]

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(run: EvalRun, comparison: Comparison | None = None) -> str:
    """Return the run as one test suite; a case that could not be scored is an error.

    Args:
        run: The run.
        comparison: With a baseline; its sentence stands among the properties.
    """
    scored = [case for case in run.cases if case.score is not None]
    suite = ET.Element(
        "testsuite",
        name=_fit(f"{run.domain}.{run.split}"),
        tests=str(run.n),
        failures=str(sum((case.score or 0) < 1 for case in scored)),
        errors=str(run.unscored),
        time=f"{run.seconds:.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    said = {
        "run": run.run,
        "model": run.model,
        "policy": run.policy,
        "score": str(run.score.mean),
        "low": str(run.score.low),
        "high": str(run.score.high),
        "method": run.score.method,
    }
    if comparison is not None:
        said |= {"verdict": comparison.verdict, "comparison": comparison.sentence}
    for name, value in said.items():
        ET.SubElement(properties, "property", name=name, value=_fit(value))
    for case in run.cases:
        suite.append(_case(run, case))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _case(run: EvalRun, case: CaseResult) -> ET.Element:
    classname = _fit(f"{run.domain}.{run.split}")
    one = ET.Element(
        "testcase", name=_fit(case.id), classname=classname, time=f"{case.seconds:.3f}"
    )
    if case.score is None:
        ET.SubElement(one, "error", message=_fit(case.error)[:1000], type="unscored")
    elif case.score < 1:
        why = "; ".join(
            f"{check.grader}: {check.why}" for check in case.checks if check.met is False
        )
        failure = ET.SubElement(one, "failure", message=_fit(why)[:1000], type="not-right")
        failure.text = _fit("\n\n".join(case.answers))[:20_000]
    return one


def _fit(text: str) -> str:
    """Return the text without characters that no XML may hold."""
    return _UNFIT.sub("\ufffd", text)
