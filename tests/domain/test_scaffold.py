"""Scaffold: a new domain lints clean, and is there as a whole or not at all."""

from __future__ import annotations

import itertools
import os
import stat
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain import lint, read_domain
from harness.domain.scaffold import TEMPLATES, Template, check_name, copy_domain, scaffold
from harness.errors import DomainNotFound, UsageError


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_lints_clean_and_has_all_parts(tmp_path: Path, template: Template) -> None:
    written = scaffold(tmp_path / "my-work", name="my-work", template=template)
    domain = read_domain(tmp_path / "my-work")
    assert lint(domain) == ()
    assert domain.name == "my-work"
    assert domain.description
    assert len(domain.instructions) > 200
    assert domain.title
    assert domain.examples
    assert domain.rules
    assert domain.rubrics
    assert domain.passages
    assert {case.split for case in domain.cases} == {"dev", "holdout"}
    assert sorted(written) == sorted(p for p in (tmp_path / "my-work").rglob("*") if p.is_file())
    for path in written:
        if path.suffix == ".yaml":
            assert path.read_text().startswith("# "), f"{path.name} explains nothing to its expert"


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_case_stands_among_the_examples(tmp_path: Path, template: Template) -> None:
    scaffold(tmp_path / "x", name="x", template=template)
    domain = read_domain(tmp_path / "x")
    sources = [item.source for item in (*domain.examples, *domain.cases)]
    assert len(set(sources)) == len(sources)
    items = [set(item.input.lower().split()) for item in (*domain.examples, *domain.cases)]
    for one, other in itertools.combinations(items, 2):
        assert len(one & other) / len(one | other) < 0.6


def test_the_labels_template_shows_every_label(tmp_path: Path) -> None:
    scaffold(tmp_path / "x", name="x", template="labels")
    domain = read_domain(tmp_path / "x")
    assert {example.output for example in domain.examples} == set(domain.settings.answer.labels)
    for split in ("dev", "holdout"):
        expected = {case.expected for case in domain.cases if case.split == split}
        assert expected == set(domain.settings.answer.labels)


def test_the_calculations_template_calculates_rightly(tmp_path: Path) -> None:
    scaffold(tmp_path / "x", name="x", template="calculations")
    domain = read_domain(tmp_path / "x")
    facts = {  # amount open, rate, days: read off the texts by hand
        "one-payment-business": [("12400", "8", 45)],
        "one-payment-consumer": [("860", "4", 90)],
        "below-the-limit": [("310", "4", 45)],
        "part-payment": [("5000", "8", 20), ("3000", "8", 41)],
        "dev-business": [("4300", "8", 61)],
        "dev-consumer": [("1990", "4", 180)],
        "dev-small-amount": [("450", "4", 30)],
        "dev-year-end": [("7250.50", "8", 47)],
        "holdout-business": [("18750", "8", 40)],
        "holdout-part-payment": [("2400", "4", 60), ("1400", "4", 60)],
        "holdout-leap-year": [("9999.99", "8", 50)],
    }
    stated = {example.id: example.output for example in domain.examples}
    stated |= {case.id: case.expected for case in domain.cases}
    stated["dev-year-end"] = "74.69"  # its check has limits around it
    assert set(stated) == set(facts)
    for name, stretches in facts.items():
        interest = sum(Decimal(a) * Decimal(rate) * days / 36500 for a, rate, days in stretches)
        due = Decimal(0) if interest < 5 else round(interest, 2)
        assert Decimal(stated[name]) == due, name


def test_the_documents_template_cites_clauses_that_are_there(tmp_path: Path) -> None:
    scaffold(tmp_path / "x", name="x", template="documents")
    domain = read_domain(tmp_path / "x")
    wording = (tmp_path / "x/references/policy-wording.md").read_text()
    wanted = [text for case in domain.cases for check in case.checks for text in check.spec]
    said = " ".join(example.output for example in domain.examples).replace(",", " ").split()
    clauses = [text.removeprefix("Clause ") for text in wanted if text.startswith("Clause")]
    clauses += [
        after.strip(").,")
        for word, after in itertools.pairwise(said)
        if word.strip("(") == "Clause"
    ]
    assert len(clauses) > 8
    assert all(f"**{clause}**" in wording for clause in clauses)
    assert all(text in wording for text in wanted if not text.startswith("Clause"))


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("Contract Review", "contract-review"),
        ("-x-", "x"),
        ("a--b", "a-b"),
        ("Prämien_2025", "pramien-2025"),
        ("../etc/passwd", "etc-passwd"),
        ("x" * 65, "x" * 64),
        ("", "my-domain"),
        ("契約", "my-domain"),
        ("a\n", "a"),
    ],
)
def test_a_name_that_wont_do_gets_one_that_will(tmp_path: Path, name: str, suggested: str) -> None:
    with pytest.raises(UsageError) as caught:
        scaffold(tmp_path / "x", name=name, template="blank")
    assert caught.value.mend == f"How about {suggested!r}?"
    assert list(tmp_path.iterdir()) == []
    check_name(suggested)


@given(st.text(max_size=100))
def test_every_suggestion_is_a_name(name: str) -> None:
    try:
        check_name(name)
    except UsageError as error:
        check_name(error.mend.removeprefix("How about '").removesuffix("'?"))


def test_an_unknown_template_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="blank, labels, calculations, documents"):
        scaffold(tmp_path / "x", name="x", template="../labels")  # type: ignore[arg-type]


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("full", "file", "link"):
        with pytest.raises(UsageError, match="already"):
            scaffold(tmp_path / name, name="x", template="blank")
    assert (tmp_path / "full" / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "link"]


def test_an_empty_folder_is_filled_and_missing_ones_are_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    scaffold(tmp_path / "empty", name="empty", template="blank")
    scaffold(tmp_path / "a" / "b" / "deep", name="deep", template="blank")
    for folder in (tmp_path / "empty", tmp_path / "a" / "b" / "deep"):
        assert (folder / "SKILL.md").is_file()
    plain = tmp_path / "plain"
    plain.mkdir()
    assert stat.S_IMODE((tmp_path / "empty").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_scaffold_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    # 250 characters are a name that a folder may have, but no staging folder beside it.
    with pytest.raises(UsageError, match="can't be written"):
        scaffold(tmp_path / "a" / ("x" * 250), name="x", template="blank")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="can't be written"):
        scaffold(tmp_path / "file" / "x", name="x", template="blank")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_may_not_be_looked_into() -> None:
    place = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    (place / "closed").mkdir()
    (place / "closed").chmod(0)
    place.chmod(0o755)
    if root:
        os.seteuid(65534)
    try:
        for target in (place / "closed", place / "closed" / "x"):
            with pytest.raises(UsageError, match="can't be written"):
                scaffold(target, name="x", template="blank")
        with pytest.raises(DomainNotFound, match="can't be read"):
            copy_domain(place, place.parent / "copy", name="copy")
    finally:
        if root:
            os.seteuid(0)
        (place / "closed").rmdir()
        place.rmdir()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    scaffold(tmp_path / "source", name="source", template="labels")
    return tmp_path / "source"


def test_a_copy_is_the_same_but_for_its_name(tmp_path: Path, source: Path) -> None:
    (source / "core.lock").write_text("m-001\n")
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("x")
    (source / "examples" / "~$mail.xlsx").write_text("x")
    written = copy_domain(source, tmp_path / "copy", name="copy")
    assert lint(read_domain(tmp_path / "copy")) == ()
    names = {path.relative_to(tmp_path / "copy").as_posix() for path in written}
    assert {"core.lock", "examples/mail.csv", "evals/holdout.yaml"} < names
    assert not any(".git" in name or "~$" in name for name in names)
    for name in names - {"SKILL.md"}:
        assert (tmp_path / "copy" / name).read_bytes() == (source / name).read_bytes()
    old, new = ((tmp_path / name / "SKILL.md").read_text() for name in ("source", "copy"))
    assert new == old.replace("name: source", "name: copy")


@pytest.mark.parametrize(
    ("skill", "renamed"),
    [
        (
            "---\nname: a\ndescription: d\n---\nname: b\n",
            "---\nname: new\ndescription: d\n---\nname: b\n",
        ),
        ("---\r\nname : 'a' # x\r\n---\r\nT", "---\r\nname: new\r\n---\r\nT"),
        ("\ufeff---\nname: a\n---\nT", "\ufeff---\nname: new\n---\nT"),
        ("---\ndescription: d\n---\nT", "---\nname: new\ndescription: d\n---\nT"),
        ("---\r\ndescription: d\r\n---\r\nT", "---\r\nname: new\r\ndescription: d\r\n---\r\nT"),
        ("---\n---\nT", "---\nname: new\n---\nT"),
        ("# Just text", "---\nname: new\n---\n\n# Just text"),
    ],
)
def test_only_the_name_in_the_front_matter_changes(
    tmp_path: Path, skill: str, renamed: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "SKILL.md").write_bytes(skill.encode())
    copy_domain(tmp_path / "a", tmp_path / "b", name="new")
    assert (tmp_path / "b" / "SKILL.md").read_bytes() == renamed.encode()


def test_a_domain_without_instructions_is_copied_too(tmp_path: Path, source: Path) -> None:
    (source / "SKILL.md").unlink()
    copy_domain(source, tmp_path / "copy", name="copy")
    assert (tmp_path / "copy" / "rules.yaml").is_file()
    assert not (tmp_path / "copy" / "SKILL.md").exists()


def test_what_cant_be_copied_is_named_and_nothing_written(tmp_path: Path, source: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (source / "references" / "link.md").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="leads out"):
        copy_domain(source, tmp_path / "copy", name="copy")
    (source / "references" / "link.md").unlink()
    os.mkfifo(source / "references" / "pipe.md")
    with pytest.raises(UsageError, match=r"pipe\.md is no file"):
        copy_domain(source, tmp_path / "copy", name="copy")
    (source / "references" / "pipe.md").unlink()
    with pytest.raises(UsageError, match="inside"):
        copy_domain(source, source / "copy", name="copy")
    (source / "SKILL.md").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        copy_domain(source, tmp_path / "copy", name="copy")
    with pytest.raises(DomainNotFound):
        copy_domain(tmp_path / "nowhere", tmp_path / "copy", name="copy")
    assert not (tmp_path / "copy").exists()
