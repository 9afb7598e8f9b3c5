"""The commands that measure, their runs kept in a real PostgreSQL: all that a file has."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _on_a_server(monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]) -> None:
    monkeypatch.setenv("HARNESS_DATABASE", new_database())


def test_runs_are_kept_compared_regraded_and_exported(run, mail: Path, tmp_path: Path) -> None:
    first, second = (
        run("eval", mail, "--policy", policy, "--json").json["run"]
        for policy in ("balanced", "nearest")
    )
    listed = run("evals", mail)
    assert (listed.code, listed.err) == (0, "")
    assert [line.split()[0] for line in listed.out.splitlines()] == [second, first]
    compared = run("compare", first, second)
    assert (compared.code, compared.err) == (0, "")
    assert "same in both: 6" in compared.out
    assert run("compare", first, second, "--gate").code == 3
    beside = run("eval", mail, "--baseline", first, "--beside", "baseline:nearest", "--json")
    assert [one["first"] == first for one in beside.json["comparisons"]] == [True, False]
    assert run("eval", mail, "--regrade", first, "--json").json["regrades"] == first
    assert run("eval", mail, "--reuse", "--json").json["score"] == beside.json["score"]
    log = tmp_path / "a.eval"
    assert run("export", mail, first, "-o", log).code == 0
    assert "header.json" in zipfile.ZipFile(log).namelist()


def test_a_table_goes_on_where_it_was_and_an_ablation_is_told(run, mail, tmp_path: Path) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text("input\nmy parcel never came\n", "utf-8")
    asked = [run("map", mail, table, "-o", out, "--json").json["asked"] for _ in range(2)]
    assert asked == [1, 0]
    told = run("ablate", mail, "--json")
    assert (told.code, len(told.json["arms"])) == (0, 5)


def test_a_run_that_is_not_there_is_said_without_the_server_s_password(
    run, mail: Path, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    url = new_database().replace("postgres@", "postgres:s3cret@")
    monkeypatch.setenv("HARNESS_DATABASE", url)
    ran = run("compare", "r8", "r9")
    assert (ran.code, ran.out) == (1, "")
    assert "There is no eval run r8 in postgresql://postgres:***@" in ran.err
    assert "s3cret" not in ran.err
