"""Sealed cases leave fingerprints by which twins and siblings are known, and nothing else."""

from __future__ import annotations

from pathlib import Path

from harness.domain import lint, read_domain
from harness.domain.seal import (
    CIPHER,
    SEAL_FILE,
    SEALED,
    Prints,
    Seal,
    plain_hash,
    prints_of,
    read_sealed,
)
from harness.values import EvalCase, Place

PLACE = Place(file="evals/sealed/a.yaml")
LONG = "The tenant may end this agreement with three months notice to the end of a quarter"


def case(text: str, source: str = "") -> EvalCase:
    return EvalCase(id="s1", input=text, checks=(), source=source, split="sealed", place=PLACE)


def test_twins_and_siblings_are_known_by_their_prints() -> None:
    prints = prints_of([case(LONG, "Lease 7"), case("Short.")])
    assert prints.related(LONG.upper() + " ") == "near-duplicate of a sealed case"
    assert prints.related(LONG + " indeed") == "near-duplicate of a sealed case"
    assert prints.related("Short.") != ""
    assert prints.related("Something else altogether", ["lease 7 "]).startswith("same source")
    assert prints.related("Something else altogether", ["lease 8", None, ""]) == ""


def test_prints_do_not_say_the_words_and_differ_by_key() -> None:
    one, two = prints_of([case(LONG)]), prints_of([case(LONG)])
    text = repr(one.cases)
    assert not any(word in text for word in ("tenant", "quarter", "agreement"))
    assert one.cases != two.cases
    assert all(len(word) == 6 for word in one.cases[0].words)
    moved = Prints(key=two.key, cases=one.cases)
    assert moved.related(LONG) == ""


def folder(tmp_path: Path, seal: str) -> Path:
    root = tmp_path / "small"
    (root / SEALED).mkdir(parents=True)
    (root / "SKILL.md").write_text("---\nname: small\ndescription: x\n---\nx\n", "utf-8")
    (root / SEALED / SEAL_FILE).write_text(seal, "utf-8")
    return root


def test_a_broken_seal_is_said(tmp_path: Path) -> None:
    problems = lint(read_domain(folder(tmp_path, "{}")))
    assert [(one.code, one.place.file) for one in problems if one.severity == "error"] == [
        ("damaged", f"{SEALED}/{SEAL_FILE}")
    ]


def test_sealed_cases_without_their_fingerprints_are_an_error(tmp_path: Path) -> None:
    root = folder(tmp_path, "{}")
    prints = prints_of([case(LONG)])
    whole = Seal(
        file=CIPHER,
        sha256="0" * 64,
        cases=1,
        sealed_at="2026",
        key_id="0",
        print_key=prints.key.hex(),
        prints=prints.cases,
    )
    seal = root / SEALED / SEAL_FILE
    (root / SEALED / CIPHER).write_bytes(b"x")

    def errors() -> list[str]:
        return [one.message for one in lint(read_domain(root)) if one.severity == "error"]

    seal.write_text(whole.model_dump_json(), "utf-8")
    assert errors() == []
    seal.write_text(whole.model_copy(update={"prints": ()}).model_dump_json(), "utf-8")
    assert "fingerprints of 0 cases, and 1 are sealed" in errors()[0]
    seal.unlink()
    assert "without its SEAL.json" in errors()[0]


def test_open_sealed_cases_are_read_only_when_asked(tmp_path: Path) -> None:
    root = folder(tmp_path, "{}")
    (root / SEALED / SEAL_FILE).unlink()
    (root / SEALED / "a.yaml").write_text("- id: s1\n  input: q\n  expected: a\n", "utf-8")
    domain = read_domain(root)
    assert domain.cases == ()
    cases, problems = read_sealed(root.resolve(), domain.settings.answer)
    assert [(one.id, one.split) for one in cases] == [("s1", "sealed")]
    assert problems == []
    assert read_sealed(tmp_path, domain.settings.answer) == ([], [])


def test_the_hash_is_over_names_and_bytes() -> None:
    files = {"a": b"1", "b": b"2"}
    assert plain_hash(files) == plain_hash(dict(reversed(files.items())))
    assert len({plain_hash(one) for one in (files, {"a": b"1"}, {"a": b"2", "b": b"1"})}) == 3
