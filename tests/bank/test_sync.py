"""Indexing by content: what changed is embedded, the rest is taken over, and nothing is mixed."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from harness.adapters.store_chroma import ChromaStore
from harness.bank import Bank
from harness.errors import BankError
from harness.testing import HashEmbedder

GUIDE = "# Fees\n\nA transfer abroad costs 2 %.\n\n# Cards\n\nA lost card is blocked at once.\n"


def stored(shelf) -> dict[str, list[str]]:
    """All keys of the vector store of the one version that is there."""
    (version,) = shelf.versions
    (folder,) = version.glob("chroma-*")
    index = shelf.store.open(folder)
    with closing(index):
        return {
            group: sorted(index.query(group, np.eye(1, 64, dtype=np.float32)[0], count)[0])
            for group in ("demonstrations", "passages")
            if (count := index.count(group))
        }


def wanted(shelf) -> dict[str, list[str]]:
    domain = shelf.domain()
    approved = [f"example/{one.id}" for one in domain.examples if one.status == "approved"]
    dev = [f"eval/{one.id}" for one in domain.cases if one.split == "dev"]
    groups = {
        "demonstrations": sorted(approved + dev),
        "passages": sorted(f"passage/{one.id}" for one in domain.passages),
    }
    return {name: keys for name, keys in groups.items() if keys}


def test_each_change_embeds_what_is_new_and_takes_over_the_rest(shelf, questions, found):
    examples, cases = questions(30), {"c1": "where is my refund", "c2": "why this fee"}
    asked = shelf.embedder.asked

    def change(**other) -> tuple[int, bool]:
        asked.clear()
        shelf.write(examples, cases=cases, **{"references": {"guide.md": GUIDE}, **other})
        done = shelf.synced()
        assert stored(shelf) == wanted(shelf)
        assert not shelf.left_over
        return done

    passages = 2
    assert change() == (32 + passages, True)
    assert len(set(asked)) == len(asked) == 32 + passages
    assert change() == (0, False)

    examples["new"] = "how do I close my account"
    assert change() == (1, True)
    examples["q00003"] = {"input": examples["q00003"], "output": "no"}
    assert change() == (0, True)  # another answer to the same question: nothing to embed
    examples["q00004"] = "can I change my address"
    assert change() == (1, True)
    assert asked == ["can I change my address"]
    del examples["q00005"]
    examples["q00006"] = {"input": examples["q00006"], "status": "retired"}
    del cases["c2"]
    assert change() == (0, True)
    assert change(references={}) == (0, True)
    assert "passages" not in stored(shelf)
    cases["c1"] = "where did my refund go"
    assert change() == (1, True)

    at_once = shelf.sync(home=shelf.root / "cold")
    with closing(at_once.bank) as cold, closing(shelf.sync().bank) as grown:
        assert at_once.embedded == len(cold.items)
        assert grown.version == cold.version
        assert grown.items == cold.items
        rows = np.arange(len(cold.items))
        assert np.array_equal(grown.vectors(rows), cold.vectors(rows))
        for question in ("my refund", "fee for a transfer abroad", "number 12", "zebra"):
            assert found(grown, question) == found(cold, question)
        assert found(cold, "my refund")[0][0] == "eval/c1"


def test_what_is_embedded_once_is_never_embedded_again(shelf, questions):
    shelf.write(questions(5))
    assert shelf.synced() == (5, True)
    shelf.write(questions(5, first=100))
    assert shelf.synced() == (5, True)
    shelf.write({**questions(5), "twice": questions(1)["q00000"]})
    assert shelf.synced() == (0, True)  # texts of a version long gone, one of them two times


def test_an_item_that_moves_to_another_file_changes_nothing(shelf, questions):
    shelf.write(questions(4))
    shelf.synced()
    lines = (shelf.folder / "examples/all.jsonl").read_text("utf-8")
    (shelf.folder / "examples/all.jsonl").unlink()
    (shelf.folder / "examples/other.jsonl").write_text(f"\n{lines}", "utf-8")
    assert shelf.synced() == (0, False)


def test_another_embedder_counter_rendering_or_language_is_another_index(shelf, questions):
    shelf.write(questions(4))
    shelf.synced()
    first = shelf.versions[0].name
    seen = {first}

    def another(embedded: int, **parts) -> Bank:
        done = shelf.sync(**parts)
        assert (done.embedded, done.built) == (embedded, True)
        assert done.bank.version not in seen
        seen.add(done.bank.version)
        done.bank.close()
        return done.bank

    other = HashEmbedder(32)
    assert another(4, embedder=other).vectors(np.arange(4)).shape == (4, 32)
    rendered = another(0, rendering="other", render=lambda one: f"<{one.id}>\n")
    assert [item.rendered for item in rendered.items] == [f"<{name}>\n" for name in questions(4)]
    shelf.write(questions(4), settings="language: de\n")
    another(0)
    shelf.write(questions(4), settings="answer: {kind: label}\n")
    assert {item.label for item in another(0).items} == {"yes"}

    class Letters:
        name = "letters"

        def count(self, text: str) -> int:
            return len(text)

    assert all(item.tokens == len(item.rendered) for item in another(0, counter=Letters()).items)


def test_a_model_whose_vectors_change_their_length_is_not_mixed(shelf, questions):
    class Moody(HashEmbedder):
        name = "moody"

    shelf.write(questions(4))
    shelf.sync(embedder=Moody(64)).bank.close()
    shelf.write(questions(5))
    done = shelf.sync(embedder=Moody(32))
    with closing(done.bank):
        assert done.embedded == 5
        assert done.bank.vectors(np.arange(5)).shape == (5, 32)


def test_versions_that_nobody_reads_are_removed(shelf, questions):
    shelf.write(questions(3))
    held = shelf.sync().bank
    shelf.write(questions(4))
    shelf.synced()
    assert len(shelf.versions) == 2
    assert len(held.search("card", held.embed("card"), "demonstrations")) == 3
    held.close()
    held.close()
    shelf.write(questions(5))
    shelf.synced()
    assert len(shelf.versions) == 1


def test_a_bank_that_is_dropped_lets_go_of_its_version(shelf, questions):
    shelf.write(questions(3))
    shelf.sync()
    shelf.write(questions(4))
    shelf.synced()
    assert len(shelf.versions) == 1


def test_nothing_stays_open_or_locked(shelf, questions):
    def open_files() -> set[str]:
        mapped = psutil.Process().memory_maps()
        paths = [one.path for one in (*psutil.Process().open_files(), *mapped)]
        return {path for path in paths if Path(path).is_relative_to(shelf.home)}

    shelf.write(questions(3))
    done = shelf.sync()
    assert any("manifest.json" in path for path in open_files())
    done.bank.close()
    del done
    deadline = time.monotonic() + 10  # Chroma's threads let go in a moment of their own
    while open_files() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert open_files() == set()


class BrokenStore(ChromaStore):
    """Damages what it has written before it is read back."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def _read_back(self, folder, groups) -> None:
        if self.times:
            self.times -= 1
            with sqlite3.connect(folder / "chroma.sqlite3") as connection:
                connection.execute("DELETE FROM embeddings_queue WHERE id = 'example/q00002'")
            connection.close()
        super()._read_back(folder, groups)


def test_what_cannot_be_read_back_is_never_used(shelf, questions, found):
    shelf.write(questions(4))
    shelf.synced()
    before = shelf.versions
    shelf.write(questions(5))
    with pytest.raises(BankError, match="could not be read back"):
        shelf.sync(store=BrokenStore(times=2))
    assert shelf.versions == before
    assert not shelf.left_over
    shelf.write(questions(4))
    assert shelf.synced() == (0, False)


def test_a_copy_that_goes_wrong_is_built_from_the_ground(shelf, questions, caplog):
    shelf.write(questions(4))
    shelf.synced()
    shelf.write(questions(5))
    done = shelf.sync(store=BrokenStore(times=1))
    with closing(done.bank):
        assert (done.embedded, len(done.bank.items)) == (1, 5)
    assert "built from the ground" in caplog.text


def test_a_failing_embedder_leaves_no_process_and_no_index(shelf, questions):
    class Failing(HashEmbedder):
        def embed(self, texts, progress=None):
            assert psutil.Process().children() != before
            raise ValueError("no vectors today")

    before = psutil.Process().children()

    shelf.write(questions(3))
    with pytest.raises(ValueError, match="no vectors today"):
        shelf.sync(embedder=Failing(), store=ChromaStore())
    assert psutil.Process().children() == before
    assert shelf.versions == []


def test_progress_counts_what_is_embedded(shelf, questions):
    shelf.write(questions(1100))
    told = []
    shelf.sync(progress=lambda done, of: told.append((done, of))).bank.close()
    assert told == [(512, 1100), (1024, 1100), (1100, 1100)]


def test_the_manifest_counts_items_by_kind(shelf, questions):
    shelf.write(questions(3), cases={"c": "my card"}, references={"guide.md": GUIDE})
    shelf.synced()
    manifest = json.loads((shelf.versions[0] / "manifest.json").read_text("utf-8"))
    assert manifest["counts"] == {"example": 3, "eval": 1, "passage": 2}
