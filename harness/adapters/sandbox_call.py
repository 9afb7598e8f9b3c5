"""Calls one function of a module that an expert wrote, and says what it returned.

Handed into the sandbox as `harness_call`; for functions that were granted the host, it is run as
a process of its own. Never imported by the harness; the standard library alone.
"""

from __future__ import annotations

import datetime
import decimal
import json
import linecache
import os
import sys
import traceback
import types
import typing
from collections.abc import Mapping
from typing import Any

__all__ = ["MOST_VALUE", "call", "report"]

MOST_VALUE = 1 << 20
_FROM_TEXT: dict[Any, typing.Callable[[str], Any]] = {
    datetime.date: datetime.date.fromisoformat,
    datetime.datetime: datetime.datetime.fromisoformat,
    decimal.Decimal: decimal.Decimal,
}


def call(file: str, code: str, function: str, arguments: Mapping[str, Any]) -> str:
    """Run a module and call its function; return its result as JSON, or end with status 1.

    Args:
        file: What the module is called in a traceback.
        code: Its text.
        function: Which of its functions.
        arguments: As JSON has them; dates and decimals as text.
    """
    name = os.path.basename(file).removesuffix(".py")  # noqa: PTH119 - start-up time
    module = types.ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    try:
        exec(compile(code, file, "exec"), module.__dict__)  # noqa: S102 - inside the sandbox
        called = getattr(module, function)
        value = called(**_typed(called, arguments))
        text = json.dumps(value, default=_plain)
        if len(text) > MOST_VALUE:
            raise ValueError(f"the result has {len(text):,} characters, {MOST_VALUE:,} are allowed")
    except SystemExit:
        raise
    except BaseException as error:
        report(error, {file: code})
    return text


def report(error: BaseException, codes: Mapping[str, str], *own: str) -> typing.NoReturn:
    """Print a traceback without the harness's own frames, and end.

    Args:
        error: What went wrong.
        codes: Texts of files that are nowhere on disk, by name: their lines are shown.
        own: More files of the harness.
    """
    for name, code in codes.items():
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (*own, __file__):
        trace = trace.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, trace)
    sys.exit(1)


def _typed(function: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError):
        hints = {}
    return {name: _value(value, hints.get(name)) for name, value in arguments.items()}


def _value(value: Any, hint: Any) -> Any:
    inside = typing.get_args(hint)
    if isinstance(value, list) and inside:
        return [_value(one, inside[0]) for one in value]
    if isinstance(value, dict) and len(inside) == 2:
        return {key: _value(one, inside[1]) for key, one in value.items()}
    for kind in (hint, *inside):
        if isinstance(value, str) and str not in inside and kind in _FROM_TEXT:
            return _FROM_TEXT[kind](value)
    return value


def _plain(value: Any) -> Any:
    """Return as JSON what it has no word for: numbers of numpy and Decimal, dates, tables."""
    for name in ("tolist", "isoformat", "to_dict", "model_dump", "_asdict"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def main() -> None:
    """Do the call that comes on standard input; the result goes to the pipe that it names."""
    job = json.loads(sys.stdin.buffer.read())
    sys.path[:0] = [job["folder"]]
    text = call(job["file"], job["code"], job["function"], job["arguments"])
    sys.stdout.flush()
    sys.stdout.write(f"{job['mark']}{text}")


if __name__ == "__main__":
    main()
