"""`python`: a function in the domain's own `tools/` decides.

    - id: schedule-5
      input: Lay out the instalments.
      checks:
        - python: checks.py:adds_up           # tools/checks.py, def adds_up(answer, case)

The function is called with the answer's text and the case, and with the work where it takes a
third argument. It returns True or False, a number from 0 to 1 (1 is met), or a pair of one of
these and a sentence that says why. One that raises leaves the answer unscored.

The function runs in this process, so only where the user has granted it the machine by name
(`harness trust DOMAIN --host FUNCTION`); else the check is unscored.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.domain.formats import AnswerSettings
from harness.evals.graders.grade import Grade, unread
from harness.evals.graders.work import Work, WorkGrader
from harness.values import Check, EvalCase

__all__ = ["python_grader"]

NOT_TRUSTED = "the function is not trusted; look at tools/, then: harness trust DOMAIN --host {}"


def python_grader(tools: Path, *, trusted: Callable[[str], bool]) -> WorkGrader:
    """Return the grader over the functions of a domain.

    Args:
        tools: The domain's `tools/`.
        trusted: Says whether a function of that name may run.
    """
    functions: dict[str, Callable[..., Any]] = {}

    async def python(check: Check, work: Work, case: EvalCase, _settings: AnswerSettings) -> Grade:
        from anyio.to_thread import run_sync

        try:
            name = str(check.spec)
            if name not in functions:
                functions[name] = _function(tools, name, trusted)
            function = functions[name]
            given = (work.text, case, work)[: _arity(function)]
            said = await run_sync(lambda: function(*given))
            return _graded(await said if inspect.isawaitable(said) else said)
        except Exception as error:  # the expert's own code may raise anything
            return unread(check, f"{type(error).__name__}: {error}")

    return python


def _function(tools: Path, name: str, trusted: Callable[[str], bool]) -> Callable[..., Any]:
    import importlib.util

    file, _, function = name.partition(":")
    path = (tools / file.removeprefix("tools/")).resolve()
    if not function or not path.is_relative_to(tools.resolve()) or path.suffix != ".py":
        raise ValueError(f"`{name}` names no function; write FILE.py:FUNCTION, a file in tools/")
    if not path.is_file():
        raise ValueError(f"there is no {path.name} in tools/")
    if not trusted(function):
        raise PermissionError(NOT_TRUSTED.format(function))
    spec = importlib.util.spec_from_file_location(f"_domain_checks_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path.name} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, function, None)
    if not callable(found):
        raise ValueError(f"{path.name} has no function `{function}`")
    checked: Callable[..., Any] = found
    return checked


def _arity(function: Callable[..., Any]) -> int:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = [one for one in inspect.signature(function).parameters.values() if one.kind in kinds]
    return min(3, max(1, len(given)))


def _graded(said: Any) -> Grade:
    verdict, why = said if isinstance(said, tuple) and len(said) == 2 else (said, "")
    if isinstance(verdict, bool):
        return Grade(met=verdict, score=float(verdict), why=str(why) or _words(verdict))
    if isinstance(verdict, int | float) and 0 <= verdict <= 1:
        met = verdict == 1
        return Grade(met=met, score=float(verdict), why=str(why) or _words(met))
    raise TypeError(f"the function gave {verdict!r}; it has to give True, False, or 0 to 1")


def _words(met: bool) -> str:
    return "" if met else "the domain's own function says no"
