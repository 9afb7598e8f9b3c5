"""`core.lock` from the SDK: written, kept to, and told of when it ages."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from harness import Harness
from harness.errors import DomainReadOnly
from harness.sdk import bundled

WORDS = [f"word{n}" for n in range(60)]


@pytest.fixture
def folder(write) -> Path:
    """A domain that does not fit whole into its context."""
    draw = random.Random(4)
    rows = [f"e{n},{' '.join(draw.choices(WORDS, k=8))},label{n % 6}" for n in range(90)]
    return write(
        {"examples/a.csv": "\n".join(["id,input,output", *rows]) + "\n"},
        settings="context: {budget: 1500}\n",
    )


def core_of(packed) -> list[str]:
    return [item.id for item in packed.items if item.section == "core" and item.kept]


def test_a_written_core_keeps_the_prefix_still(opened, folder: Path) -> None:
    harness = opened(folder)
    free = harness.preview("word1 word2")
    ids = harness.core()
    lock = folder / "core.lock"
    written = [line for line in lock.read_text("utf-8").splitlines() if not line.startswith("# ")]
    assert written == ids == core_of(free)
    before = harness.preview("word1 word2")
    assert before.prefix_sha256 == free.prefix_sha256
    assert before.version != free.version  # core.lock is part of the domain
    (folder / "examples" / "b.csv").write_text(
        "id,input,output\nnew,word1 word2 word3 and more,label1\n"
    )
    after = harness.preview("word1 word2")
    assert after.prefix_sha256 == before.prefix_sha256
    (report,) = (item for item in after.items if item.id == "new")
    assert (report.kept, report.section) == (True, "demonstrations")
    assert not [one for one in harness.lint() if one.code == "core-stale"]


def test_without_writing_nothing_is_written(opened, folder: Path) -> None:
    ids = opened(folder).core(write=False)
    assert len(ids) > 5
    assert not (folder / "core.lock").exists()


def test_a_retired_item_leaves_the_core_and_is_reported(opened, folder: Path) -> None:
    harness = opened(folder)
    ids = harness.core()
    table = folder / "examples" / "a.csv"
    lines = table.read_text("utf-8").splitlines()
    table.write_text(
        "\n".join(
            [lines[0] + ",status"]
            + [line + (",retired" if line.startswith(f"{ids[0]},") else ",") for line in lines[1:]]
        )
        + "\n"
    )
    packed = harness.preview("word1 word2")
    assert core_of(packed) == ids[1:]
    (report,) = (item for item in packed.items if item.id == ids[0])
    assert (report.kept, report.section) == (False, "core")
    assert "core.lock" in report.reason
    (problem,) = (one for one in harness.lint() if one.code == "core-stale")
    assert f"`{ids[0]}` is retired" in problem.message


def test_a_new_eval_s_twin_leaves_the_core(opened, folder: Path) -> None:
    harness = opened(folder)
    ids = harness.core()
    (one,) = (example for example in harness.domain.examples if example.id == ids[0])
    (folder / "evals").mkdir()
    (folder / "evals" / "holdout.csv").write_text(
        f"id,input,expected\nh1,{one.input.upper()}!,{one.output}\n"
    )
    packed = harness.preview("nothing alike")
    assert core_of(packed) == ids[1:]
    (problem,) = (one for one in harness.lint() if one.code == "core-stale")
    assert f"`{ids[0]}` has the text, or almost the text, of the eval case `h1`" in problem.message
    assert ids[0] not in harness.core()
    assert not [one for one in harness.lint() if one.code == "core-stale"]


def test_much_change_makes_it_stale(opened, folder: Path) -> None:
    harness = opened(folder)
    harness.core()
    rows = "".join(f"n{n},something new {n},label1\n" for n in range(20))
    (folder / "examples" / "b.csv").write_text("id,input,output\n" + rows)
    (problem,) = (one for one in harness.lint() if one.code == "core-stale")
    assert problem.message.startswith("About 22% of the bank has changed since this core")
    harness.core()
    assert not [one for one in harness.lint() if one.code == "core-stale"]


def test_a_shipped_domain_is_not_written_to(
    opened, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an installed wheel, whose domains are part of the package."""
    installed = tmp_path / "installed"
    shutil.copytree(folder, installed / folder.name)
    monkeypatch.setattr(bundled, "INSTALLED", installed)
    harness: Harness = opened(folder.name)
    with pytest.raises(DomainReadOnly, match=r"ships with Harness.*harness init"):
        harness.core()
    assert not (installed / folder.name / "core.lock").exists()
    assert harness.core(write=False)
