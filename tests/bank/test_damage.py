"""A damaged index is never used and never an error: it is noticed, and built anew."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harness.bank import Bank, search
from harness.errors import BankError

QUESTIONS = ("my refund", "transfer fee abroad", "number 12", "what costs 2 %")


def _cut(path: Path, dice: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(dice.randrange(path.stat().st_size))


def _flip(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


DAMAGES = {
    "deleted": lambda path, _: path.unlink(),
    "emptied": lambda path, _: path.write_bytes(b""),
    "truncated": _cut,
    "flipped": _flip,
    "overwritten": lambda path, dice: path.write_bytes(dice.randbytes(path.stat().st_size)),
    "a folder": lambda path, _: (path.unlink(), path.mkdir()),
}


def files(version: Path) -> list[str]:
    """The files of an index that hold something, by their path in it."""
    paths = sorted(path for path in version.rglob("*") if path.is_file())
    return [str(path.relative_to(version)) for path in paths if path.stat().st_size]


def answers(bank: Bank, found) -> list:
    return [bank.items, *(found(bank, question)[:20] for question in QUESTIONS)]


@pytest.fixture(scope="session")
def right(large, found) -> list:
    with closing(large.sync().bank) as bank:
        return answers(bank, found)


def opened(shelf, version: Path) -> Bank | None:
    """Open an index as it is; None where it is found to be damaged."""
    try:
        return Bank(version, embedder=shelf.embedder, store=shelf.store)
    except BankError:
        return None


def may_heal(name: str) -> bool:
    """HNSW files of a small collection are made anew from the database by each reader."""
    return name.endswith((".bin", ".pickle"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_any_file_is_noticed(large_copy, right, found, damage, tmp_path):
    (version,) = large_copy.versions
    names = files(version)
    assert {Path(name).name for name in names} >= {
        "chroma.sqlite3", "content.blake2b", "data_level0.bin", "index_metadata.pickle",
        "vectors.npy", "words.npz", "vocabulary.json", "items.jsonl", "manifest.json",
        "params.index.json", "data.csc.index.npy", "language",
    }  # fmt: skip
    for number, name in enumerate(names):
        copy = tmp_path / str(number) / version.name
        shutil.copytree(version, copy)
        DAMAGES[damage](copy / name, random.Random(name + damage))
        if bank := opened(large_copy, copy):
            with closing(bank):
                # What reading does not need may be off, as long as every answer is right.
                assert may_heal(name) or damage == "flipped", name
                assert answers(bank, found) == right, name
        shutil.rmtree(copy.parent)


@pytest.mark.parametrize("name", ["chroma.sqlite3", "manifest.json", "items.jsonl"])
def test_no_flipped_bit_changes_an_answer(large_copy, right, found, name):
    (version,) = large_copy.versions
    (path,) = version.rglob(name)
    sound, dice = path.read_bytes(), random.Random(name)
    noticed = 0
    for _ in range(60):
        _flip(path, dice)
        if bank := opened(large_copy, version):
            with closing(bank):
                assert answers(bank, found) == right
        else:
            noticed += 1
        path.write_bytes(sound)
    assert noticed


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["chroma.sqlite3", "data_level0.bin", "manifest.json"])
def test_a_damaged_index_is_built_anew_from_the_cache(large_copy, right, found, name, damage):
    (version,) = large_copy.versions
    path = max(version.rglob(name), key=lambda one: one.stat().st_size)
    DAMAGES[damage](path, random.Random(name))
    done = large_copy.sync()
    with closing(done.bank):
        assert done.embedded == 0
        assert answers(done.bank, found) == right
    assert large_copy.versions == [version]
    assert not large_copy.left_over
    again = large_copy.sync()
    with closing(again.bank):
        assert not again.built


def test_damage_is_said_once(large_copy, caplog):
    (version,) = large_copy.versions
    (version / "vectors.npy").write_bytes(b"no vectors")
    with caplog.at_level("WARNING", logger="harness"):
        assert large_copy.synced() == (0, True)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("vectors.npy of the index in")
    assert said.endswith("It is built anew.")


def test_a_fault_of_our_own_is_not_taken_for_damage(shelf, questions, monkeypatch):
    shelf.write(questions(3))
    shelf.synced()
    monkeypatch.setattr(search, "TermIndex", lambda folder: folder + 1)
    with pytest.raises(TypeError):
        shelf.sync()


def test_an_index_that_is_gone_is_built_anew(large_copy, right, found):
    shutil.rmtree(large_copy.home / "index")
    done = large_copy.sync()
    with closing(done.bank):
        assert (done.embedded, done.built) == (0, True)
        assert answers(done.bank, found) == right


@pytest.mark.parametrize("compared", [search.SCANNED, 0])
def test_a_process_that_has_it_open_goes_on_when_it_is_gone(
    large_copy, right, found, monkeypatch, compared
):
    monkeypatch.setattr(search, "SCANNED", compared)
    monkeypatch.setattr(search, "DEEP", 10_000)
    with closing(large_copy.sync().bank) as before:
        shutil.rmtree(large_copy.home / "index")
        with closing(large_copy.sync().bank) as after:
            assert answers(after, found) == right
            assert answers(before, found) == right


def test_what_is_built_anew_shares_nothing_with_the_damaged_one(large_copy, right, found):
    """Chroma shares what a process has open by its path."""
    (version,) = large_copy.versions
    with closing(large_copy.sync().bank):
        (path,) = version.rglob("chroma.sqlite3")
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM embeddings")
        connection.close()
        done = large_copy.sync()
        with closing(done.bank):
            assert done.built
            assert answers(done.bank, found) == right


def test_an_index_of_another_format_is_built_anew(shelf, questions):
    shelf.write(questions(3))
    shelf.synced()
    manifest = shelf.versions[0] / "manifest.json"
    said = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps({**said, "format": said["format"] - 1}), "utf-8")
    assert shelf.synced() == (0, True)
    assert shelf.synced() == (0, False)


def test_staging_folders_of_killed_builds_are_cleared_away(shelf, questions):
    shelf.write(questions(3))
    for number in range(3):
        (shelf.indexes / f".staging-{number}" / "chroma").mkdir(parents=True)
        (shelf.indexes / f".staging-{number}" / "chroma" / "data").write_bytes(b"half")
    shelf.synced()
    assert not shelf.left_over


def test_an_earlier_index_that_is_damaged_is_not_built_upon(large_copy, questions):
    (version,) = large_copy.versions
    (path,) = version.rglob("chroma.sqlite3")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE embeddings SET embedding_id = 'example/other' WHERE id = 5")
    connection.close()
    large_copy.write(questions(1101))
    done = large_copy.sync()
    with closing(done.bank) as bank:
        assert (done.embedded, len(bank.items)) == (1, 1101)
        hits = bank.search("number 1100", bank.embed("number 1100"), "demonstrations")
        assert "example/q01100" in {bank.items[row].key for row in hits.rows}


def test_reading_writes_nothing(large_copy, found):
    def content() -> dict[str, bytes]:
        (version,) = large_copy.versions
        paths = [path for path in version.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in paths if not may_heal(path.name)}

    before = content()
    for _ in range(2):
        with closing(large_copy.sync().bank) as bank:
            answers(bank, found)
    assert content() == before


def test_an_index_under_another_name_is_not_taken(large_copy):
    (version,) = large_copy.versions
    moved = version.rename(version.with_name("0123456789abcdef"))
    assert opened(large_copy, moved) is None


def test_what_is_left_of_a_removed_version_is_cleared_away(shelf, questions):
    shelf.write(questions(3))
    (shelf.indexes / "0123456789abcdef" / "chroma-0").mkdir(parents=True)
    shelf.synced()
    assert len(shelf.versions) == 1
