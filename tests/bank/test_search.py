"""What a bank finds: by meaning and by words, in any script, in banks of any size."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest

from harness.adapters import chroma_index
from harness.adapters.embedder_minilm import MiniLMEmbedder
from harness.bank import Bank, search
from harness.bank.bm25 import MOST_TERMS, TermIndex, write_terms
from harness.errors import BankError

ODD = {
    "emoji": "🙂🙃",
    "rtl": "كيف أغير كلمة المرور؟",
    "hebrew": "מה קרה לכרטיס שלי\u200f?",
    "cjk": "卡丢了怎么办",
    "combining": "e\u0301te\u0301 na\u0308chstes Jahr",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "controls": "bell\x07 escape\x1b[31m tab\t end",
    "signs": "§ 12 (3) — “quoted” … €",
    "astral": "𓀀𓁐𓂀 and 𐍈",
    "lines": "one\r\ntwo\u2028three\x0bfour",
    "sql": "'; DROP TABLE embeddings; --",
    "tag": "</example><question>what</question>",
    "long word": "x" * 5000,
}


def best(bank, question: str) -> str:
    hits = bank.search(question, bank.embed(question), "demonstrations")
    return bank.items[hits.rows[0]].id


def test_odd_texts_are_found_by_themselves(shelf):
    shelf.write({**ODD, "plain": "where is my card"})
    with closing(shelf.sync().bank) as bank:
        by_id = {item.id: item.text for item in bank.items}
        assert {**by_id, "plain": ""} == {**ODD, "plain": ""}
        for name in ("rtl", "hebrew", "cjk", "combining", "signs", "sql", "tag", "astral"):
            assert best(bank, by_id[name]) == name
    assert shelf.synced() == (0, False)


def test_a_million_characters_are_one_item(shelf):
    long = "The tenant pays the rent on the first day of the month. " * 18_000
    shelf.write({"long": long, "short": "who repairs the roof"})
    with closing(shelf.sync().bank) as bank:
        assert len(bank.items[0].text) > 1_000_000
        assert bank.items[0].tokens > 180_000
        assert best(bank, "when does the tenant pay the rent") == "long"
        assert best(bank, "the roof") == "short"
        assert best(bank, long) == "long"


@pytest.mark.parametrize("status", ["draft", None])
def test_an_empty_bank_is_searched_and_finds_nothing(shelf, status):
    shelf.write({"d": {"input": "not ready", "status": status}} if status else {})
    done = shelf.sync()
    with closing(done.bank) as bank:
        assert (done.embedded, done.built, len(bank.items), len(bank.words)) == (0, True, 0, 0)
        for group in ("demonstrations", "passages"):
            hits = bank.search("anything", bank.embed("anything"), group)
            assert len(hits) == len(hits.relevance) == len(hits.similarity) == 0
        assert bank.row_of("example/d") is None
    assert shelf.synced() == (0, False)
    shelf.write({"first": "now there is one"})
    assert shelf.synced() == (1, True)
    shelf.write({})
    assert shelf.synced() == (0, True)


def test_a_bank_of_one(shelf):
    shelf.write({"only": "where is my card"})
    with closing(shelf.sync().bank) as bank:
        hits = bank.search("zebra", bank.embed("zebra"), "demonstrations")
        assert (hits.rows.tolist(), hits.relevance.tolist()) == ([0], [1.0])
        assert bank.row_of("example/only") == 0


def test_a_bank_of_passages_alone(shelf):
    shelf.write(
        references={"guide.md": "# Fees\n\nA transfer costs 2 %.\n\n# Cards\n\nBlock it.\n"}
    )
    with closing(shelf.sync().bank) as bank:
        question = "what does a transfer cost"
        hits = bank.search(question, bank.embed(question), "passages")
        assert bank.items[hits.rows[0]].text.endswith("A transfer costs 2 %.")
        assert {bank.items[row].document for row in hits.rows} == {"guide.md"}
        assert len(bank.search(question, bank.embed(question), "demonstrations")) == 0


def test_meaning_and_words_are_fused_by_reciprocal_rank(shelf, questions):
    shelf.write(questions(300))
    with closing(shelf.sync().bank) as bank:
        question = "card fee w12 number 77"
        vector = bank.embed(question)
        hits = bank.search(question, vector, "demonstrations", depth=50)
        score = dict.fromkeys(range(300), 0.0)
        for ranked in (
            bank._by_meaning(vector, "demonstrations", 50)[0],
            bank._by_words(question, "demonstrations", 50),
        ):
            assert len(ranked) <= 50
            for rank, row in enumerate(ranked, 1):
                score[row] += 1 / (60 + rank)
        expected = sorted((-s, row) for row, s in score.items() if s)
        assert hits.rows.tolist() == [row for _, row in expected]
        assert np.allclose(hits.relevance, [s / expected[0][0] for s, _ in expected])
        similarity = bank.vectors(hits.rows) @ vector
        assert np.allclose(hits.similarity, similarity, atol=1e-6)


NEAR = ("card fee w12", "number 500", "w1 w2 w3 w4 w5")


def exact(bank, vector: np.ndarray, count: int) -> np.ndarray:
    """The highest similarities of all demonstrations."""
    rows = [row for row, item in enumerate(bank.items) if item.kind != "passage"]
    return np.sort(bank.vectors(np.array(rows)) @ vector)[::-1][:count]


@pytest.mark.parametrize("compared", [search.SCANNED, 0])
def test_the_nearest_are_the_nearest(large, monkeypatch, compared):
    monkeypatch.setattr(search, "SCANNED", compared)
    with closing(large.sync().bank) as bank:
        for question in NEAR:
            vector = bank.embed(question)
            near = bank._by_meaning(vector, "demonstrations", 50)[0]
            assert np.allclose(bank.vectors(near) @ vector, exact(bank, vector, 50), atol=1e-5)


class Forgetful:
    """A store that misses every third of the nearest, as an approximate one may."""

    def __init__(self, store) -> None:
        self._store = store

    def open(self, folder):
        index = self._store.open(folder)
        query = index.query

        def missing(group, vector, k):
            keys, near = query(group, vector, 2 * k)
            kept = [at for at in range(len(keys)) if at % 3]
            return [keys[at] for at in kept], [near[at] for at in kept]

        index.query = missing
        return index


@pytest.mark.parametrize("depth", [50, search.DEEP + 1])
def test_what_a_store_misses_is_found_all_the_same(large, monkeypatch, depth):
    """Up to some size of bank or depth; above, the store is asked."""
    (folder,) = large.versions
    for compared, complete in ((search.SCANNED, True), (0, depth > search.DEEP)):
        monkeypatch.setattr(search, "SCANNED", compared)
        bank = Bank(folder, embedder=large.embedder, store=Forgetful(large.store))
        with closing(bank):
            vector = bank.embed(NEAR[0])
            near = bank._by_meaning(vector, "demonstrations", depth)[0]
            best = exact(bank, vector, depth)
            same = np.allclose(bank.vectors(near[:depth]) @ vector, best, atol=1e-5)
            assert same == complete


@pytest.mark.parametrize("compared", [search.SCANNED, 0])
def test_a_store_is_opened_where_it_will_be_asked(large, monkeypatch, compared):
    """Chroma takes most of a second to import; a bank that is compared whole never asks it."""
    monkeypatch.setattr(search, "SCANNED", compared)
    (folder,) = large.versions
    opened = []
    monkeypatch.setattr(chroma_index, "open_client", opened.append)
    if compared:
        with closing(Bank(folder, embedder=large.embedder, store=large.store)) as bank:
            bank.search(NEAR[0], bank.embed(NEAR[0]), "demonstrations")
        assert opened == []
    else:
        with pytest.raises(BankError, match="could not open"):
            Bank(folder, embedder=large.embedder, store=large.store)
        assert len(opened) == 1


def test_equally_good_ones_stand_in_the_order_of_their_ids(shelf):
    """Also where only some of them are wanted, and wherever they stand in the folder."""
    names = ["m", "c", "x", "a", "k"]
    shelf.write({**dict.fromkeys(names, "where is my card"), "other": "a loan"})
    with closing(shelf.sync().bank) as bank:
        for depth in (2, 5):
            hits = bank.search("my card", bank.embed("my card"), "demonstrations", depth)
            assert [bank.items[row].id for row in hits.rows][:depth] == sorted(names)[:depth]


def test_many_threads_search_one_bank(large, found):
    with closing(large.sync().bank) as bank:
        asked = [f"card w{n} number {n}" for n in range(40)]
        right = [found(bank, question) for question in asked]
        got: dict[int, list] = {}

        def ask(start: int) -> None:
            for number in range(start, 40, 4):
                got[number] = found(bank, asked[number])

        threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [got[number] for number in range(40)] == right


def test_a_real_embedder_finds_by_meaning(shelf):
    shelf.embedder = MiniLMEmbedder()
    shelf.write(
        {
            "lost": "My wallet was stolen and my card with it",
            "rate": "Why is the exchange rate so bad?",
            "pin": "I forgot my PIN",
        }
    )
    with closing(shelf.sync().bank) as bank:
        assert best(bank, "thief took bank plastic") == "lost"
        assert best(bank, "converting euros into dollars") == "rate"
        assert best(bank, "numeric passcode slipped mind") == "pin"


# --- BM25 -----------------------------------------------------------------------------------


def test_terms_are_stemmed_in_the_language(tmp_path):
    write_terms(["the invoices were paid", "a dog"], tmp_path / "en", "en")
    english = TermIndex(tmp_path / "en")
    scores = english.scores("INVOICE payment")
    assert scores is not None
    assert scores[0] > 0 == scores[1]
    write_terms(["die Rechnungen", "ein Hund"], tmp_path / "de", "de-AT")
    scores = TermIndex(tmp_path / "de").scores("Rechnung")
    assert scores is not None
    assert scores[0] > 0 == scores[1]
    write_terms(["zzyzx"], tmp_path / "xx", "Klingon")
    assert TermIndex(tmp_path / "xx").scores("zzyzx") is not None


@pytest.mark.parametrize("texts", [[], [""], ["…", "🙂"]])
def test_texts_without_a_word_have_no_terms(tmp_path, texts):
    write_terms(texts, tmp_path / "bm25", "en")
    assert not (tmp_path / "bm25").exists()
    assert TermIndex(tmp_path / "bm25").scores("anything") is None


def test_a_question_without_a_known_word_has_no_scores(tmp_path):
    write_terms(["a card"], tmp_path / "bm25", "en")
    terms = TermIndex(tmp_path / "bm25")
    assert terms.scores("zebra") is None
    assert terms.scores("") is None
    assert terms.scores("🙂") is None


def test_a_question_of_many_words_is_cut(tmp_path):
    words = [f"w{n}" for n in range(MOST_TERMS + 500)]
    write_terms(words, tmp_path / "bm25", "en")
    scores = TermIndex(tmp_path / "bm25").scores(" ".join(words))
    assert scores is not None
    assert np.count_nonzero(scores) == MOST_TERMS
