"""The commands on examples, as an expert types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.domain.scaffold import scaffold

QUESTION = "The courier left my parcel in the rain"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    scaffold(folder, name="desk", template="labels")
    return folder


def test_from_a_correction_to_the_next_context(run, desk: Path, tmp_path: Path) -> None:
    made = run(
        "correct", desk, "--question", QUESTION, "--answer", "new-claim", "--by", "ada", "--json"
    )
    name = made.json["example"]["id"]
    assert made.json["waits_for"] == "review"
    assert name in run("review", desk).out
    assert [one["example"]["id"] for one in run("review", desk, "--json").json] == [name]
    done = run("examples", "accept", desk, name, "--why", "Damage is a claim", "--by", "ben")
    assert (done.code, "approved" in done.out) == (0, True)
    packed = run("context", desk, QUESTION, "--json").json
    assert name in [item["id"] for item in packed["items"] if item["kept"]]
    assert run("review", desk).out == "Nothing waits for review.\n"
    nearest = run("examples", "similar", desk, QUESTION, "--limit", "1", "--json").json
    assert (nearest[0]["id"], nearest[0]["near_duplicate"]) == (name, True)
    retired = run("examples", "retire", desk, name, "--reason", "rules changed", "--json")
    assert retired.json["example"]["status"] == "retired"
    listed = run("examples", "list", desk, "--status", "retired", "--text", "courier rain")
    assert name in listed.out
    assert "1 examples" in listed.err


def test_an_import_says_first_and_adds_then(run, desk: Path, tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("Frage,Antwort\nWho pays for a stolen bike?,new-claim\n", "utf-8")
    words = ["examples", "import", desk, table, "--column", "Frage=input"]
    words += ["--column", "Antwort=output"]
    assert "1 would be added" in run(*words).out
    done = run(*words, "--write", "--approved", "--json").json
    assert (done["added"], done["written"]) == (1, "examples/cases.csv")
    assert "Added none" in run(*words, "--write").out


def test_words_that_are_off(run, desk: Path, tmp_path: Path) -> None:
    assert run("examples", "accept", desk, "nobody").code == 64
    assert "no example `nobody`" in run("examples", "retire", desk, "nobody").err
    assert run("examples", "list", desk, "--status", "new").code == 64
    assert run("examples", "import", desk, tmp_path / "none.csv").code == 64
    assert run("examples", "import", desk, "x.csv", "--column", "a").code == 64
    empty = run("correct", desk, "--question", " ", "--answer", "x")
    assert (empty.code, "empty" in empty.err) == (1, True)
    rejected = run("correct", desk, "--question", "q?", "--answer", "new-claim", "--json").json
    name = rejected["example"]["id"]
    assert run("examples", "reject", desk, name, "--reason", "no").code == 0


def test_the_last_answer_is_corrected_by_its_run(run, desk: Path) -> None:
    assert run("ask", desk, QUESTION).code == 0
    made = run("correct", "last", "--answer", "new-claim", "--json").json["example"]
    assert (made["input"], made["output"]) == (QUESTION, "new-claim")
    assert "EDITOR" in run("correct", "last").err
    plain = run("examples", "from", "last")
    assert (plain.code, "it has no steps to show" in plain.err) == (64, True)
    named = run("correct", desk, "--question", "q?", "--answer", "new-claim", "--steps")
    assert (named.code, "--steps are those of a run" in named.err) == (64, True)
    assert run("correct", "20200101-000000-000000000000", "--answer", "x").code == 1
