"""core.lock: what is written is read back, and it says when it has aged."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain import lint, read_domain
from harness.domain.core_lock import KEPT, Sketch, read_core_lock, write_core_lock
from harness.errors import DomainReadOnly
from harness.values import Example, Place

HERE = Place(file="examples/a.csv")


def examples(count: int, start: int = 0) -> list[Example]:
    return [
        Example(id=f"e{n}", input=f"question {n}", output="a", place=HERE)
        for n in range(start, start + count)
    ]


def edited(bank: list[Example], count: int) -> list[Example]:
    """The bank with so many outputs changed, spread over it."""
    chosen = set(random.Random(7).sample(range(len(bank)), count))
    return [
        dataclasses.replace(one, output="b") if n in chosen else one for n, one in enumerate(bank)
    ]


ids = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)
    .map(str.strip)
    .filter(lambda one: one and not one.startswith("# ") and one != "#"),
    unique=True,
    max_size=8,
)


@given(ids=ids, size=st.integers(0, 200))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("lock")
    bank = examples(size)
    write_core_lock(folder, ids, bank)
    lock = read_core_lock((folder / "core.lock").read_text("utf-8"))
    assert list(lock.lines) == ids
    assert lock.sketch == (Sketch.of(bank) if size else None)
    assert [path.name for path in folder.iterdir()] == ["core.lock"]


def test_lines_are_those_of_the_file() -> None:
    text = "# a comment\n#\n\n e2 \n#7\ne1 #x\ne2\n"
    assert read_core_lock(text).lines == {"e2": 4, "#7": 5, "e1 #x": 6}
    assert read_core_lock(text).sketch is None


@pytest.mark.parametrize(
    "line",
    [
        "# examples 12:",
        "# examples x: 00000001",
        "# examples 12: 0000001",
        "# 00000001 0000000g",
        "# examples -3: 00000001",
        "# examples 0: 00000001",
        "# 00000001",
    ],
)
def test_a_sketch_that_was_tampered_with_counts_as_none(line: str) -> None:
    assert read_core_lock(f"{line}\ne1\n").sketch is None


@given(
    before=st.integers(1, KEPT),
    gone=st.integers(0, 30),
    come=st.integers(0, 30),
    touched=st.integers(0, 30),
)
def test_in_a_small_bank_the_share_is_exact(
    before: int, gone: int, come: int, touched: int
) -> None:
    gone = min(gone, before)
    touched = min(touched, before - gone)
    bank = examples(before)
    now = edited(bank[gone:], touched) + examples(come, start=1000)
    said = Sketch.of(bank).changed(now)
    assert said == pytest.approx(max(gone + touched, come + touched) / before)


def test_in_a_large_bank_the_share_is_about_right() -> None:
    bank = examples(5000)
    sketch = Sketch.of(bank)
    assert sketch.count == 5000
    assert len(sketch.hashes) == KEPT
    assert sketch.changed(bank) == 0
    assert sketch.changed(bank[::-1]) == 0  # the order of files is no change
    assert sketch.changed([*bank, *examples(1000, start=9000)]) == pytest.approx(0.2)
    for share in (0.05, 0.2, 0.5):
        said = sketch.changed(edited(bank, int(5000 * share)))
        assert said == pytest.approx(share, abs=4 * (share * (1 - share) / KEPT) ** 0.5)


def test_only_approved_examples_count() -> None:
    bank = examples(20)
    drafts = [dataclasses.replace(one, status="draft") for one in examples(20, start=50)]
    assert Sketch.of([*bank, *drafts]) == Sketch.of(bank)
    retired = [dataclasses.replace(one, status="retired") for one in bank[:5]]
    assert Sketch.of(bank).changed([*retired, *bank[5:]]) == 0.25


def test_an_empty_bank() -> None:
    empty = Sketch.of([])
    assert empty.changed([]) == 0
    assert empty.changed(examples(1)) == 1


def test_a_folder_that_can_t_be_written(tmp_path: Path) -> None:
    with pytest.raises(DomainReadOnly, match=r"core\.lock can't be written.*Give permission"):
        write_core_lock(tmp_path / "gone", ["e1"], [])
    (tmp_path / "core.lock").mkdir()
    with pytest.raises(DomainReadOnly):
        write_core_lock(tmp_path, ["e1"], [])
    assert [path.name for path in tmp_path.iterdir()] == ["core.lock"]  # nothing else is left


# --- lint ------------------------------------------------------------------------------------

ROWS = [f"e{n},question {n} of {n * 7919} sorts,a" for n in range(40)]


def bank_csv(rows: list[str]) -> str:
    return "\n".join(["id,input,output", *rows]) + "\n"


@pytest.fixture
def locked(folder) -> Path:
    """A domain of forty examples with a fresh core.lock of three."""
    root = folder({"SKILL.md": "---\nname: claims\ndescription: d\n---\nx\n"})
    (root / "examples").mkdir()
    (root / "examples" / "a.csv").write_text(bank_csv(ROWS))
    write_core_lock(root, ["e1", "e2", "e3"], read_domain(root).examples)
    return root


def stale(root: Path) -> list[tuple[int, str]]:
    found = [one for one in lint(read_domain(root)) if one.code == "core-stale"]
    assert all(one.severity == "warning" for one in found)
    assert all(one.place.file == "core.lock" for one in found)
    assert all("`harness core` chooses anew." in one.message for one in found)
    return [(one.place.line, one.message) for one in found]


def test_a_fresh_lock_is_not_stale(locked: Path) -> None:
    assert stale(locked) == []


def test_a_tenth_may_change_but_not_more(locked: Path) -> None:
    path = locked / "examples" / "a.csv"
    path.write_text(bank_csv([*ROWS[:-4], *(row[:-1] + "b" for row in ROWS[-4:])]))
    assert stale(locked) == []
    path.write_text(bank_csv([*ROWS[:-6], *(row[:-1] + "b" for row in ROWS[-6:])]))
    ((line, said),) = stale(locked)
    assert line == 1
    assert said.startswith("About 15% of the bank has changed")
    path.write_text(bank_csv([*ROWS, *(f"n{n},new {n},a" for n in range(10))]))
    assert "About 25% of the bank" in stale(locked)[0][1]
    path.write_text(bank_csv(ROWS[:32]))
    assert "About 20% of the bank" in stale(locked)[0][1]


def test_a_lock_from_before_sketches_says_nothing_of_the_bank(locked: Path) -> None:
    (locked / "core.lock").write_text("e1\n")
    (locked / "examples" / "a.csv").write_text(bank_csv(ROWS[:5]))
    assert stale(locked) == []


def test_an_eval_s_twin_in_the_core(locked: Path) -> None:
    (locked / "evals").mkdir()
    (locked / "evals" / "holdout.csv").write_text(
        "id,input,expected\nh1,QUESTION 2 (of 15838 sorts!),a\n"
    )
    ((line, said),) = stale(locked)
    assert (locked / "core.lock").read_text().splitlines()[line - 1] == "e2"
    assert "`e2` has the text, or almost the text, of the eval case `h1`" in said
    assert "evals/holdout.csv:2" in said


def test_an_eval_s_sibling_in_the_core(locked: Path) -> None:
    (locked / "examples" / "a.csv").write_text(
        "id,input,output,source\n"
        + "".join(f"{row},{'Acme.pdf' if n == 3 else ''}\n" for n, row in enumerate(ROWS))
    )
    (locked / "evals").mkdir()
    (locked / "evals" / "dev.csv").write_text(
        "id,input,expected,source\nd1,something else entirely,a, acme.PDF\nd2,more of it,a,\n"
    )
    ((line, said),) = stale(locked)
    assert (locked / "core.lock").read_text().splitlines()[line - 1] == "e3"
    assert "`e3` has the source of the eval case `d1`" in said


def test_missing_and_retired_ids(locked: Path) -> None:
    rows = [row for row in ROWS if not row.startswith("e1,")]
    (locked / "examples" / "a.csv").write_text(
        "id,input,output,status\n"
        + "".join(f"{row},{'retired' if row.startswith('e2,') else ''}\n" for row in rows)
    )
    (first, second) = [said for _, said in stale(locked)]
    assert "`e1` is the id of no example." in first
    assert "`e2` is retired" in second


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0", b"e1\n\xe9\n", b"e\0\n", b"\x01\x02\xff" * 9]
)
def test_a_lock_that_is_no_text_is_written_anew(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_text("Read twice.\n")
    (tmp_path / "core.lock").write_bytes(data)
    (problem,) = read_domain(tmp_path).errors
    assert "`harness core` writes it anew" in problem.message
    assert "Excel" not in problem.message
