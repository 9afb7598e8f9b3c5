"""The command line: words in, an SDK call, words out.

Answers go to stdout, progress and warnings to stderr. Exit codes: 0 done, 1 an error, 2 worse
than the baseline, 3 can't tell (both from gates only), 64 the call's words are off, 130 stopped.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer.exceptions import TyperException

__all__ = ["main"]

STOPPED = 130


def main() -> None:
    """Run the command line and exit."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr] # TextIO in practice
    _log_to_stderr()
    code = _run(sys.argv[1:])
    if code == STOPPED:
        # Embedding or a call to a model may still go on in a thread, and Python would wait for
        # it. Nothing is lost: all that is on disk was written whole.
        logging.shutdown()
        os._exit(code)
    sys.exit(code)


def _open_what_is_closed() -> None:
    """Stand in for streams that are closed, as under pythonw, some cron jobs and `2>&-`.

    Else what is printed to a closed stderr would go to stdout, among the answer.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # for as long as the process lives: nobody is there to close it
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def _log_to_stderr() -> None:
    """Show our own records; of other libraries' only warnings, whatever level they set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(lambda record: record.name.startswith("harness") or record.levelno >= 30)
    logging.getLogger().addHandler(handler)


def _run(words: list[str]) -> int:
    """Run one command line; return the exit code."""
    from typer.exceptions import Abort, Exit, TyperException

    from harness.errors import HarnessError, UsageError

    code = 0
    try:
        _invoke(words)
    except Exit as done:
        code = done.exit_code
    except HarnessError as error:
        _say(str(error))
        code = 64 if isinstance(error, UsageError) else 1
    except TyperException as error:  # the words of the command line are off
        _say_usage(error)
        code = 64
    except (KeyboardInterrupt, Abort):
        _say("stopped.")
        code = STOPPED
    except BrokenPipeError:  # the reader has gone, as `head` does: it has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a disk or a folder that fails where no room has words for it
        where = f"{error.filename}: " if error.filename else ""
        mend = "See that it is there, that you may use it, and that there is room."
        _say(f"{where}{error.strerror or error}. {mend}")
        code = 1
    except Exception as error:  # our own fault: still no traceback for a user's eyes
        logging.getLogger(__name__).debug("%s", error, exc_info=True)
        _say(f"something unforeseen went wrong ({type(error).__name__}: {error}).")
        _say("Please report it, with what HARNESS_LOG_LEVEL=DEBUG says of it.")
        code = 1
    return code


def _invoke(words: list[str]) -> None:
    """Parse and run, with every exception as it is: Typer's own door hides some."""
    from typer.main import get_command

    from harness.cli.app import app

    with get_command(app).make_context("harness", words) as context:
        context.command.invoke(context)
    sys.stdout.flush()  # a reader who has gone shows here, not at exit


def _say(words: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens
        print(f"harness: {words}", file=sys.stderr, flush=True)


def _say_usage(error: TyperException) -> None:
    """Say what is off in the words of a command line, and where they are explained."""
    said = error.format_message().replace("Value error, ", "").rstrip()
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" or context is None:
        print(said, file=sys.stderr)
        return
    stop = "" if said.endswith((".", "?", ")")) else "."
    _say(f"{said}{stop} See `{context.command_path} --help`.")
