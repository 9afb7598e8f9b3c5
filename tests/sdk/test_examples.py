"""Corrections become examples: written into plain files, reviewed, and used at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import Harness
from harness.errors import DomainInvalid, DomainReadOnly, UsageError
from harness.testing import HashEmbedder

QUESTION = "My parcel with the new card went to the wrong street"


@pytest.fixture
def h(opened: Callable[..., Harness], write: Callable[..., Path], tmp_path: Path) -> Harness:
    # a folder of its own: these tests write into it
    return opened(write({"references/note.md": f"# Note\n{tmp_path.name}\n"}))


def shown(h: Harness, question: str) -> set[str]:
    return {item.id for item in h.preview(question).items if item.kept}


def test_an_accepted_correction_is_in_the_context_of_its_question_at_once(h: Harness) -> None:
    saved = h.examples.propose(
        QUESTION, "card_arrival", why="The address is ours to mend", by="ada"
    )
    name = saved.example.id
    assert saved.example.status == "draft"
    assert saved.waits_for == "review"
    assert name not in shown(h, QUESTION)
    assert [one.example.id for one in h.examples.review()] == [name]
    done = h.examples.accept(name, by="ada")
    assert (done.example.status, done.waits_for) == ("approved", "")
    assert name in shown(h, QUESTION)
    assert h.examples.review() == []
    assert name in [item.id for item in h.ask(QUESTION).demonstrations]
    said = [(one.deed, one.by) for one in h.examples.log.of(name)]
    assert said == [("proposed", "ada"), ("accepted", "ada")]


def test_a_correction_is_a_plain_file_beside_the_experts_own(h: Harness) -> None:
    before = (h.domain.path / "examples/a.csv").read_bytes()
    h.examples.propose("One?\nTwo: three", "top_up", source="mail 7", tags=["hard"], by="ada")
    text = (h.domain.path / "examples/corrections.yaml").read_text("utf-8")
    assert "  input: |-\n    One?\n    Two: three\n  output: top_up\n  source: mail 7\n" in text
    assert "  author: ada\n" in text
    assert (h.domain.path / "examples/a.csv").read_bytes() == before
    assert not [one for one in h.lint() if one.severity == "error"]


def test_what_is_wrong_is_said_before_anything_is_written(h: Harness) -> None:
    with pytest.raises(DomainInvalid, match="empty"):
        h.examples.propose("   ", "top_up")
    with pytest.raises(DomainInvalid, match=r"NUL|character"):
        h.examples.propose("a\x00b", "top_up")
    with pytest.raises(UsageError, match="taken"):
        h.examples.propose("a question", "top_up", name="e1")
    assert not (h.domain.path / "examples/corrections.yaml").exists()


def test_near_duplicates_and_new_labels_are_shown(h: Harness) -> None:
    saved = h.examples.propose("I lost my card in Paris!", "lost_crad", by="ada")
    assert (saved.near[0].example.id, saved.near[0].twin) == ("e1", True)
    assert any("Did you mean `lost_card`?" in one.message for one in saved.problems)


def test_two_people(opened: Callable[..., Harness], write: Callable[..., Path]) -> None:
    h = opened(write(settings="review: two_people\n"))
    name = h.examples.propose("A two person question", "top_up", by="ada").example.id
    alone = h.examples.accept(name, by="ada")
    assert alone.example.status == "draft"
    assert "second person" in alone.waits_for
    mended = h.examples.accept(name, by="ben", output="card_arrival")
    assert mended.example.status == "draft"  # ada has not seen ben's text
    assert h.examples.accept(name, by="ada").example.status == "approved"


def test_two_saving_at_once_lose_nothing(h: Harness) -> None:
    def save(number: int) -> None:
        h2 = Harness(h.domain.path, home=h.home, embedder=HashEmbedder())
        h2.examples.propose(f"Question number {number}", "top_up", name=f"q{number}", by="ada")
        h2.close()

    threads = [threading.Thread(target=save, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.id for one in h.examples.list(author="ada")} == {f"q{n}" for n in range(6)}
    assert len(list(h.examples.log)) >= 6


def test_a_change_that_came_second_is_kept_beside_the_first(h: Harness) -> None:
    name = h.examples.propose("Who wins?", "top_up", by="ada").example.id
    seen = h.examples.get(name)
    h.examples.edit(name, seen=seen, why="ada's reason", by="ada")
    second = h.examples.edit(name, seen=seen, why="ben's reason", by="ben")
    assert second.beside == name
    assert {one.why for one in h.examples.list(text="who wins")} == {"ada's reason", "ben's reason"}


def test_retired_in_a_table_that_has_no_column_for_it(h: Harness) -> None:
    before = (h.domain.path / "examples/a.csv").read_text("utf-8").splitlines()
    h.examples.retire("e3", "the card is sent by courier now", by="ada")
    after = (h.domain.path / "examples/a.csv").read_text("utf-8").splitlines()
    assert after[0] == before[0] + ",status"
    assert after[3] == before[3] + ",retired"
    assert [line for n, line in enumerate(after) if n not in (0, 3)] == [
        line for n, line in enumerate(before) if n not in (0, 3)
    ]
    assert "e3" not in shown(h, "When will my new card arrive")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("one.md", "---\nid: x1\n# kept\nsource: mail\n---\n# Input\nA page?\n\n"
         "# Output\ntop_up\n"),
        ("x1.md", "# Input\nA page?\n# Output\ntop_up\n# Why\n\nold\n"),
        ("j.jsonl", '{"id": "x0", "input": "q", "output": "top_up"}\n'
         '{"id":"x1", "input": "A page?", "output": "top_up"}\n'),
    ],
)  # fmt: skip
def test_pages_and_json_lines(h: Harness, file: str, text: str) -> None:
    path = h.domain.path / "examples" / file
    path.write_text(text, "utf-8")
    h.examples.edit("x1", why="new\nreason", output="lost_card", by="ada")
    h.examples.retire("x1", by="ada")
    now = h.examples.get("x1")
    assert (now.why, now.output, now.status, now.input) == (
        "new\nreason", "lost_card", "retired", "A page?",
    )  # fmt: skip
    assert all(
        line in path.read_text() for line in text.splitlines() if "kept" in line or "x0" in line
    )


def test_an_excel_file_is_named_and_left_alone(h: Harness) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["id", "input", "output"])
    book.active.append(["x9", "From a sheet", "top_up"])
    path = h.domain.path / "examples" / "sheet.xlsx"
    book.save(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"sheet\.xlsx:2.*Open that file"):
        h.examples.retire("x9")
    assert path.read_bytes() == before


def test_a_rejected_draft_stays_retired_with_its_reason(h: Harness) -> None:
    name = h.examples.propose("Is this right?", "top_up", by="ada").example.id
    with pytest.raises(UsageError, match="reason"):
        h.examples.reject(name, " ")
    h.examples.reject(name, "not our desk", by="ben")
    assert h.examples.get(name).status == "retired"
    assert h.examples.log.of(name)[-1].reason == "not our desk"


def test_an_import_is_previewed_then_added(h: Harness, tmp_path: Path) -> None:
    file = tmp_path / "old cases.csv"
    file.write_text(
        "Question;Answer;Comment\nI lost my card in Paris;lost_card;same\n"
        "I lost my card in Paris, today;lost_card;near\nHow do I add money;top_up;\n;top_up;\n",
        "utf-8",
    )
    looked = h.examples.import_(file)
    assert [row.verdict for row in looked.rows] == ["there", "near", "new"]
    assert looked.columns == {"Question": "input", "Answer": "output", "Comment": "why"}
    assert [one.place.line for one in looked.problems] == [5]
    assert looked.written == ""
    done = h.examples.import_(file, write=True, near=False, by="ada")
    assert (done.written, done.added) == ("examples/old-cases.csv", 1)
    assert [one.input for one in h.examples.list(status="draft")] == ["How do I add money"]
    again = h.examples.import_(file, write=True, near=False)
    assert again.added == 0


def test_reading_goes_on_in_a_folder_with_errors(h: Harness) -> None:
    (h.domain.path / "examples" / "bad.yaml").write_text("- id: [\n", "utf-8")
    assert len(h.examples.list()) == 6
    assert h.examples.similar("I lost my card in Rome")[0].example.id == "e1"
    assert h.examples.propose("Still saved", "top_up", by="ada").example.status == "draft"


def test_duplicates_and_the_map(h: Harness) -> None:
    h.examples.propose("I lost my card in Paris!!", "lost_card", name="twin", by="ada")
    assert [(a.id, b.id) for a, b in h.examples.duplicates()] == [("e1", "twin")]
    first, second = h.examples.atlas(), h.examples.atlas()
    assert list(first.ids) == [f"e{n}" for n in range(1, 7)]
    assert first.places.shape == (6, 2)
    assert 0 < first.explained <= 1
    assert (first.places == second.places).all()


def test_a_shipped_domain_is_not_written(
    monkeypatch: pytest.MonkeyPatch, h: Harness, tmp_path: Path
) -> None:
    monkeypatch.setattr("harness.sdk.bundled.INSTALLED", h.domain.path.parent)
    with pytest.raises(DomainReadOnly, match="read-only"):
        h.examples.propose("a question", "top_up")
