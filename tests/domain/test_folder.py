"""A whole folder is read: everything experts may write, and everything wrong at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from harness.domain import Domain, folder_stamp, folder_version, lint, read_domain
from harness.errors import DomainNotFound
from harness.values import Place

WHOLE = {
    "SKILL.md": "---\nname: claims\ndescription: Sorts claims.\n---\n\nRead it twice.\n",
    "domain.yaml": "title: Claims desk\nanswer:\n  kind: label\n  abstain: unclear\n",
    "rules.yaml": "- id: r1\n  text: Storm beats flood.\n  why: Policy 3.\n  accepted_by: Ada\n",
    "rubrics.yaml": (
        "clear:\n  criteria:\n    - {id: short, text: Is short., points: 2}\n"
        "    - text: No jargon.\n  pass_at: 50 %\n"
    ),
    "core.lock": "# chosen\ne2\n\ne1\n",
    "examples/a.yaml": (
        "- id: e1\n  input: |\n    Roof gone.\n    In the storm.\n  output: storm\n  why: no\n"
        "  steps: [one, two]\n  tags: roof\n  source: p-1\n  date: 2024-01-02\n"
    ),
    "examples/b.jsonl": '{"id": 2, "input": "Cellar wet", "output": "flood", "status": "draft"}\n'
    '{"id": "e2", "input": 1.10, "output": "hail", "why": null}\n',
    "examples/c.csv": "id,input,output,tags\n007,Pipe burst,leak,a; b\n",
    "examples/page.md": (
        "---\ntags: [x]\n---\n# Input\nA tree fell.\n# Output\nstorm\n# Why\nWind.\n# Steps\n"
        "- look\n- ask\n"
    ),
    "evals/dev.csv": "id,input,expected\nd1,Hail on car,hail\n",
    "evals/holdout.yaml": "- id: h1\n  input: q\n  checks: [{contains_all: [a, b]}]\n  repeat: 3\n",
    "evals/sealed/secret.csv": "id,input\nx",
    "references/terms.md": "# Storm\n\nWind above 8.\n",
}


def test_a_whole_folder(folder) -> None:
    read = read_domain(folder(WHOLE))
    assert read.problems == ()
    assert (read.name, read.title, read.description) == ("claims", "Claims desk", "Sorts claims.")
    assert read.instructions == "Read it twice."
    assert [one.id for one in read.examples] == ["e1", "2", "e2", "007", "page"]
    first, draft, _, _, page = read.examples
    assert first.input == "Roof gone.\nIn the storm."
    assert (first.why, first.steps, first.tags, first.date) == (
        "no",
        ("one", "two"),
        ("roof",),
        "2024-01-02",
    )
    assert first.place == Place(file="examples/a.yaml", line=1, column=3)
    assert draft.status == "draft"
    assert read.examples[2].input == "1.10"
    assert read.examples[3].tags == ("a", "b")
    assert (page.input, page.why, page.steps, page.tags) == (
        "A tree fell.",
        "Wind.",
        ("look", "ask"),
        ("x",),
    )
    assert read.labels == ("storm", "hail", "leak")
    assert read.core_lock == ("e2", "e1")
    assert [(one.id, one.split, one.repeat) for one in read.cases] == [
        ("d1", "dev", 1),
        ("h1", "holdout", 3),
    ]
    assert read.cases[0].checks[0].grader == "label"
    assert read.rules[0].accepted_by == "Ada"
    assert [one.points for one in read.rubrics[0].criteria] == [Decimal(2), Decimal(1)]
    assert read.rubrics[0].pass_at == Decimal("0.5")
    assert read.passages[0].document == "terms.md"
    assert lint(read) == ()


@pytest.mark.parametrize(
    "only", [{"SKILL.md": "Just do it."}, {"examples/a.csv": "id,input,output\n1,a,b\n"}]
)
def test_one_part_is_enough(folder, only) -> None:
    read = read_domain(folder(only))
    assert read.name == "claims"
    assert read.errors == ()
    assert read.core_lock is None


def test_a_skill_of_other_agents_is_read(folder) -> None:
    head = "---\nname: claims\ndescription: >\n  Sorts\n  claims.\nmodel: opus"
    head += "\nmetadata:\n  version: 1.0\n---\nBody\n---\nmore\n"
    read = read_domain(folder({"SKILL.md": head}))
    assert read.problems == ()
    assert read.description == "Sorts claims."
    assert read.instructions == "Body\n---\nmore"


def test_all_problems_of_a_folder_at_once(problems) -> None:
    found = problems(
        {
            "domain.yaml": "titel: x\nanswer: {kind: json}\ncontext: {budget: many}\n",
            "rules.yaml": "a: b\n",
            "rubrics.yaml": "- a\n",
            "examples/a.yaml": "- id: e1\n  input: x\n",
            "examples/b.csv": "id,input\n",
            "evals/dev.yaml": "- id: c\n  input: x\n  expected: {a: 1}\n- id: d\n  input: y\n",
        }
    )
    assert [(str(one.place), one.code) for one in found] == [
        ("domain.yaml:1:1", "unknown-key"),
        ("domain.yaml:3:19", "bad-value"),
        ("evals/dev.yaml:4:3", "nothing-to-check"),
        ("examples/a.yaml:1:3", "missing-field"),
        ("examples/b.csv:1:1", "missing-column"),
        ("rubrics.yaml:1:1", "wrong-type"),
        ("rules.yaml:1:1", "wrong-type"),
    ]
    assert "Did you mean `title`?" in found[0].message


def test_one_wrong_setting_leaves_the_others(domain) -> None:
    settings = domain(
        {"domain.yaml": "review: x\nanswer: {kind: number, unti: mg, within: 5 %}\nbudgets: [1]\n"}
    ).settings
    assert settings.answer.kind == "number"
    assert settings.answer.within == "5 %"
    assert settings.review == "one_person"


def test_settings_that_are_no_mapping(problems) -> None:
    assert [one.code for one in problems({"domain.yaml": "- a\n"})] == ["wrong-type"]
    empty = {"domain.yaml": "# all by default\n", "rules.yaml": "", "rubrics.yaml": "#\n"}
    assert problems({**empty, "examples/a.csv": "id,input,output\na,b,c\n"}) == ()


# --- no domain at all ------------------------------------------------------------------------


def test_no_folder_a_file_and_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DomainNotFound, match="no folder"):
        read_domain(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DomainNotFound, match="is a file"):
        read_domain(tmp_path / "file")
    with pytest.raises(DomainNotFound, match="no folder"):
        read_domain(tmp_path / "file" / "below")
    with pytest.raises(DomainNotFound, match=r"neither SKILL\.md nor examples/.*harness init"):
        read_domain(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DomainNotFound):
        read_domain(tmp_path / "loop")
    with pytest.raises(DomainNotFound):
        read_domain("a\0b")


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of a user who is not root, as whom the test goes on."""
    root = Path(tempfile.mkdtemp())
    me = os.geteuid()
    if me == 0:
        os.chown(root, 65534, -1)
        os.seteuid(65534)
    yield root
    os.seteuid(me)
    for path in [root, *root.rglob("*")]:
        path.chmod(0o700)
    shutil.rmtree(root)


def test_no_permission(unprivileged: Path) -> None:
    root = unprivileged / "claims"
    (root / "examples").mkdir(parents=True)
    (root / "evals").mkdir()
    (root / "examples" / "a.csv").write_text("id,input,output\n1,a,b\n")
    (root / "examples" / "b.csv").write_text("id,input,output\n2,a,b\n")
    (root / "examples" / "a.csv").chmod(0)
    (root / "evals").chmod(0)
    read = read_domain(root)
    assert [(one.place.file, one.code) for one in read.problems] == [
        ("examples/a.csv", "no-permission"),
        ("evals", "no-permission"),
        ("SKILL.md", "no-skill"),
    ]
    assert [one.id for one in read.examples] == ["2"]
    assert folder_version(root)
    root.chmod(0)
    with pytest.raises(DomainNotFound, match="no permission"):
        read_domain(root)


# --- files that can't be used ----------------------------------------------------------------


def test_files_that_can_not_be_used_are_all_said(folder, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("id,input,output\nsecret,a,b\n")
    root = folder(
        {
            "examples/binary.csv": b"\x7fELF\x02\x01",
            "examples/blob.csv": bytes(range(256)) * 40,
            "examples/excel.csv": b"PK\x03\x04rest",
            "examples/empty.csv": "",
            "examples/latin.csv": "id,input,output\n1,caf\u00e9,b\n".encode("cp1252"),
            "examples/nul.csv": "id,input,output\n1,a\0b,c\n",
            "examples/old.xls": b"\xd0\xcf\x11\xe0",
            "examples/utf16.csv": "id,input,output\n".encode("utf-16"),
            "examples/utf16le.csv": "id,input,output\n".encode("utf-16-le"),
            "examples/deep/kept.pdf": b"%PDF",
            "evals/other.csv": "id,input\n",
            "evals/dev/a.csv": "id,input\n",
            "examples/.~lock.a.csv#": "x",
            "examples/~$a.xlsx": "x",
            "exampels/a.csv": "x",
            "domain.yml": "x",
        }
    )
    (root / "examples" / "link.csv").symlink_to(outside)
    (root / "examples" / "broken.csv").symlink_to(root / "nothing")
    (root / "examples" / "folder.csv").symlink_to(root / "evals")
    os.mkfifo(root / "examples" / "pipe.yaml")
    os.mkfifo(root / "SKILL.md")
    read = read_domain(root)
    assert read.examples == ()
    assert {(str(one.place), one.code) for one in read.problems} == {
        ("SKILL.md:1:1", "not-a-file"),
        ("domain.yml:1:1", "misnamed"),
        ("exampels:1:1", "misnamed"),
        ("evals/dev:1:1", "unknown-split"),
        ("evals/other.csv:1:1", "unknown-split"),
        ("examples/binary.csv:1:1", "binary"),
        ("examples/blob.csv:1:1", "binary"),
        ("examples/broken.csv:1:1", "broken-link"),
        ("examples/empty.csv:1:1", "empty-file"),
        ("examples/excel.csv:1:1", "binary"),
        ("examples/folder.csv:1:1", "not-a-file"),
        ("examples/latin.csv:2:6", "encoding"),
        ("examples/link.csv:1:1", "outside-folder"),
        ("examples/nul.csv:2:4", "bad-character"),
        ("examples/old.xls:1:1", "unsupported-format"),
        ("examples/pipe.yaml:1:1", "not-a-file"),
        ("examples/utf16.csv:1:1", "encoding"),
        ("examples/utf16le.csv:1:1", "encoding"),
    }
    says = {one.place.file: one.message for one in read.problems}
    assert "Windows-1252" in says["examples/latin.csv"]
    assert "UTF-16" in says["examples/utf16le.csv"]
    assert ".xlsx" in says["examples/old.xls"]


def test_a_huge_file_is_never_read(folder) -> None:
    root = folder({"SKILL.md": "x", "examples/a.csv": "id,input,output\n"})
    with (root / "examples" / "a.csv").open("r+b") as stream:
        stream.truncate(200 * 2**20)
    (problem,) = [one for one in read_domain(root).problems if one.severity == "error"]
    assert (problem.code, problem.place.file) == ("too-big", "examples/a.csv")
    assert "200 MB" in problem.message
    assert "50 MB" in problem.message


def test_folders_that_are_files_or_links(folder, tmp_path: Path) -> None:
    root = folder({"SKILL.md": "x", "examples": "x"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "dev.csv").write_text("id,input,expected\n1,a,b\n")
    (root / "evals").symlink_to(tmp_path / "elsewhere")
    read = read_domain(root)
    assert [(one.place.file, one.code) for one in read.errors] == [
        ("examples", "not-a-file"),
        ("evals", "outside-folder"),
    ]
    assert read.cases == ()


def test_file_names_that_can_not_be_shown(folder) -> None:
    root = folder({"SKILL.md": "x", "examples/a\nb:1:1: forged.csv": "id,input,output\n"})
    (problem,) = read_domain(root).errors
    assert problem.code == "file-name"
    assert "\n" not in str(problem)


def test_links_within_the_folder_are_followed(folder) -> None:
    root = folder({"SKILL.md": "x", "shared.csv": "id,input,output\n1,a,b\n"})
    (root / "examples").mkdir()
    (root / "examples" / "a.csv").symlink_to(root / "shared.csv")
    assert len(read_domain(root).examples) == 1


# --- text kept exactly -----------------------------------------------------------------------

HEBREW = "\u05e9\u05dc\u05d5\u05dd \u200fabc\u200e \U0001f469\u200d\u2695\ufe0f e\u0301 \u2028x"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_any_script_is_kept_exactly_with_or_without_a_byte_order_mark(folder, mark: str) -> None:
    root = folder(
        {
            "SKILL.md": mark + "---\nname: claims\ndescription: d\n---\nDo.",
            "domain.yaml": mark + "title: x\n",
            "examples/a.csv": mark + f'id,input,output\n1,"{HEBREW}",x\n',
            "examples/b.yaml": mark + f"- id: '2'\n  input: \"{HEBREW}\"\n  output: x\n",
            "examples/c.jsonl": mark + f'{{"id": "3", "input": "{HEBREW}", "output": "x"}}\n',
            "examples/d.md": mark + f"# Input\n{HEBREW}\n# Output\nx\n",
        }
    )
    read = read_domain(root)
    assert read.problems == ()
    assert [one.input for one in read.examples] == [HEBREW] * 4
    assert [one.id for one in read.examples] == ["1", "2", "3", "d"]


# --- ids -------------------------------------------------------------------------------------


def test_ids_name_files_and_are_unique_over_everything(domain) -> None:
    read: Domain = domain(
        {
            "rules.yaml": "- id: e1\n  text: x\n",
            "examples/a.yaml": (
                "- {id: e1, input: a, output: b}\n- {id: a/b, input: a2, output: b}\n"
                "- {id: 'a\\b', input: a3, output: b}\n- {id: \"a\\n"
                'b: forged", input: a4, output: b}\n'
                "- {id: '  ', input: a5, output: b}\n- {id: .., input: a6, output: b}\n"
                f"- {{id: {'x' * 201}, input: a7, output: b}}\n"
                f"- {{id: {'y' * 200}, input: a8, output: b}}\n"
            ),
            "evals/dev.csv": "id,input,expected\ne1,a,b\n",
            "evals/holdout.jsonl": '{"id": "e1", "input": "a", "expected": "b"}\n',
        }
    )
    assert [(str(one.place), one.code) for one in read.errors] == [
        *((f"examples/a.yaml:{line}:3", "bad-id") for line in (2, 3, 4, 5, 6, 7)),
        ("evals/dev.csv:2:1", "duplicate-id"),
        ("evals/holdout.jsonl:1:1", "duplicate-id"),
        ("rules.yaml:1:3", "duplicate-id"),
    ]
    assert "examples/a.yaml:1:3" in read.errors[-1].message
    assert all("\n" not in str(one) for one in read.errors)


# --- version ---------------------------------------------------------------------------------


def test_the_version_is_of_content_alone(folder, tmp_path: Path) -> None:
    root = folder({**WHOLE, "examples/files/scan.pdf": b"%PDF-1"})
    version = folder_version(root)
    assert version == read_domain(root).version
    assert len(version) >= 12
    copy = tmp_path / "other-name"
    for name, content in reversed(WHOLE.items()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(content, encoding="utf-8")
    (copy / "examples/files").mkdir()
    (copy / "examples/files/scan.pdf").write_bytes(b"%PDF-1")
    (copy / "LICENSE").write_text("of no matter")
    (copy / "examples/.DS_Store").write_text("of no matter")
    assert folder_version(copy) == version
    for name in (*WHOLE, "examples/files/scan.pdf"):
        before = (copy / name).read_bytes()
        (copy / name).write_bytes(before + b" ")
        assert folder_version(copy) != version, name
        (copy / name).write_bytes(before)
    (copy / "examples/a.yaml").rename(copy / "examples/z.yaml")
    assert folder_version(copy) != version


def test_the_stamp_shows_what_was_written(folder) -> None:
    root = folder(WHOLE)
    stamp = folder_stamp(root)
    assert folder_stamp(root) == stamp
    path = root / "examples/c.csv"
    old = path.stat()
    path.write_text(path.read_text().replace("burst", "BURST"))
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns + 1))
    assert folder_stamp(root) != stamp
    stamp = folder_stamp(root)
    (root / "evals/dev.jsonl").write_text("")
    assert folder_stamp(root) != stamp
    (root / "references/gone.md").symlink_to(root / "nothing")
    assert folder_stamp(root)
    assert folder_version(root)


def test_item_files_that_hold_no_list_or_no_mappings(problems) -> None:
    found = problems(
        {
            "examples/a.yaml": "id: e\ninput: a\n",
            "examples/b.yaml": "# nothing yet\n",
            "examples/c.yaml": "- just text\n- [a]\n",
            "evals/dev.yaml": "- just text\n",
            "evals/holdout.csv": "",
            "rules.yaml": "- just text\n- {id: r, text: ' '}\n",
        }
    )
    assert [(str(one.place), one.code) for one in found] == [
        ("evals/dev.yaml:1:3", "wrong-type"),
        ("evals/holdout.csv:1:1", "empty-file"),
        ("examples/a.yaml:1:1", "wrong-type"),
        ("examples/c.yaml:1:3", "wrong-type"),
        ("examples/c.yaml:2:3", "wrong-type"),
        ("rules.yaml:1:3", "wrong-type"),
        ("rules.yaml:2:17", "empty-field"),
    ]
