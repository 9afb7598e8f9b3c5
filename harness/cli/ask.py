"""`harness ask`: the answer as it streams in, then what stands behind it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import open_domain, print_json
from harness.cli.show import answer_notes, estimate
from harness.values import Answer, jsonable

if TYPE_CHECKING:
    from harness.sdk import Harness
    from harness.sdk.conversation import Conversation

__all__ = ["answer", "answer_json", "last_question", "model_before", "put_on_paper", "would_send"]


def last_question(harness: Harness) -> str:
    """Return the id of the last question that was asked of the domain."""
    from harness.sdk.conversation import last_question as newest

    return newest(harness.runs, harness.domain.name)


def model_before(domain: str, home: Path | None) -> str | None:
    """Return the model of a domain's last question, which the next one goes on with.

    None for a baseline: it stood in where no model was set.
    """
    with open_domain(domain, home=home) as harness:
        name = harness.runs.show(last_question(harness)).started.model
    return None if name.startswith("baseline:") else name


def answer(
    harness: Harness | Conversation, question: str, how: Mapping[str, Any], *, as_json: bool
) -> Answer:
    """Ask, and print the answer: the text on stdout, what stands behind it on stderr."""
    if as_json:
        given = harness.ask(question, **how)
        print_json(answer_json(given))
        return given
    said = ""
    ended: list[Answer] = []
    for event in harness.stream(question, **how):
        if isinstance(event, Answer):
            if not said:
                print(event.text, end="", flush=True)
            print()
            print(answer_notes(event), file=sys.stderr)
            ended.append(event)
        elif event.restart:
            if said:
                print("\n(the stream broke; once more from the start)", file=sys.stderr)
            said = ""
        else:
            said += event.text
            print(event.text, end="", flush=True)
    return ended[-1]


def put_on_paper(
    harness: Harness, given: Answer, out: Path, question: str, files: Sequence[Path]
) -> None:
    """Write an answer to a file; say on stderr where, and what its reader should know."""
    for note in harness.export(given, out, question=question, files=files):
        print(f"! {note}", file=sys.stderr)
    print(out, file=sys.stderr)


def answer_json(given: Answer) -> dict[str, Any]:
    """Return an answer as `ask --json` prints it."""
    return {
        "run": given.run,
        "domain": given.domain,
        "version": given.version,
        "text": given.text,
        "value": jsonable(given.value),
        "unit": given.unit,
        "abstained": given.abstained,
        "model": given.model,
        "usage": jsonable(given.usage),
        "demonstrations": jsonable(given.demonstrations),
        "passages": jsonable(given.passages),
        "seconds": given.seconds,
        "warnings": list(given.warnings),
    }


def would_send(harness: Harness, question: str, how: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what asking would send, to whom, at what price."""
    what = harness.estimate(question, **how)
    if as_json:
        print_json(
            {
                "model": what.model,
                "destination": what.destination,
                "input_cost_usd": jsonable(what.input_cost_usd),
                "context": what.packed.to_json(),
            }
        )
    else:
        print(estimate(what))
