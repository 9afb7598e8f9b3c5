"""What callers may say by name: typed, told apart from mistakes, the same in all places."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from harness import Harness
from harness.errors import UsageError
from harness.sdk.eval_wishes import EvalWishes
from harness.sdk.options import AskOptions, ContextOptions, EvalOptions, MapOptions


def test_an_option_of_an_eval_is_one_in_both_of_its_places() -> None:
    fields = {field.name: field.type for field in dataclasses.fields(EvalWishes)}
    assert EvalOptions.__annotations__.keys() == fields.keys()
    for name, said in EvalOptions.__annotations__.items():
        assert said.__forward_arg__ == fields[name], name


@pytest.mark.parametrize("options", [ContextOptions, AskOptions, MapOptions])
def test_every_option_is_explained(options: type) -> None:
    said = inspect.getdoc(options) or ""
    own = set(options.__annotations__)
    inherited = set(ContextOptions.__annotations__) if options is AskOptions else set()
    assert all(f"\n    {name}: " in said for name in own - inherited)


@pytest.mark.parametrize("method", ["ask", "preview", "estimate", "stream"])
def test_an_unknown_option_is_named_with_what_was_meant(opened, method: str) -> None:
    with pytest.raises(UsageError, match=r"no option `sectionz` here\. Did you mean `sections`\?"):
        list(getattr(opened(), method)("Where?", sectionz={}))


def test_an_unknown_option_of_an_eval_is_named(opened) -> None:
    with pytest.raises(UsageError, match=r"`splitt` here\. Did you mean `split`\?"):
        opened().evaluate(splitt="dev")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (
            {"exclude": "m-001"},
            r"takes a list of ids, not one\. Write exclude=\['m-001'\]",
        ),
        ({"schema": {"type": "nonsense"}}, r"The schema holds no JSON Schema: 'nonsense' is not"),
        ({"schema": "object"}, r"holds no JSON Schema\. It has to be a JSON object"),
        ({"budget": 0}, r"A budget of 0 tokens"),
        ({"policy": "best"}, r"no policy 'best'"),
    ],
)
def test_an_option_that_can_not_be_met_is_said_before_any_work(opened, how, words) -> None:
    harness: Harness = opened()
    with pytest.raises(UsageError, match=words):
        harness.ask("Where?", **how)


def test_no_question_is_an_empty_one(opened) -> None:
    with pytest.raises(UsageError, match="The question is empty"):
        opened().ask(None)


def test_an_unknown_option_of_bulk_work_is_named(opened, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`colunm` here\. Did you mean `column`\?"):
        opened().evals.map(tmp_path / "in.csv", tmp_path / "out.csv", colunm="question")


def test_an_answer_lists_what_stood_there_unless_the_context_is_taken(opened) -> None:
    harness, taken = opened(), []
    told = harness.ask("Where is my parcel?")
    quiet = harness.ask("Where is my parcel?", account=taken.append)
    assert (quiet.text, quiet.demonstrations, quiet.passages) == (told.text, (), ())
    (packed,) = taken
    assert told.demonstrations == packed.shown("example", "eval")
    assert dict(packed.likeness()) == {
        item.id: item.similarity for item in told.demonstrations if item.similarity is not None
    }
