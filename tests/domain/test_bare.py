"""A domain with nothing to learn from: lint says so, and it can be asked all the same."""

from __future__ import annotations

import pytest

from harness import Harness
from harness.domain import lint, read_domain
from harness.testing import HashEmbedder

HEAD = "id,input,output,status\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "There are no examples for the model to learn from. Put"),
        ({"examples/a.csv": HEAD}, "There are no examples"),
        (
            {"examples/a.csv": HEAD + "e1,x,y,draft\n"},
            "No example is approved, and drafts",
        ),
    ],
)
def test_nothing_to_learn_from(write_domain, files, said) -> None:
    folder = write_domain("bare", **files)
    (warning,) = lint(read_domain(folder))
    assert (warning.code, warning.severity) == ("no-examples", "warning")
    assert said in warning.message
    with Harness(folder, embedder=HashEmbedder()) as harness:
        for policy in (None, "nearest", "diverse", "everything", "none"):
            packed = harness.preview("What is due?", policy=policy)
            assert not packed.items
            assert "What is due?" in packed.messages[-1].text


@pytest.mark.parametrize(
    "files",
    [
        {"examples/a.csv": "id,input,output\ne1,x,y\n"},
        {"evals/dev.csv": "id,input,expected\nc1,x,y\n"},
    ],
)
def test_something_to_learn_from(write_domain, files) -> None:
    assert not lint(read_domain(write_domain("small", **files)))


def test_examples_with_errors_are_no_missing_examples(write_domain) -> None:
    folder = write_domain("small", **{"examples/a.csv": "id,input\ne1,x\n"})
    assert "no-examples" not in {problem.code for problem in lint(read_domain(folder))}
