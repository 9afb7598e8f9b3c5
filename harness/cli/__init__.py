"""The command line: words in, an SDK call, words out.

Answers go to stdout, progress and warnings to stderr. Exit codes: 0 done, 1 an error, 2 worse
than the baseline, 3 can't tell (both from gates only), 64 the call's words are off, 130 stopped.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit."""
    os.environ.setdefault("TYPER_USE_RICH", "0")  # plain help: half a second less
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr] # TextIO in practice
    _log_to_stderr()
    sys.exit(_run(sys.argv[1:]))


def _log_to_stderr() -> None:
    """Show our own records; of other libraries' only warnings, whatever level they set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(lambda record: record.name.startswith("harness") or record.levelno >= 30)
    logging.getLogger().addHandler(handler)


def _run(words: list[str]) -> int:
    """Run one command line; return the exit code."""
    from typer.exceptions import Abort, TyperException

    from harness.cli.app import app
    from harness.errors import HarnessError, UsageError

    try:
        return int(app(words, prog_name="harness", standalone_mode=False) or 0)
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        return 64 if isinstance(error, UsageError) else 1
    except TyperException as error:  # the words of the command line are off
        getattr(error, "show", print)(file=sys.stderr)
        return 64
    except (KeyboardInterrupt, Abort):
        print("harness: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone: nothing more can be said
        return 0
