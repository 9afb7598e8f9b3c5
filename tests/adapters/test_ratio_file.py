from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.ratio_file import FRAMING, FileRatios
from harness.seams import TokenRatios
from harness.testing import MemoryRatios

MODEL = "openai:gpt-5"


@pytest.fixture(params=["file", "memory"])
def ratios(request: pytest.FixtureRequest, tmp_path: Path) -> TokenRatios:
    return FileRatios(tmp_path) if request.param == "file" else MemoryRatios()


def test_what_was_seen_is_remembered_by_model(ratios: TokenRatios) -> None:
    assert ratios.of(MODEL) is None
    ratios.note({MODEL: 1.25, "x:y": 0.9})
    assert ratios.of(MODEL) == pytest.approx(1.25)
    assert ratios.of("x:y") == pytest.approx(0.9)
    assert ratios.of("other:model") is None


def test_it_stays_what_it_is_until_a_call_says_more_or_much_less(tmp_path: Path) -> None:
    ratios = FileRatios(tmp_path)
    ratios.note({MODEL: 1.13})
    file = tmp_path / "token_ratios.json"
    before = file.stat().st_mtime_ns, ratios.of(MODEL)
    for seen in (1.10, 1.13, 1.16, 1.05):
        ratios.note({MODEL: seen})
    assert (file.stat().st_mtime_ns, ratios.of(MODEL)) == before == (before[0], 1.15)
    ratios.note({MODEL: 1.3})
    assert ratios.of(MODEL) == 1.3
    ratios.note({MODEL: 1.0})
    assert ratios.of(MODEL) == 1.0


def test_the_framing_of_a_chat_is_no_ratio(tmp_path: Path) -> None:
    FileRatios(tmp_path).note({MODEL: 1.015})
    assert FileRatios(tmp_path).of(MODEL) == 1.0


@given(ratio=st.floats(0.5, 3.0))
def test_what_is_kept_is_never_less_than_was_seen(
    tmp_path_factory: pytest.TempPathFactory, ratio: float
) -> None:
    ratios = FileRatios(tmp_path_factory.mktemp("home"))
    ratios.note({MODEL: ratio})
    kept = ratios.of(MODEL)
    assert kept is not None
    assert ratio - FRAMING - 1e-6 <= kept <= ratio + 0.05


@pytest.mark.parametrize("ratio", [0.01, 30.0, float("nan"), float("inf"), -1.0])
def test_what_no_tokenizer_does_is_not_learnt(tmp_path: Path, ratio: float) -> None:
    FileRatios(tmp_path).note({MODEL: ratio})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b'{"format": 1, "ratios": {"openai:gpt-5": 1.',
        b"\xff\xfe",
        b"[]",
        b'{"format": 2, "ratios": {}}',
        b'{"format": 1, "ratios": []}',
        b'{"format": 1, "ratios": {"openai:gpt-5": "2"}}',
        b'{"format": 1, "ratios": {"openai:gpt-5": NaN}}',
        b'{"format": 1, "ratios": {"openai:gpt-5": 1e9}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_passed_over_with_a_warning_and_learnt_anew(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "token_ratios.json").write_bytes(damage)
    ratios = FileRatios(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert ratios.of(MODEL) is None
    assert "token_ratios.json is damaged" in caplog.text
    ratios.note({MODEL: 1.5})
    assert ratios.of(MODEL) == 1.5


def test_what_cannot_be_kept_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    with caplog.at_level(logging.WARNING):
        FileRatios(home).note({MODEL: 1.5})
    assert "is not kept" in caplog.text


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    def write(name: str) -> None:
        for number in range(10):
            FileRatios(tmp_path).note({f"{name}:{number}": 1.5})

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    kept = json.loads((tmp_path / "token_ratios.json").read_text())["ratios"]
    assert len(kept) == 20
