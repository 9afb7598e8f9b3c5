"""`--json`: alone on stdout, with the keys that are promised."""

from __future__ import annotations

from typing import Any

import pytest

ITEM = {
    "id": "text",
    "kind": "text",
    "section": "text",
    "tokens": "whole",
    "similarity": "number",
    "kept": "flag",
    "reason": "text",
}
SHAPES: dict[str, Any] = {
    "index": {
        "domain": "text",
        "version": "text",
        "items": {"examples": "whole", "evals": "whole", "passages": "whole"},
        "embedded": "whole",
        "reused": "whole",
        "seconds": "number",
    },
    "context": {
        "domain": "text",
        "version": "text",
        "budget": "whole",
        "ratio": "number",
        "tokens": {
            "total": "whole",
            "core": "whole",
            "tail": "whole",
            "by_section": dict.fromkeys(
                (
                    *("instructions", "rules", "core", "references"),
                    *("passages", "demonstrations", "question"),
                ),
                "whole",
            ),
        },
        "prefix_sha256": "text",
        "items": [ITEM],
        "messages": [{"role": "text", "content": "text"}],
    },
    "ask": {
        "run": "text",
        "domain": "text",
        "version": "text",
        "text": "text",
        "value": "text",
        "unit": "text",
        "abstained": "flag",
        "model": "text",
        "usage": {
            "input_tokens": "whole",
            "cached_input_tokens": "whole",
            "output_tokens": "whole",
            "cost_usd": "number",
        },
        "demonstrations": [ITEM],
        "passages": [ITEM],
        "seconds": "number",
        "warnings": [],
    },
    "eval": {
        "run": "text",
        "domain": "text",
        "version": "text",
        "split": "text",
        "model": "text",
        "policy": "text",
        "guard": "flag",
        "n": "whole",
        "scored": "whole",
        "unscored": "whole",
        "abstained": "whole",
        "score": {"mean": "number", "low": "number", "high": "number", "method": "text"},
        "cases": [
            {
                "id": "text",
                "key": "text",
                "score": "number",
                "tags": [],
                "passed": "whole",
                "tries": "whole",
                "abstained": "whole",
                "confidence": "number",
                "checks": [
                    {
                        "grader": "text",
                        "met": "flag",
                        "score": "number",
                        "why": "text",
                        "parts": [],
                    }
                ],
            }
        ],
        "errors": {},
        "config": "text",
        "repeats": {},
        "risk": {
            "answered": "whole",
            "coverage": "number",
            "risk": {
                "mean": "number",
                "low": "number",
                "high": "number",
                "method": "text",
                "warning": "text",
            },
            "curve": [{"coverage": "number", "risk": "number"}],
        },
        "detectable": "number",
        "judge": {"model": "text", "usage": "any", "unreadable": "whole"},
        "openings": "whole",
        "regrades": "text",
        "answered": "text",
        "usage": {
            "input_tokens": "whole",
            "cached_input_tokens": "whole",
            "output_tokens": "whole",
            "cost_usd": "number",
        },
        "seconds": "number",
        "warnings": [],
    },
    "core": {"domain": "text", "core": ["text"], "written": "flag"},
    "init": {"domain": "text", "folder": "text", "files": ["text"]},
    "doctor": [{"what": "text", "verdict": "text", "detail": "text", "mend": "text"}],
    "config": [
        {
            "name": "text",
            "value": "any",
            "origin": "text",
            "where": "text",
            "variable": "text",
            "about": "text",
            "unit": "text",
        }
    ],
    "lint": [
        {
            "file": "text",
            "line": "whole",
            "column": "whole",
            "code": "text",
            "message": "text",
            "severity": "text",
        }
    ],
}
KINDS = {
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "whole": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: value is None or isinstance(value, int | float),
    "any": lambda value: True,
}


def misshapen(value: Any, shape: Any, where: str = "$") -> list[str]:
    """Return where a JSON value differs from its shape; keys are all there and no others."""
    if isinstance(shape, str):
        return [] if KINDS[shape](value) else [f"{where} is {value!r}, not {shape}"]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        inner = shape[0] if shape else "text"
        return [
            found
            for at, one in enumerate(value)
            for found in misshapen(one, inner, f"{where}[{at}]")
        ]
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    if not shape:
        shape = dict.fromkeys(value, "text")
    if set(value) != set(shape):
        return [f"{where} has {sorted(value)}, not {sorted(shape)}"]
    return [found for key in shape for found in misshapen(value[key], shape[key], f"{where}.{key}")]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("index", ()),
        ("context", ("Where is the letter about my car?",)),
        ("ask", ("Where is the letter about my car?",)),
        ("eval", ("--limit", "3")),
        ("core", ("--dry-run",)),
        ("config", ()),
        ("lint", ()),
    ],
)
def test_each_command_prints_its_shape(run, mail, command, words):
    ran = run(command, mail, *words, "--json")
    assert ran.code == 0, ran.err
    assert misshapen(ran.json, SHAPES[command]) == []


def test_init_prints_its_shape(run):
    assert misshapen(run("init", "claims", "--json").json, SHAPES["init"]) == []


def test_doctor_prints_its_shape(run):
    found = run("doctor", "--json").json
    assert misshapen(found, SHAPES["doctor"]) == []
    assert {one["verdict"] for one in found} <= {"ok", "absent", "broken"}


def test_schema_prints_a_schema_for_each_format(run):
    schemas = run("schema", "--json").json
    assert {"examples.schema.json", "evals.schema.json", "domain.schema.json"} <= set(schemas)
    assert all(one["$schema"].startswith("https://json-schema.org/") for one in schemas.values())


def test_lint_says_each_problem_in_its_shape(run, write_domain):
    broken = write_domain(
        "broken", **{"examples/a.csv": "id,input\n1,one\n", "domain.yaml": "modle: x\n"}
    )
    ran = run("lint", broken, "--json")
    assert ran.code == 1
    assert ran.json
    assert misshapen(ran.json, SHAPES["lint"]) == []
    assert {one["file"] for one in ran.json} >= {"examples/a.csv", "domain.yaml"}


def test_what_tokens_are_promised_adds_up(run, mail):
    packed = run("context", mail, "My car is sold.", "--json").json
    tokens = packed["tokens"]
    assert tokens["total"] == sum(tokens["by_section"].values())
    assert tokens["core"] + tokens["tail"] == tokens["total"] <= packed["budget"]


def test_json_is_unescaped_utf8(spawn, mail):
    ran = spawn(
        "context", mail, "Où est ma lettre? 🚗 سيارة", "--json", env={"LC_ALL": "C", "LANG": ""}
    )
    assert ran.code == 0, ran.err
    assert "Où est ma lettre? 🚗 سيارة" in ran.out
    assert "Où est ma lettre? 🚗 سيارة" in ran.json["messages"][-1]["content"]


def test_an_error_leaves_stdout_empty(run, mail):
    for words in (
        ("ask", mail, "hello", "--model", "openai:gpt-5", "--json"),
        ("index", "nowhere", "--json"),
        ("eval", mail, "--case", "nobody", "--json"),
        ("context", mail, "hello", "--section", "nothing=1", "--json"),
    ):
        ran = run(*words)
        assert ran.code in (1, 64), words
        assert ran.out == "", words
        assert ran.err.startswith("harness: "), words


def test_dry_run_says_where_text_would_go(run, mail, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-used")
    would = run("ask", mail, "hello", "--dry-run", "--json", "--model", "openai:gpt-4o-mini").json
    assert would["destination"]
    assert would["model"] == "openai:gpt-4o-mini"
    assert would["input_cost_usd"] > 0
    assert misshapen(would["context"], SHAPES["context"]) == []
    stays = run("ask", mail, "hello", "--dry-run", "--json").json
    assert stays["destination"] == ""
    assert stays["input_cost_usd"] == 0
