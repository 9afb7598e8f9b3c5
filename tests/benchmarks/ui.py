"""The web app over a scripted provider on loopback, in the browser that the machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.testing import ProviderServer, ScriptedModel, Tokens, Turn
from tests.benchmarks.material import Material
from tests.benchmarks.record import Record
from tests.ui.conftest import BROWSERS, free_port, wait_for

__all__ = ["run"]

MESSAGES = 300
QUESTIONS = 200
PEOPLE = 10
STREAMED = 8.0
"""Seconds over which the server is watched while ten people wait, or their answers stream."""
PACE = 0.05
"""Seconds between words of those answers: twenty a second."""
LONG = 800
"""Words of each of those answers: they outlast the watch."""
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",  # ten tabs look as ten people's windows do
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
BOX = "[data-testid=stChatInputTextArea]"
NOTE = """
const note = () => {
  const there = document.querySelector(".st-key-coming");
  if (there && !window.came) requestAnimationFrame(() => { window.came = Date.now() / 1000; });
};
new MutationObserver(note).observe(document, {subtree: true, childList: true});
"""
"""Notes in the page when the first words of an answer are painted, seconds since the epoch."""


class App:
    """A running app.

    Attributes:
        address: Where it is.
        process: Its process, as psutil knows it.
        turns: What the provider says next.
        asked: When it was asked last, seconds since the epoch.
        ready: Seconds from its start to its first healthy answer.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.turns: list[Turn] = []
        self.asked = 0.0
        self.address = f"http://127.0.0.1:{free_port()}"
        self.process: Any = None
        self.ready = 0.0

    def says(self, _: Any) -> Turn:
        """Return the provider's next answer."""
        self.asked = time.time()
        return self.turns.pop(0) if self.turns else Turn(text="An answer.")

    def cpu(self) -> float:
        """Return the processor time that the app has used, in seconds."""
        used = self.process.cpu_times()
        return float(used.user + used.system)


def run(material: Material, record: Record) -> None:
    """Measure what a person waits for, and what the server uses."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        record.add("browsers on this machine", 0, "browsers")
        record.note("No Chromium here: nothing was measured.")
        return
    from playwright.sync_api import sync_playwright

    base = material.folder / "ui"
    domain = _domain(base)
    with _served(base, domain):  # once before: bytecode is written
        pass
    newest = _conversation(domain, base / "home", 6 if material.quick else MESSAGES // 2)
    with _served(base, domain) as app, sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=found, args=list(FLAGS))
        record.add("ready: the first healthy answer", app.ready, "s", at_most=2)
        page = browser.new_page()
        _paint(app, page, record)
        _opening(app, page, newest, record)
        _first_word(app, page, 1 if material.quick else 5, record)
        _memory(app, page, 3 if material.quick else QUESTIONS, record)
        page.close()
        _people(app, browser, 2 if material.quick else PEOPLE, record)
        browser.close()
    record.note("Server, provider and browser share this machine; times are a person's, in full.")


# --- what is there ------------------------------------------------------------------------------


def _domain(base: Path) -> Path:
    folder = base / "office"
    (folder / "examples").mkdir(parents=True)
    (folder / "SKILL.md").write_text(
        "---\nname: office\ndescription: An office.\n---\nBe exact.\n", "utf-8"
    )
    (folder / "domain.yaml").write_text("model: openai:gpt-5\n", "utf-8")
    items = [f"- id: e{n}\n  input: Case {n} of a card\n  output: Do {n}.\n" for n in range(400)]
    (folder / "examples" / "cases.yaml").write_text("".join(items), "utf-8")
    return folder


def _conversation(domain: Path, home: Path, turns: int) -> str:
    """Ask on and on; return the id of the newest question."""
    from harness import Harness

    model = ScriptedModel([Turn(text=f"Answer {number}.") for number in range(turns)])
    with Harness(domain, home=home, model=model) as h:
        talk = h.conversation()
        for number in range(turns):
            talk.ask(f"Question {number} on a card", policy="none")
        return talk.run or ""


@contextmanager
def _served(base: Path, domain: Path) -> Iterator[App]:
    import psutil

    app = App(base)
    log = base / "log.txt"
    with ProviderServer(app.says) as provider, log.open("wb") as out:
        # As on a machine that has run it before: bytecode is there, in a folder of our own.
        variables = {"PYTHONPYCACHEPREFIX": str(base.parent / "bytecode"), **os.environ}
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        variables |= {**provider.env(), "HARNESS_HOME": str(base / "home")}
        command = [sys.executable, "-c", "from harness.cli import main; main()", "ui"]
        command += [str(domain), "--port", app.address.rpartition(":")[2]]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=out, env=variables, cwd=base)
        try:
            wait_for(app.address, process, log)
            app.ready = time.perf_counter() - began
            app.process = psutil.Process(process.pid)
            yield app
        finally:
            process.terminate()
            process.wait(20)


# --- what a person waits for --------------------------------------------------------------------


def _open(page: Any, address: str) -> float:
    """Open an address; return the seconds until its page is drawn."""
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("h1")
    page.wait_for_selector(READY)
    return time.perf_counter() - began


def _paint(app: App, page: Any, record: Record) -> None:
    record.add("first visit of all", _open(page, app.address), "s")
    times = sorted(_open(page, app.address) for _ in range(3))
    record.add("first paint, warm", times[1], "s", at_most=1.5)


def _opening(app: App, page: Any, newest: str, record: Record) -> None:
    _open(page, app.address)
    began = time.perf_counter()
    page.goto(f"{app.address}/?run={newest}")
    page.wait_for_selector(".st-key-answer")
    page.wait_for_selector(READY)
    took = time.perf_counter() - began
    record.add(f"a conversation of {MESSAGES} messages opens", took, "s", at_most=2)


def _ask(page: Any, words: str) -> None:
    box = page.locator(BOX)
    box.fill(words)
    box.press("Enter")


def _await(page: Any, selector: str) -> None:
    """Wait until something stands on a page; say what stands there where it does not come."""
    from playwright.sync_api import TimeoutError as Late

    try:
        page.wait_for_selector(selector, timeout=25_000)
    except Late:
        words = page.locator("[data-testid=stAppViewContainer]").inner_text()
        msg = f"{selector} did not come; the page says: {words}"
        raise RuntimeError(msg) from None


def _first_word(app: App, page: Any, rounds: int, record: Record) -> None:
    """Time the first word: from when the model says it, and from when the question is sent.

    What is painted is noted in the page itself: asking from outside would be timed, too.
    """
    page.add_init_script(NOTE)
    _open(page, app.address)
    _ask(page, "The first question is asked before anything is timed")
    _await(page, ".st-key-answer")
    after_model, after_sent = [], []
    for number in range(rounds):
        for delay, times in ((1.0, after_model), (0.0, after_sent)):
            _open(page, app.address)
            app.turns.append(_long(60, delay))
            sent = time.time()
            _ask(page, f"Say it word by word, {number}, {delay}")
            page.wait_for_function("window.came")
            times.append(page.evaluate("window.came") - (app.asked + delay if delay else sent))
            _await(page, ".st-key-answer")
    half = rounds // 2
    name = "the first streamed word, after the model's"
    record.add(name, sorted(after_model)[half], "s", at_most=0.5)
    name = "the first streamed word of a model that answers at once, after the question is sent"
    record.add(name, sorted(after_sent)[half], "s", at_most=0.5)


def _long(words: int, delay: float = 0.0) -> Turn:
    """Return an answer that streams a word at a time."""
    counted = Tokens(input=1000, output=words)  # else the provider counts while it is timed
    return Turn(text="word " * words, tokens=counted, delay=delay, pace=PACE, pieces=words)


def _memory(app: App, page: Any, questions: int, record: Record) -> None:
    """Ask one question after the other; memory of the last three quarters should be flat."""
    _open(page, app.address)
    early = 0
    for number in range(questions):
        _ask(page, f"Question {number} on a card of mine")
        _await(page, ".st-key-answer")
        page.wait_for_selector(READY)
        page.get_by_role("button", name="New question").click()
        page.wait_for_selector(".st-key-answer", state="detached")
        if number == questions // 4:
            early = app.process.memory_info().rss
    late = app.process.memory_info().rss
    record.add("resident memory at the end", late / 2**20, "MB")
    name = f"resident memory after {questions} questions, by that after a quarter of them"
    record.add(name, late / early, "times", at_most=1.1)


def _people(app: App, browser: Any, people: int, record: Record) -> None:
    """Let everybody's answer stream at once, and before that everybody wait for its first word."""
    pages = [browser.new_page() for _ in range(people)]
    for page in pages:
        _open(page, app.address)
    for number, page in enumerate(pages):
        app.turns.append(_long(LONG, delay=2.5 * STREAMED))
        _ask(page, f"Stream at once, {number}")
    name = f"{people} people waiting for the first word at once"
    record.add(name, _cores(app, pages[0]), "cores", at_most=1)
    for page in pages:
        _await(page, ".st-key-coming")
    name = f"{people} people streaming at once, a word each {1000 * PACE:g} ms"
    record.add(name, _cores(app, pages[0]), "cores", at_most=1)
    for page in pages:
        page.close()


def _cores(app: App, page: Any) -> float:
    """Return how many cores the server uses, over a while."""
    cpu, began = app.cpu(), time.perf_counter()
    page.wait_for_timeout(STREAMED * 1000)
    return (app.cpu() - cpu) / (time.perf_counter() - began)
