"""`harness demo`: the main job on the shipped domains, for a person and for a machine."""

from __future__ import annotations

import re

import pytest

from harness.cli import demo
from harness.sdk import bundled


@pytest.fixture(autouse=True)
def _fewer_cases(monkeypatch):
    monkeypatch.setattr(demo, "CASES", 6)


def test_it_shows_the_main_job(run, shipped_home):
    ran = run("demo", "--home", shipped_home)
    assert ran.code == 0, ran.err
    for name in demo.QUESTIONS:
        said = ran.out.split(f"== {name} ==")[1].split("\n== ")[0]
        assert f"$ harness index {name}\n{name} (version " in said
        assert re.search(r"^  demonstrations +[\d,]+ tokens +\d+ ", said, re.MULTILINE)
        assert "tokens are the same for every question" in said
        assert f"$ harness eval {name} --limit 6\n" in said
        assert "with 95 % confidence" in said
    assert "with no key and no download" in ran.out
    tools = ran.out.split(f"== {demo.CALCULATORS}, with tools ==")[1]
    assert "its words are a script" in tools
    assert "✓ BMI 25.9, ideal 73.18 kg, taken 76.71 kg 50.606\n50.606\n— completed" in tools


def test_it_says_the_same_as_json(run, shipped_home):
    done = run("demo", "--json", "--home", shipped_home).json
    assert [one["index"]["domain"] for one in done["domains"]] == list(demo.QUESTIONS)
    assert (done["calculation"]["stop"], done["calculation"]["text"]) == ("completed", "50.606")
    for one in done["domains"]:
        assert set(one) == {"index", "context", "ask", "eval"}
        assert set(one["context"]) == {"budget", "tokens", "prefix_sha256"}
        assert one["ask"]["model"] == one["eval"]["model"] == "baseline:nearest"
        assert one["eval"]["scored"] == 6


def test_an_installation_without_domains_is_said(run, tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "INSTALLED", tmp_path / "harness" / "nothing")
    ran = run("demo")
    assert (ran.code, ran.out) == (1, "")
    assert "lacks the domains support-triage" in ran.err
