"""The error tree: as drawn, so it is; every error says what is wrong and how to mend it."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

import harness.errors
from harness.errors import DomainInvalid, HarnessError, ModelError, RateLimited
from harness.values import Place, Problem

CLASSES = {
    name: value
    for name, value in vars(harness.errors).items()
    if isinstance(value, type) and issubclass(value, HarnessError)
}


def drawn() -> dict[str, str]:
    """The tree in the docstring: each name with its parent's."""
    doc = inspect.getdoc(harness.errors) or ""
    parents: list[tuple[int, str]] = []
    found: dict[str, str] = {}
    for line in doc.splitlines():
        branch = re.match(r"^    ([│ ]*)(?:[├└]── )?([A-Z][A-Za-z]+)(?:\s{2,}|$)", line)
        if branch is None:
            continue
        depth = line.index(branch[2])
        while parents and parents[-1][0] >= depth:
            parents.pop()
        found[branch[2]] = parents[-1][1] if parents else ""
        parents.append((depth, branch[2]))
    return found


def test_the_drawn_tree_is_the_real_one() -> None:
    assert drawn() == {
        name: "" if value is HarnessError else value.__bases__[0].__name__
        for name, value in CLASSES.items()
    }
    assert len(CLASSES) > 20
    assert all(len(value.__bases__) == 1 for value in CLASSES.values())


def test_all_are_exported() -> None:
    assert set(harness.errors.__all__) == set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_each_says_what_is_wrong_and_how_to_mend_it(kind: type[HarnessError]) -> None:
    if kind is DomainInvalid:
        return
    error = kind("The bank is shut.", "Come back on Monday.")
    assert (error.message, error.mend) == ("The bank is shut.", "Come back on Monday.")
    assert str(error) == "The bank is shut. Come back on Monday."
    assert str(kind("The bank is shut.")) == "The bank is shut."
    assert inspect.getdoc(kind) != inspect.getdoc(kind.__bases__[0])
    with pytest.raises(HarnessError):
        raise error


@pytest.mark.parametrize("kind", [one for one in CLASSES.values() if issubclass(one, ModelError)])
def test_a_model_s_error_names_the_model(kind: type[ModelError]) -> None:
    assert kind("x", model="openai:gpt-5").model == "openai:gpt-5"
    assert kind("x").model == ""


def test_a_rate_limit_has_the_wait() -> None:
    assert RateLimited("x", retry_after=2.5).retry_after == 2.5
    assert RateLimited("x").retry_after is None


def test_an_invalid_domain_lists_its_problems() -> None:
    problem = Problem(place=Place(file="a.csv", line=2), code="c", message="Mend it.")
    error = DomainInvalid("The domain has 1 error:", [problem])
    assert error.problems == (problem,)
    assert str(error) == "The domain has 1 error: \n  a.csv:2:1: c: Mend it."
    assert DomainInvalid("x").problems == ()


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_errors_go_from_process_to_process(kind: type[HarnessError]) -> None:
    """As they do out of a pool of processes."""
    error = kind("The bank is shut.")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
