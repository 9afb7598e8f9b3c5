"""The shipped domains are what their SOURCE.md says: whole, rightly parted, with their licence."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from harness.domain.manifest import read_manifest
from harness.values import Problem, Rubric

DOMAINS = Path(__file__).parents[2] / "domains"
ROWS = {
    "support-triage": (10_003, 1_540, 1_540),
    "contract-clauses": (6_893, 300, 300),
    "clinical-calculators": (56, 432, 432),
    "visit-notes": (1_201, 50, 50),
    "financial-analysis": (10, 20, 20),
}
LABELS = {"support-triage": 77, "contract-clauses": 38}
CREDIT = {
    "support-triage": ("CC BY 4.0", "PolyAI", "57ec275d8078af65b7731c2a98be812d844a6d6b"),
    "contract-clauses": ("CC BY 4.0", "Atticus", "2d7f2caa77f94af7fb011ccbe6bc82d8bdfeb979"),
    "clinical-calculators": ("CC BY-SA 4.0", "MedCalc", "20b10f9d66a8c3b0356ae3138533f5ec91666b6a"),
    "visit-notes": ("CC BY 4.0", "Abacha", "3ff0801933608d6f570468c13125125fb5cabdea"),
    "financial-analysis": ("MIT", "Vals AI", "82337852884d19017154f21bf8d7a4ae09e9896b"),
}

Item = dict[str, object]


def read(path: Path) -> list[Item]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file, strict=True)]


def parts(domain: str) -> tuple[list[Item], list[Item], list[Item]]:
    """Return examples, dev and holdout."""
    folder = DOMAINS / domain
    examples = [item for path in sorted((folder / "examples").iterdir()) for item in read(path)]
    (dev,) = (folder / "evals").glob("dev.*")
    (holdout,) = (folder / "evals").glob("holdout.*")
    return examples, read(dev), read(holdout)


def words(item: Item) -> str:
    return " ".join(re.findall(r"\w+", str(item["input"]).lower()))


def listed_labels(domain: str) -> list[str]:
    lines = (DOMAINS / domain / "domain.yaml").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("    - ").strip('"') for line in lines if line.startswith("    - ")]


@pytest.mark.parametrize("domain", ROWS)
def test_no_row_is_lost_or_doubled(domain: str) -> None:
    assert tuple(len(part) for part in parts(domain)) == ROWS[domain]


@pytest.mark.parametrize("domain", ROWS)
def test_ids_are_unique_in_the_whole_domain_and_fit_a_file_name(domain: str) -> None:
    ids = [str(item["id"]) for part in parts(domain) for item in part]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]\d+", one) for one in ids)


@pytest.mark.parametrize("domain", ROWS)
def test_every_item_has_its_texts(domain: str) -> None:
    examples, dev, holdout = parts(domain)
    wanted = [(item, ("input", "output")) for item in examples]
    wanted += [(item, ("input", "expected")) for item in dev + holdout]
    for item, fields in wanted:
        for name in fields:
            text = item[name]
            assert isinstance(text, str)
            assert text
            assert text == text.strip(), item["id"]


@pytest.mark.parametrize("domain", LABELS)
def test_labels_are_listed_and_all_of_them_shown(domain: str) -> None:
    examples, dev, holdout = parts(domain)
    labels = listed_labels(domain)
    assert len(labels) == len(set(labels)) == LABELS[domain]
    assert {item["output"] for item in examples} == set(labels)
    assert {item["expected"] for item in dev + holdout} <= set(labels)


@pytest.mark.parametrize("domain", LABELS)
def test_halves_have_the_same_labels_and_no_text_in_common(domain: str) -> None:
    _, dev, holdout = parts(domain)
    ours, theirs = (Counter(str(item["expected"]) for item in part) for part in (dev, holdout))
    assert all(abs(ours[label] - theirs[label]) <= 1 for label in ours | theirs)
    assert not {words(item) for item in dev} & {words(item) for item in holdout}


@pytest.mark.parametrize("domain", LABELS)
def test_neither_order_nor_id_gives_a_label_away(domain: str) -> None:
    examples, _, _ = parts(domain)
    labels = [item["output"] for item in examples]
    same = sum(one == other for one, other in pairwise(labels))
    by_chance = sum(n * (n - 1) for n in Counter(labels).values()) / len(labels)
    assert same < 1.5 * by_chance
    assert [item["id"] for item in examples] == sorted(str(item["id"]) for item in examples)


def test_no_note_stands_in_both_halves() -> None:
    _, dev, holdout = parts("clinical-calculators")
    for key in (lambda item: item["source"], lambda item: words(item).rpartition(" what ")[0]):
        assert not {key(item) for item in dev} & {key(item) for item in holdout}
    reports = ({str(item["source"]).rpartition("-")[0] for item in part} for part in (dev, holdout))
    mine, other = ({one for one in part if one.startswith("pmc")} for part in reports)
    assert mine
    assert not mine & other


def test_one_source_is_one_note() -> None:
    examples, dev, holdout = parts("clinical-calculators")
    notes = defaultdict(set)
    for item in examples + dev + holdout:
        note, _, question = str(item["input"]).rpartition("\n\n")
        assert question.endswith("?") or re.search(r"\?|\.", question)
        notes[item["source"]].add(" ".join(note.split()))
    assert all(len(texts) == 1 for texts in notes.values())


def test_limits_hold_the_expected_number() -> None:
    _, dev, holdout = parts("clinical-calculators")
    graders: Counter[str] = Counter()
    for item in dev + holdout:
        (check,) = item["checks"]  # type: ignore[misc, attr-defined]
        ((grader, spec),) = check.items()
        graders[grader] += 1
        if grader == "number":
            low, high = float(spec["low"]), float(spec["high"])
            assert low <= float(str(item["expected"])) <= high, item["id"]
        else:
            assert re.fullmatch(r"\d\d/\d\d/\d{4}|\(\d+ weeks, [0-6] days\)", spec), item["id"]
            assert spec == item["expected"]
    assert graders == {"number": 819, "exact": 45}


def test_worked_examples_show_their_steps_and_name_their_calculator() -> None:
    examples, dev, holdout = parts("clinical-calculators")
    calculators = {item["tags"][0] for item in examples}  # type: ignore[index]
    assert len(calculators) == 55
    assert {item["tags"][0] for item in dev + holdout} <= calculators  # type: ignore[index]
    for item in examples:
        assert item["steps"]
        assert all(isinstance(step, str) and step.strip() for step in item["steps"])  # type: ignore[attr-defined]


def test_every_calculator_has_its_page() -> None:
    examples, _, _ = parts("clinical-calculators")
    pages = sorted((DOMAINS / "clinical-calculators" / "references").glob("*.md"))
    titles = "\n".join(page.read_text(encoding="utf-8").splitlines()[0] for page in pages)
    for item in examples:
        name = str(item["tags"][0])  # type: ignore[index]
        assert name.split(" (", maxsplit=1)[0] in titles, name
    assert len(pages) == 56


@pytest.mark.parametrize("domain", ROWS)
def test_licence_and_origin_are_named(domain: str) -> None:
    name, author, commit = CREDIT[domain]
    licence = (DOMAINS / domain / "LICENSE").read_text(encoding="utf-8")
    source = (DOMAINS / domain / "SOURCE.md").read_text(encoding="utf-8")
    assert name in licence
    assert name == "MIT" or "https://creativecommons.org/licenses/" in licence
    assert author in licence
    assert commit in source
    assert name in source


def test_conversations_name_their_section_and_share_none_between_halves() -> None:
    examples, dev, holdout = parts("visit-notes")
    for item in examples + dev + holdout:
        section, conversation = str(item["input"]).split("\n\n", 1)
        assert section == f"Section: {item['tags'][0]}"  # type: ignore[index]
        assert ":" in conversation
    assert not {item["source"] for item in dev} & {item["source"] for item in holdout}
    sections = ({item["tags"][0] for item in part} for part in (dev, holdout))  # type: ignore[index]
    assert all(len(part) > 10 for part in sections)


def test_every_analysts_case_has_its_rubric_and_no_company_stands_in_two_parts() -> None:
    examples, dev, holdout = parts("financial-analysis")
    folder, problems = read_rubrics_of("financial-analysis")
    assert not problems
    rubrics = {rubric.name: rubric for rubric in folder}
    for item in dev + holdout:
        assert item["checks"] == [{"rubric": item["id"]}]
        *says, against = rubrics[str(item["id"])].criteria
        assert all(one.points == 1 and not one.critical for one in says)
        assert (against.points, against.critical) == (-len(says), True)
    assert len(rubrics) == 40
    companies = [{item["source"] for item in part} for part in (examples, dev, holdout)]
    assert not any(one & other for one, other in combinations(companies, 2))


def test_the_rubric_of_visit_notes_can_be_read() -> None:
    (rubric,), problems = read_rubrics_of("visit-notes")
    assert not problems
    assert rubric.name == "note-section"
    assert {one.id for one in rubric.criteria if one.critical} == {"findings", "invented"}


def read_rubrics_of(domain: str) -> tuple[list[Rubric], list[Problem]]:
    manifest = read_manifest(DOMAINS / domain)
    return list(manifest.rubrics), list(manifest.problems)


@pytest.mark.parametrize("domain", ROWS)
def test_folder_is_an_agent_skill_of_that_name(domain: str) -> None:
    text = (DOMAINS / domain / "SKILL.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    assert fields["name"] == domain
    assert 40 < len(fields["description"]) <= 1024
    assert len(body.splitlines()) > 50
    for label in set(re.findall(r"`([a-zA-Z_]+\??)`", body)) if domain == "support-triage" else ():
        assert label in listed_labels(domain)


@pytest.mark.parametrize("domain", LABELS)
def test_instructions_speak_of_every_label(domain: str) -> None:
    body = (DOMAINS / domain / "SKILL.md").read_text(encoding="utf-8")
    assert not [label for label in listed_labels(domain) if f"`{label}`" not in body]


def test_files_are_plain_utf8_with_unix_line_ends() -> None:
    for path in DOMAINS.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert data.decode("utf-8").endswith("\n"), path
            assert b"\r" not in data, path
            assert not data.startswith(b"\xef\xbb\xbf"), path
            assert b"\0" not in data, path
