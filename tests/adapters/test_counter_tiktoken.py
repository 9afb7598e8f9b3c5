"""Exact counts of o200k_base, from the package's own ranks, whatever the text."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters import counter_tiktoken
from harness.adapters.counter_tiktoken import RANKS, TiktokenCounter

COUNTER = TiktokenCounter()
SPECIAL = ["<|endoftext|>", "<|endofprompt|>", "<|im_start|>system<|im_sep|>"]


@pytest.fixture(scope="module")
def oracle():
    """tiktoken's own encoding, made from the same ranks by hand."""
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    official = counter_tiktoken._encoding("o200k_base")
    (path,) = (one for one in RANKS.iterdir() if len(one.name) == 40)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest == "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
    before = os.environ.pop("TIKTOKEN_CACHE_DIR", None)
    os.environ["TIKTOKEN_CACHE_DIR"] = ""  # no cache: read the file as it is
    try:
        ranks = load_tiktoken_bpe(str(path))
    finally:
        del os.environ["TIKTOKEN_CACHE_DIR"]
        if before is not None:
            os.environ["TIKTOKEN_CACHE_DIR"] = before
    return tiktoken.Encoding(
        "oracle", pat_str=official._pat_str, mergeable_ranks=ranks, special_tokens={}
    )


@given(st.text())
def test_counts_are_exact(oracle, text):
    assert COUNTER.count(text) == len(oracle.encode(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The tenant shall pay 1,250.00 EUR by the 3rd of each month.",
        "كيف أغير كلمة المرور؟",
        "卡丢了怎么办 🙂🙃",
        "\r\n\t\u2028 x \u00a0 ",
        "def f(x):\n    return x ** 2  # why\n",
        "x" * 5000,
        "ab " * 3000,
        "\n" * 4000,
    ],
)
def test_counts_of_some_texts_are_exact(oracle, text):
    assert COUNTER.count(text) == len(oracle.encode(text))


@pytest.mark.parametrize("text", SPECIAL)
def test_special_tokens_count_as_text(oracle, text):
    assert COUNTER.count(text) == len(oracle.encode(text)) > 3
    assert COUNTER.count(f"a{text}b") > 3


def test_known_counts():
    assert COUNTER.name == "o200k_base"
    assert [COUNTER.count(text) for text in ("hello world", "a", " ", "")] == [2, 1, 1, 0]


@pytest.mark.parametrize("blank", [" ", "\n", "\t", "\u00a0", " \n"])
def test_a_million_blanks_are_counted(blank):
    text = "before" + blank * (1_000_000 // len(blank)) + "after"
    assert 2 < COUNTER.count(text) < 700_000


def test_long_runs_of_blanks_cost_at_most_a_token_each(oracle):
    dice = random.Random(5)
    parts = ["word", " " * 4095, "\n" * 4096, " " * 9000, "end. "]
    for _ in range(20):
        text = "".join(dice.sample(parts, 4))
        assert abs(COUNTER.count(text) - len(oracle.encode(text))) <= 2 * (len(text) // 4096)


def test_the_users_cache_is_left_alone(tmp_path):
    """A process of its own, as an encoding is loaded once."""
    program = (
        "import os, threading\n"
        "from harness.testing import ban_live_models\n"
        "from harness.adapters.counter_tiktoken import TiktokenCounter\n"
        "with ban_live_models():\n"
        "    threads = [threading.Thread(target=TiktokenCounter().count, args=('a b',))"
        " for _ in range(8)]\n"
        "    [one.start() for one in threads]\n"
        "    [one.join() for one in threads]\n"
        "    print(TiktokenCounter().count('hello world'), os.environ.get('TIKTOKEN_CACHE_DIR'))\n"
    )
    mine = tmp_path / "mine"
    mine.mkdir()
    for value in (None, str(mine)):
        environment = {k: v for k, v in os.environ.items() if k != "TIKTOKEN_CACHE_DIR"}
        if value:
            environment["TIKTOKEN_CACHE_DIR"] = value
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.split() == ["2", str(value)]
    assert list(mine.iterdir()) == []


def test_threads_count_the_same():
    texts = [f"text {n} " * n for n in range(1, 60)]
    right, got = [COUNTER.count(text) for text in texts], {}

    def count(start: int) -> None:
        for number in range(start, len(texts), 4):
            got[number] = COUNTER.count(texts[number])

    threads = [threading.Thread(target=count, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[number] for number in range(len(texts))] == right


def test_the_ranks_are_in_the_package():
    assert Path(counter_tiktoken.__file__).parents[1] in RANKS.parents
