"""What a person reads: every command, on domains that anybody can make."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from harness.cli import main
from harness.cli.progress import Bar
from harness.domain.scaffold import TEMPLATES
from harness.sdk import doctor
from harness.testing import Fault, ProviderServer, Turn

LETTER = "Where is the letter about my car?"


@pytest.fixture
def provider(monkeypatch):
    """A provider on loopback that says one thing, and the variables that lead there."""
    with ProviderServer([Turn(text="billing")] * 3) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_domain_lints_clean_and_says_what_next(run, template):
    made = run("init", "claims", "--template", template)
    assert made.code == 0, made.err
    assert "harness lint claims" in made.out
    linted = run("lint", "claims")
    assert (linted.code, linted.out) == (0, "claims is ready: 0 errors, 0 warnings.\n")


def test_init_copies_a_shipped_domain(run):
    made = run("init", "my-triage", "--from", "clinical-calculators", "--in", "sub")
    assert made.code == 0, made.err
    assert "name: my-triage" in Path("sub/my-triage/SKILL.md").read_text("utf-8")
    assert run("lint", "sub/my-triage").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("init", "claims", "--from", "nowhere"), "Shipped are clinical-calculators,"),
        (("init", "claims", "--from", "suport-triage"), "Did you mean `support-triage`?"),
        (("init", "claims", "--from", "support-triage", "--template", "blank"), "exclude"),
        (("init", "My Claims"), "How about 'my-claims'?"),
        (("ask", "DOMAIN", ""), "The question is empty."),
        (("ask", "DOMAIN", "x", "--section", "cores=1"), "The sections are instructions, rules"),
        (("ask", "DOMAIN", "x", "--section", "core=much"), "Write 500, 25 % or 0.25."),
        (("ask", "DOMAIN", "x", "--model-option", "temperature"), "Write KEY=VALUE."),
        (("ask", "DOMAIN", "x", "--file", "absent.txt"), "There is no file absent.txt."),
        (("ask", "DOMAIN", "x", "--schema", "absent.json"), "absent.json can't be read"),
        (("ask", "DOMAIN", "x", "--policy", "best"), "'best' is not one of 'balanced'"),
        (("ask", "DOMAIN", "x", "--budget", "0"), "greater than or equal to 1"),
        (("ask", "DOMAIN"), "Missing argument 'QUESTION'. See `harness ask --help`."),
        (("eval", "DOMAIN", "--split", "sealed"), "'sealed' is not one of 'dev', 'holdout'"),
        (("lnit",), "Did you mean"),
        (("ask", "DOMAIN", "x", "--plicy", "nearest"), "--policy"),
    ],
)
def test_words_that_are_off_are_64_and_one_line(run, mail, words, says):
    ran = run(*[mail if word == "DOMAIN" else word for word in words])
    assert ran.code == 64
    assert says in ran.err
    assert ran.err.startswith("harness: ")
    assert ran.err.count("\n") == 1
    assert ran.out == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ask", "nowhere", "x"), "`harness init NAME` makes a new domain."),
        (("ask", "suport-triage", "x"), "Did you mean support-triage?"),
        (("config", "nowhere"), "There is no folder `nowhere`"),
        (("eval", "DOMAIN", "--case", "d-99"), "has no case d-99. The ids stand in"),
        (("ask", "DOMAIN", "x", "--budget", "10"), "over the budget of 10"),
        (("ask", "DOMAIN", "x", "--model", "gpt-5"), "Write provider:model"),
        (("ask", "DOMAIN", "x", "--model", "baseline:next"), "Did you mean baseline:nearest?"),
        (("ask", "DOMAIN", "x", "--model", "openai:gpt-5"), "OPENAI_API_KEY"),
    ],
)
def test_what_can_not_be_done_is_1_and_says_the_mend(run, mail, words, says):
    ran = run(*[mail if word == "DOMAIN" else word for word in words])
    assert ran.code == 1
    assert says in ran.err
    assert ran.err.startswith("harness: ")
    assert ran.err.count("\n") == 1


def test_bare_harness_shows_the_commands(run):
    ran = run()
    assert ran.code == 64
    for command in ("init", "lint", "schema", "index", "core", "context", "ask", "eval", "doctor"):
        assert command in ran.err


def test_index_counts_and_remembers(run, tmp_path):
    run("init", "claims")
    first = run("index", "claims", "--home", tmp_path / "home")
    assert "2 examples, 1 eval case, 1 passage. Embedded 4, reused 0, in" in first.out
    again = run("index", "claims", "--home", tmp_path / "home")
    assert "Embedded 0, reused 4, in" in again.out


def test_context_shows_what_is_in_it_and_what_is_not(run, mail):
    ran = run("context", mail, LETTER, "--section", "core=0", "--section", "demonstrations=60")
    assert ran.code == 0, ran.err
    rows = re.findall(r"^  (\w+) +([\d,]+) tokens", ran.out, re.MULTILINE)
    sizes = {name: int(tokens.replace(",", "")) for name, tokens in rows}
    whole = re.search(r": ([\d,]+) of 32,000 tokens", ran.out)
    assert sum(sizes.values()) == 32_000
    assert int(whole[1].replace(",", "")) == 32_000 - sizes["free"]
    assert sizes["core"] == 0 < sizes["demonstrations"] <= 60
    shown, left_out = ran.out.split("Left out (")
    assert "near the question" in shown
    assert re.search(r"demonstrations +\d\.\d{3} +\d+ tokens  \S+", left_out)
    assert "--- user ---" not in ran.out


def test_context_prints_the_text_when_asked(run, mail):
    ran = run("context", mail, LETTER, "--text", "--policy", "none")
    assert "--- system ---" in ran.out
    assert f"<question>\n{LETTER}\n</question>" in ran.out


def test_only_the_answer_is_on_stdout(run, mail):
    ran = run("ask", mail, "I have sold the car and want to end the policy.")
    assert ran.code == 0
    assert ran.out == "cancellation\n"
    assert "baseline:nearest · " in ran.err
    assert "no cost" in ran.err


def test_a_question_and_its_file_reach_the_model(run, mail, provider):
    Path("letter.txt").write_text("The invoice is 12.30 too high.", "utf-8")
    Path("form.json").write_text('{"type": "object", "title": "desk"}', "utf-8")
    ran = run(
        *("ask", mail, "Who answers this?", "--file", "letter.txt", "--schema", "form.json"),
        *("--model", "openai:gpt-4o-mini", "--model-option", "temperature=0.25"),
        *("--model-option", "reasoning_effort=low"),
    )
    assert (ran.code, ran.out) == (0, "billing\n"), ran.err
    [request] = provider.requests
    assert request.body["temperature"] == 0.25
    assert request.body["reasoning_effort"] == "low"
    assert "The invoice is 12.30 too high." in json.dumps(request.body["messages"])
    assert '"desk"' in json.dumps(request.body)


def test_a_stream_that_breaks_begins_anew(run, mail, monkeypatch):
    script = [Turn(text="cancel the lot", fault=Fault(kind="cut_text")), Turn(text="billing")]
    with ProviderServer(script) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        ran = run("ask", mail, "hello", "--model", "openai:gpt-4o-mini")
    assert ran.code == 0
    assert ran.out.endswith("billing\n")
    assert "once more from the start" in ran.err


def test_dry_run_sends_nothing(run, mail, provider):
    ran = run("ask", mail, "hello", "--model", "openai:gpt-4o-mini", "--dry-run")
    assert ran.code == 0
    assert "tokens would go to" in ran.out
    assert "Nothing was sent." in ran.out
    assert provider.requests == []
    assert "Nothing would leave this machine" in run("ask", mail, "hello", "--dry-run").out


def test_an_abstention_is_said(run, write_domain):
    folder = write_domain(
        "asks",
        **{
            "domain.yaml": "answer:\n  kind: label\n  abstain: unsure\n  labels: [a, b]\n",
            "examples/all.yaml": "- id: one\n  input: what is it\n  output: unsure\n",
        },
    )
    ran = run("ask", folder, "what is it")
    assert (ran.code, ran.out) == (0, "unsure\n")
    assert "! The model says that it can't tell." in ran.err


def test_eval_says_the_score_and_what_failed(run, mail):
    ran = run("eval", mail, "--split", "holdout", "-j", "2")
    assert ran.code == 0
    assert "with 95 % confidence" in ran.out
    assert "guard on" in ran.out
    off = run("eval", mail, "--no-guard", "--case", "d-01", "--case", "d-02")
    assert "2 cases, 2 scored" in off.out
    assert "guard OFF" in off.out


def test_eval_with_nothing_scored_is_an_error(run, mail, monkeypatch):
    with ProviderServer(lambda _: Turn(fault=Fault(kind="refused"))) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        ran = run("eval", mail, "--limit", "2", "--model", "openai:gpt-4o-mini")
    assert ran.code == 1
    assert "none of the 2 cases could be scored" in ran.out


def test_core_writes_its_lock_and_only_then(run):
    run("init", "claims", "--template", "documents")
    chosen = run("core", "claims", "--dry-run").out.split()
    assert not Path("claims/core.lock").exists()
    ran = run("core", "claims")
    assert ran.out == f"core.lock of claims now names {len(chosen)} examples.\n"
    lines = Path("claims/core.lock").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == chosen
    assert run("lint", "claims").code == 0


def test_schema_writes_files_where_told(run):
    ran = run("schema", "schemas")
    assert {Path(line).name for line in ran.out.splitlines()} == {
        path.name for path in Path("schemas").iterdir()
    }
    assert run("schema", "schemas", "--json").json == ran.out.splitlines()
    assert run("schema").json.keys() == {path.name for path in Path("schemas").iterdir()}


def test_config_says_where_a_value_came_from(run, mail, monkeypatch):
    monkeypatch.setenv("HARNESS_TIMEOUT", "30")
    Path("harness.toml").write_text("jobs = 3\n", "utf-8")
    (mail.parent / "own").mkdir(exist_ok=True)
    (mail.parent / "own" / "SKILL.md").write_text("---\nname: own\n---\nx\n", "utf-8")
    (mail.parent / "own" / "domain.yaml").write_text("model: openai:gpt-5\n", "utf-8")
    ran = run("config", mail.parent / "own")
    assert re.search(
        r"^timeout +30\.0 seconds +environment \(HARNESS_TIMEOUT\)$", ran.out, re.MULTILINE
    )
    assert re.search(r"^jobs +3 +project file \(.*harness\.toml\)$", ran.out, re.MULTILINE)
    assert re.search(r"^model +openai:gpt-5 +domain \(domain\.yaml\)$", ran.out, re.MULTILINE)
    assert re.search(r"^sandbox_memory +2048 megabytes +default$", ran.out, re.MULTILINE)
    assert re.search(r"^retries +4 +default$", ran.out, re.MULTILINE)
    of_flag = run("config", mail.parent / "own", "--model", "baseline:nearest").out
    assert re.search(r"^model +baseline:nearest +command line$", of_flag, re.MULTILINE)


def test_a_setting_of_the_wrong_form_is_64(run, mail, monkeypatch):
    monkeypatch.setenv("HARNESS_TIMEOUT", "soon")
    ran = run("lint", mail)
    assert ran.code == 64
    assert ran.err == "harness: HARNESS_TIMEOUT is 'soon'. It has to be seconds.\n"


def test_doctor_finds_this_machine_sound(run, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret-value")
    ran = run("doctor")
    assert ran.code == 0, ran.out
    assert re.search(r"^absent +OpenAI +OPENAI_API_KEY is not set", ran.out, re.MULTILINE)
    assert re.search(r"^ok +Anthropic +ANTHROPIC_API_KEY is set$", ran.out, re.MULTILINE)
    assert "sk-secret" not in ran.out


def test_doctor_finds_a_state_folder_that_can_not_be(run):
    Path("file").write_text("", "utf-8")
    ran = run("doctor", "--home", "file/home")
    assert ran.code == 1
    assert re.search(r"^broken +state folder +.*can't be written", ran.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "holds no JSON"),
        ("[]", "has to be a JSON object"),
        ('{"type": "thing"}', "is not valid under any of the given schemas"),
        ("[" * 200_000, "holds no JSON"),
    ],
)
def test_a_schema_that_is_none(run, mail, text, says):
    Path("form.json").write_text(text, "utf-8")
    ran = run("ask", mail, "hello", "--schema", "form.json")
    assert ran.code == 64
    assert says in ran.err


def test_the_version(run):
    import harness

    assert run("--version").out == f"harness {harness.__version__}\n"


def test_lint_shows_some_of_many_warnings_and_counts_all(run, write_domain):
    rows = "".join(f"e{n},the very same words,out {n}\n" for n in range(12))
    folder = write_domain("twins", **{"examples/a.csv": "id,input,output\n" + rows})
    ran = run("lint", folder)
    warnings = re.search(r"is ready: 0 errors, (\d+) warnings\.$", ran.out)
    assert ran.code == 0
    assert int(warnings[1]) == len(run("lint", folder, "--json").json) > 5
    assert "more warnings `" in ran.out


class Terminal:
    """A stderr that says that it is a terminal."""

    def __init__(self):
        self.said = ""

    def isatty(self):
        return True

    def write(self, text):
        self.said += text

    def flush(self):
        pass


def test_progress_rewrites_its_line_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = Bar("Embedding")
    for done in range(1, 1001):
        bar(done, 1000)
    assert terminal.said.startswith("\rEmbedding 1 of 1,000")
    assert terminal.said.endswith("\rEmbedding 1,000 of 1,000\n")
    assert terminal.said.count("\r") < 900


def test_progress_is_quiet_elsewhere(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bar = Bar("Embedding")
    for done in range(1, 31):
        bar(done, 30)
        now[0] += 1.0
    assert capsys.readouterr().err == "Embedding 11 of 30\nEmbedding 21 of 30\n"


def test_the_entry_shows_our_records_and_others_warnings(monkeypatch, capsys):
    root = logging.getLogger()
    before = list(root.handlers)
    monkeypatch.setattr(sys, "argv", ["harness", "--version"])
    try:
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        [ours] = [one for one in root.handlers if one not in before]
        assert ours.filter(logging.LogRecord("harness.bank", 20, "", 1, "x", None, None))
        assert not ours.filter(logging.LogRecord("httpx", 20, "", 1, "x", None, None))
        assert ours.filter(logging.LogRecord("httpx", 30, "", 1, "x", None, None))
    finally:
        root.handlers[:] = before


class Broken:
    """A part whose files are gone."""

    name = "broken"

    def __getattr__(self, _):
        raise OSError("model.onnx is not there")


def test_doctor_names_each_part_that_is_broken(run, monkeypatch):
    for maker in ("make_embedder", "make_counter", "make_store"):
        monkeypatch.setattr(doctor, maker, lambda *_: Broken())
    ran = run("doctor")
    assert ran.code == 1
    for what in ("embedder", "tokens", "vector store"):
        assert re.search(rf"^broken  {what} +model\.onnx is not there$", ran.out, re.MULTILINE)
    assert ran.out.count("Install domain-harness anew.") == 3


def test_doctor_mistrusts_vectors_that_make_no_sense(run, monkeypatch):
    monkeypatch.setattr(doctor, "make_embedder", lambda _: Backwards())
    monkeypatch.setattr(doctor, "make_store", Broken)
    ran = run("doctor")
    assert ran.code == 1
    assert "minilm gives vectors that make no sense" in ran.out


class Backwards:
    """Puts what is unlike nearest."""

    def embed(self, texts):
        return np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)


@pytest.mark.parametrize("text", ["My car is sold.", "\ufeffMy car is sold."])
def test_a_question_comes_from_standard_input(run, mail, monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode("utf-8"))))
    packed = run("context", mail, "-", "--json").json
    assert packed["messages"][-1]["content"].endswith("<question>\nMy car is sold.\n</question>\n")
