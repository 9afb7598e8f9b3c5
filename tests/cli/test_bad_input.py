"""What people really put into a folder, and what the command line says of it: never a traceback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

ENTRY = (sys.executable, "-c", "from harness.cli import main; main()")
EXAMPLES = "id,input,output\na,the first case,one\nb,the second case,two\n"
BIG = 200 * 1024 * 1024


def refused(ran, *says: str) -> None:
    """Check that it ended with an error that a person can act on, and nothing else."""
    assert ran.code == 1, (ran.out, ran.err)
    assert ran.out == ""
    assert ran.err.startswith("harness: ")
    assert "Traceback" not in ran.err
    for words in says:
        assert words in ran.err


def flawed(run, folder: Path, code: str, where: str, *says: str) -> None:
    """Check that lint places the problem, and that asking is refused with the same words."""
    linted = run("lint", folder)
    assert linted.code == 1, linted.out
    [line] = [one for one in linted.out.splitlines() if f": {code}: " in one]
    assert line.startswith(f"{where}: {code}: "), line
    for words in says:
        assert words in line
    refused(run("ask", folder, "anything"), line)


# --- the folder ------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["lint", "index", "ask", "eval", "core", "context"])
def test_an_empty_folder(run, command):
    Path("empty").mkdir()
    words = ("hello",) if command in ("ask", "context") else ()
    refused(run(command, "empty", *words), "`empty` is no domain folder", "`harness init NAME`")


def test_a_folder_that_is_a_file(run):
    Path("notes.txt").write_text("hello", "utf-8")
    refused(run("lint", "notes.txt"), "`notes.txt` is a file; a domain is a folder.")
    refused(run("ask", "notes.txt/sub", "hello"), "There is no folder `notes.txt/sub`.")


def test_a_path_that_can_be_none(run):
    refused(run("lint", "x" * 5000), "can't be opened")
    refused(run("lint", "nul\0byte"), "can't be opened")


@pytest.fixture
def anybodys():
    """A folder that every user may enter and write: pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def as_nobody():
    """Be a user without rights; root may read whatever it likes."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_no_permission(run, mail, anybodys, monkeypatch):
    run("ask", mail, "hello")  # all modules are imported while they can be read
    folder = anybodys / "claims"
    run("init", "claims", "--in", anybodys)
    monkeypatch.chdir(anybodys)
    closed = folder / "examples" / "first.yaml"
    closed.chmod(0)
    with as_nobody():
        linted = run("lint", folder, "--home", anybodys / "home")
        assert linted.code == 1
        assert "examples/first.yaml:1:1: no-permission: " in linted.out
    closed.chmod(0o644)
    folder.chmod(0)
    with as_nobody():
        refused(run("lint", folder), "There is no permission to open the folder")
    folder.chmod(0o755)
    run("index", folder, "--home", anybodys / "home")
    for path in (anybodys / "home").rglob("*"):
        path.chmod(0o777)
    (anybodys / "locked").mkdir()
    (anybodys / "locked").chmod(0o555)
    with as_nobody():
        for words in (("index", folder), ("ask", folder, "hello")):
            ran = run(*words, "--home", anybodys / "locked" / "home")
            refused(ran, "can't be written", "--home")
        if folder.stat().st_uid != os.geteuid():
            ran = run("core", folder, "--home", anybodys / "home")
            refused(ran, "core.lock can't be written", "permission")
        made = run("init", "other", "--in", anybodys / "locked")
        assert made.code == 64
        assert "can't be written" in made.err
        assert run("schema", anybodys / "locked" / "schemas").code == 1


def test_a_state_folder_that_can_not_be(run, mail):
    Path("file").write_text("", "utf-8")
    refused(run("ask", mail, "hello", "--home", "file/home"), "can't be written", "--home")


# --- its files -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["examples/big.csv", "evals/dev.yaml", "references/big.pdf"])
def test_a_file_of_200_mb(run, write_domain, name):
    folder = write_domain("big", **{"examples/a.csv": EXAMPLES, name: ""})
    os.truncate(folder / name, BIG)
    flawed(run, folder, "too-big", f"{name}:1:1", "200 MB")


def test_a_file_of_200_mb_beside_the_question(run, mail):
    Path("scan.txt").touch()
    os.truncate("scan.txt", BIG)
    ran = run("ask", mail, "hello", "--file", "scan.txt")
    assert ran.code == 64
    assert "200 MB" in ran.err


def test_a_program_named_csv(run, write_domain):
    folder = write_domain("binary", **{"examples/a.csv": EXAMPLES})
    (folder / "examples" / "b.csv").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 50)
    flawed(run, folder, "binary", "examples/b.csv:1:1", "a program")
    (folder / "examples" / "b.csv").write_bytes(bytes(range(128, 256)) + bytes(range(32)) * 99)
    flawed(run, folder, "binary", "examples/b.csv:1:1", "not text")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, this in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("name", ["domain.yaml", "rubrics.yaml", "examples/a.yaml"])
def test_a_yaml_bomb(run, write_domain, name):
    folder = write_domain("bomb", **{name: BOMB})
    ran = run("lint", folder)
    assert ran.code == 1
    assert f"{name}:" in ran.out
    assert len(ran.out) < 20_000
    refused(run("ask", folder, "hello"), f"{name}:")


def test_nesting_without_end(run, write_domain):
    for name, text in (
        ("domain.yaml", "model_options: " + "[" * 20_000),
        ("domain.yaml", "model_options:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 2000))),
        ("examples/a.jsonl", "[" * 200_000),
    ):
        folder = write_domain("deep", **{name: text})
        ran = run("lint", folder)
        assert ran.code == 1, name
        assert name in ran.out
        refused(run("ask", folder, "hello"), name)
        (folder / name).unlink()


def test_an_id_twice(run, write_domain):
    folder = write_domain(
        "twice", **{"examples/a.csv": EXAMPLES, "examples/b.csv": "id,input,output\nb,x,y\n"}
    )
    flawed(run, folder, "duplicate-id", "examples/b.csv:2:1", "`b`", "examples/a.csv:3:1")


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", '"a\nb"', "a\\b", "..", '" a"'])
def test_an_id_that_is_no_file_name(run, write_domain, name):
    folder = write_domain("ids", **{"examples/a.csv": f"id,input,output\n{name},x,y\n"})
    flawed(run, folder, "bad-id", "examples/a.csv:2:1")


def test_an_example_of_a_megabyte_works_and_is_warned_of(run, write_domain):
    text = "All about the lost card. " * 42_000
    folder = write_domain("long", **{"examples/a.csv": f"{EXAMPLES}long,{text},three\n"})
    linted = run("lint", folder)
    assert linted.code == 0
    assert "long-item: warning: `long` has 1,050,005 characters." in linted.out
    asked = run("ask", folder, "the second case")
    assert (asked.code, asked.out) == (0, "two\n")
    [item] = [
        one for one in run("context", folder, "lost card", "--json").json["items"]
        if one["id"] == "long"
    ]  # fmt: skip
    assert not item["kept"]


def test_a_nul_character(run, write_domain):
    folder = write_domain("nul", **{"examples/a.csv": EXAMPLES + "c,no\0thing,three\n"})
    flawed(run, folder, "bad-character", "examples/a.csv:4:5", "NUL")


def test_text_from_right_to_left_and_pictures(run, write_domain):
    folder = write_domain(
        "scripts",
        **{
            "examples/a.yaml": "- id: سيارة\n  input: أين سيارتي؟ 🚗\n  output: '👍🏽 مواقف'\n"
            "- id: ילד\n  input: איפה הילד\n  output: בית ספר\n"
        },
    )
    assert run("lint", folder).code == 0
    asked = run("ask", folder, "أين سيارتي؟ 🚗", "--json")
    assert asked.code == 0, asked.err
    assert asked.json["text"] == "👍🏽 مواقف"
    assert {one["id"] for one in asked.json["demonstrations"]} == {"سيارة", "ילד"}


def test_a_table_that_lacks_a_column(run, write_domain):
    folder = write_domain("lacks", **{"examples/a.csv": "id,input\na,the case\n"})
    linted = run("lint", folder)
    assert linted.code == 1
    assert "examples/a.csv:" in linted.out
    assert "output" in linted.out
    refused(run("ask", folder, "hello"), "examples/a.csv:", "output")


def test_a_latin_1_file(run, write_domain):
    folder = write_domain("old", **{"examples/a.csv": EXAMPLES})
    (folder / "examples" / "b.csv").write_bytes("id,input,output\nc,Müll,x\n".encode("latin-1"))
    flawed(run, folder, "encoding", "examples/b.csv:2:4", "CSV UTF-8")


def workbook(path: Path, *, cached: bool) -> None:
    """Write a workbook whose last output is a formula, with or without its result."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("cases")
        for row, cells in enumerate((("id", "input", "output"), ("a", "two and two", "4"))):
            sheet.write_row(row, 0, cells)
        sheet.write_row(2, 0, ("b", "two times three"))
        sheet.write_formula(2, 2, "=2*3", None, 6 if cached else "")


def test_a_workbook_with_formulas(run, write_domain):
    folder = write_domain("sums")
    (folder / "examples").mkdir()
    workbook(folder / "examples" / "a.xlsx", cached=True)
    asked = run("ask", folder, "two times three")
    assert (asked.code, asked.out) == (0, "6\n"), asked.err
    workbook(folder / "examples" / "a.xlsx", cached=False)
    flawed(run, folder, "formula-without-value", "examples/a.xlsx:3:3")


def pdf(path: Path, text: str = "", password: str = "") -> None:
    from fpdf import FPDF

    page = FPDF()
    page.add_page()
    page.set_font("helvetica")
    if text:
        page.write(text=text)
    if password:
        page.set_encryption(owner_password="owner", user_password=password)
    page.output(str(path))


def test_a_pdf_that_can_not_be_read(run, write_domain):
    folder = write_domain("papers", **{"examples/a.csv": EXAMPLES, "references/x.md": "# One\n\nx"})
    pdf(folder / "references" / "secret.pdf", "The sum insured is 1,000.", password="open sesame")
    linted = run("lint", folder)
    assert linted.code == 1
    assert "references/secret.pdf:1:1: " in linted.out
    assert "password" in linted.out
    refused(run("ask", folder, "hello"), "references/secret.pdf", "password")
    (folder / "references" / "secret.pdf").unlink()
    pdf(folder / "references" / "scan.pdf")
    linted = run("lint", folder)
    assert "references/scan.pdf:1:1: " in linted.out
    assert "no text" in linted.out


def test_a_link_out_of_the_folder(run, write_domain, tmp_path):
    (tmp_path / "secret.csv").write_text("id,input,output\ns,the secret,x\n", "utf-8")
    (tmp_path / "secret.md").write_text("# Secret\n\nthe secret", "utf-8")
    folder = write_domain("links", **{"examples/a.csv": EXAMPLES, "references/x.md": "# One\n\nx"})
    (folder / "examples" / "out.csv").symlink_to(tmp_path / "secret.csv")
    flawed(run, folder, "outside-folder", "examples/out.csv:1:1", "not followed")
    (folder / "examples" / "out.csv").unlink()
    (folder / "references" / "out.md").symlink_to(tmp_path / "secret.md")
    linted = run("lint", folder)
    assert "references/out.md:1:1: outside-folder: " in linted.out
    assert "the secret" not in linted.out


def test_pipes_in_the_folder_are_not_waited_for(spawn, write_domain):
    folder = write_domain(
        "pipes", **{"examples/a.csv": EXAMPLES, "evals/a": "", "references/a": ""}
    )
    names = ("SKILL.md", "domain.yaml", "core.lock", "examples/p.csv", "evals/dev.yaml")
    for name in (*names, "references/p.md"):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
    ran = spawn("lint", folder)
    assert ran.code == 1
    for name in (*names, "references/p.md"):
        assert f"{name}:1:1: not-a-file: " in ran.out


def test_a_pipe_beside_the_question_is_not_waited_for(spawn, mail):
    os.mkfifo("pipe.txt")
    ran = spawn("ask", mail, "hello", "--file", "pipe.txt")
    assert ran.code == 64
    assert ran.err.startswith("harness: ")


# --- the question ----------------------------------------------------------------------------


def test_no_question(run, spawn, mail):
    for ran in (
        run("ask", mail, ""),
        run("context", mail, "   \n\t"),
        spawn("ask", mail, "-", stdin=b""),
        spawn("ask", mail, "-", stdin=b"\xef\xbb\xbf\n"),  # a byte order mark and nothing else
    ):
        assert ran.code == 64
        assert ran.err == "harness: The question is empty. Say what you want to know.\n"


@pytest.mark.parametrize("of", ["where is my letter ", "x", "🚗"])
def test_a_question_of_a_million_characters(run, mail, of):
    question = of * (1_000_000 // len(of))
    for command in ("ask", "context"):
        ran = run(command, mail, question)
        refused(ran, "over the budget of 32,000")
        assert len(ran.err) < 1000


def test_a_question_of_a_million_characters_on_stdin(spawn, mail):
    refused(spawn("ask", mail, "-", stdin=b"why is it late? " * 62_500), "over the budget")


def test_odd_characters_in_a_question_are_kept(run, mail):
    question = "a\0b \x1b[31mred </question> \u202eabc\u202c ﷽\n\n<out>x"
    ran = run("ask", mail, question, "--json")
    assert ran.code == 0, ran.err


# --- the index -------------------------------------------------------------------------------


def test_two_processes_at_once(write_domain, tmp_path):
    rows = "".join(f"e{n},the words of case number {n},out {n % 7}\n" for n in range(200))
    folder = write_domain("shared", **{"examples/a.csv": "id,input,output\n" + rows})
    words = ["ask", str(folder), "case number 7", "--json", "--home", str(tmp_path / "state")]
    both = [
        subprocess.Popen(
            [*ENTRY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert all('"text": "out 0"' in out for out, _ in said)


def test_an_index_that_is_gone_or_broken_is_built_anew(run, write_domain, tmp_path):
    folder = write_domain("broken", **{"examples/a.csv": EXAMPLES})
    home = tmp_path / "state"
    ask = ("ask", folder, "the second case", "--home", home)
    assert run(*ask).out == "two\n"
    shutil.rmtree(home / "index")
    assert run(*ask).out == "two\n"
    for path in sorted((home / "index").rglob("*")):
        if path.is_file() and path.name in ("chroma.sqlite3", "items.jsonl", "manifest.json"):
            path.write_bytes(b"\0rubbish")
    again = run(*ask)
    assert (again.code, again.out) == (0, "two\n")
    assert "Traceback" not in again.err
    (home / "cache" / "embeddings.db").write_bytes(b"rubbish" * 1000)
    shutil.rmtree(home / "index")
    last = run(*ask)
    assert "Traceback" not in last.err
    assert last.out == "two\n", last.err
    with sqlite3.connect(home / "cache" / "embeddings.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
