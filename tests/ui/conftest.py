"""The web app as people meet it: pages run in this process, and a server with a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# pytest parses what it imports of anyio, a plugin of its own, and two threads that parse at once
# fail on CPython 3.11 ("recursion depth mismatch"): so it is imported before there are any.
import anyio.from_thread
import anyio.to_thread  # noqa: F401
import pytest
from playwright.sync_api import TimeoutError as Late

from harness.sdk import bundled_domains
from harness.testing import ProviderServer, Turn

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "ui" / "page.py"
sys.path.insert(0, str(PAGE.parent))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STILL = """async () => {
  const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const moving = () => document.getAnimations().filter(
    one => one.playState === "running" && one.effect.getComputedTiming().endTime < 2000);
  const end = performance.now() + 2000;
  do await drawn();
  while (performance.now() < end && (moving().length
    || document.documentElement.scrollWidth > window.innerWidth));
}"""
AT_WORK = "[data-testid=stApp][data-test-script-state=running]"
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
ROWS = 160
"""Examples of the shipped domain that the tests use: each label of them, quick to index."""


def make_triage(folder: Path) -> Path:
    """Copy the shipped domain out, with a part of its examples."""
    source = bundled_domains()["support-triage"]
    shutil.copytree(source, folder)
    table = folder / "examples" / "train.csv"
    lines = table.read_text("utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[: ROWS + 1]), "utf-8")
    for name in ("dev.csv", "holdout.csv"):
        cases = (folder / "evals" / name).read_text("utf-8").splitlines(keepends=True)
        (folder / "evals" / name).write_text("".join(cases[:31]), "utf-8")
    (folder / "core.lock").unlink(missing_ok=True)
    return folder


def make_office(folder: Path) -> Path:
    """Write a domain whose work needs tools, a person's word, and a reference with pages."""
    from fpdf import FPDF

    files = {
        "SKILL.md": "---\nname: office\ndescription: Letters of an office.\n---\nBe exact.\n",
        "domain.yaml": (
            "title: Office\nmodel: openai:gpt-5\ntools: [files, references, plan, ask]\n"
            "approvals:\n  ask: [write_file]\n"
        ),
        "examples/cases.yaml": "- id: e1\n  input: My card is lost\n  output: Block the card.\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    pdf = FPDF()
    pdf.set_font("helvetica", size=14)
    for text in ("This lease is between A and B.", "Notice is six months, in writing."):
        pdf.add_page()
        pdf.multi_cell(0, text=text)
    (folder / "references").mkdir()
    pdf.output(str(folder / "references" / "lease.pdf"))
    return folder


# --- pages in this process ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for all pages, so that a domain is indexed once."""
    return tmp_path_factory.mktemp("ui-home")


def one_page() -> None:
    """The script of a page alone: what `app.main` draws, without the navigation."""
    import importlib

    import streamlit as st
    from harness_ui import visit
    from harness_ui.desk import desk

    visit.choose_domain(desk())
    importlib.import_module(f"harness_ui.pages.{st.session_state['page']}").show()


@pytest.fixture
def app(
    tmp_path: Path, app_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Opens a page over the domains that are given."""
    from harness_ui.desk import Desk, install
    from streamlit.testing.v1 import AppTest

    desks: list[Desk] = []

    def open_(page: str, *domains: Path, model: Any = None, **query: str) -> Any:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HARNESS_USER", "ada")
        if not desks:
            desks.append(Desk(domains=domains, home=app_home, model=model))
        install(desks[0])
        test = AppTest.from_function(one_page, default_timeout=60)
        test.session_state["page"] = page
        for key, value in query.items():
            test.query_params[key] = value
        return test.run()

    yield open_
    for desk in desks:
        desk.close()


# --- a server and a browser ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running app.

    Attributes:
        address: Where it is.
        domain: The domain folder that it shows.
        script: What the provider says next.
        home: Its state folder.
        kill: Ends its process at once, as a power cut does.
    """

    address: str
    domain: Path
    script: list[Any]
    home: Path
    kill: Callable[[], None]


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the app says that it is well."""
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The app did not start:\n{log.read_text('utf-8', 'replace')}", pytrace=False)


@contextmanager
def serving(base: Path, *domains: Path, port: int = 0, **env: str) -> Iterator[Server]:
    """Run `harness ui` as a process of its own, beside a scripted provider.

    Args:
        base: Where it is started, and keeps its state.
        *domains: The domain folders that it shows, the chosen one first.
        port: Where it listens; 0 finds a free one.
        **env: Of the process, beside this one's.
    """
    script: list[Any] = []

    def says(_: Any) -> Turn:
        return script.pop(0) if script else Turn(text="card_arrival")

    port = port or free_port()
    log = base / "log.txt"
    with ProviderServer(says) as provider, log.open("wb") as out:
        whole = {**os.environ, **provider.env(), "HARNESS_HOME": str(base / "home"), **env}
        process = subprocess.Popen(
            [sys.executable, "-c", "from harness.cli import main; main()", "ui",
             *map(str, domains), "--port", str(port)],
            stdout=out, stderr=out, env=whole, cwd=base,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(address, process, log)
            yield Server(
                address=address,
                domain=domains[0],
                script=script,
                home=base / "home",
                kill=process.kill,
            )
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, few_authorities: Path) -> Iterator[Server]:
    """The app over real questions and a scripted provider, one for all tests."""
    base = tmp_path_factory.mktemp("served")
    domain = make_triage(base / "support-triage")
    office = make_office(base / "office")
    with serving(
        base, domain, office, HARNESS_USER="ada", SSL_CERT_FILE=str(few_authorities)
    ) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The machine's own Chromium, headless.

    It keeps an event loop running in this thread for as long as it is open: it ends with its
    module, so that tests with a loop of their own can come after it.
    """
    from playwright.sync_api import sync_playwright

    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        words = "No Chromium here: `apt-get install chromium`, or skip the browser tests."
        if os.environ.get("CI"):
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    with sync_playwright() as tools:
        chromium = tools.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


class Visit:
    """One person in a browser.

    Args:
        browser: The browser.
        server: The app.
        width: Of the window, in pixels.
        how: For the browser's context.
    """

    def __init__(self, browser: Any, server: Server, *, width: int = 1280, **how: Any) -> None:
        self.server = server
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **how)
        self.context.set_default_timeout(45_000)
        self.page = self.context.new_page()
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("console", self._said)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.server.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def go(self, page: str = "", **query: str) -> Visit:
        """Open a page by its address."""
        words = "&".join(f"{key}={value}" for key, value in query.items())
        self.page.goto(f"{self.server.address}/{page}{'?' if words else ''}{words}")
        self.settle()
        self.page.wait_for_selector("h1")
        return self

    def turn_to(self, page: str) -> None:
        """Turn to another page by the links at the side: nothing is loaded anew."""
        before = self.page.locator("h1").first.inner_text()
        links = self.page.locator("[data-testid=stSidebarNavLink]")
        links.and_(self.page.locator(f"[href$='/{page}']")).first.click()
        self.page.wait_for_url(f"**/{page}?*")
        self.page.locator("h1").filter(has_not_text=before).first.wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until the page's script is done; where something is about to start it, it does."""
        with suppress(Late):
            self.page.wait_for_selector(AT_WORK, state="attached", timeout=150)
        self.page.wait_for_selector(READY)

    def still(self) -> None:
        """Wait until the page is drawn as wide as the window is, and nothing on it moves."""
        self.page.evaluate(STILL)

    def key(self, name: str) -> Any:
        """Return what has this key."""
        return self.page.locator(f".st-key-{name}")

    def press(self, name: str) -> None:
        """Press the button with this key."""
        self.key(name).locator("button").first.click()
        self.settle()

    def write(self, name: str, text: str) -> None:
        """Put a text into the field with this key, and leave it."""
        field = self.key(name).locator("textarea, input").first
        field.fill(text)
        field.press("Tab")
        self.settle()

    def ask(self, question: str) -> None:
        """Ask, and wait for the answer."""
        box = self.page.locator("[data-testid=stChatInputTextArea]")
        box.fill(question)
        box.press("Enter")
        self.page.wait_for_selector(".st-key-answer")
        self.settle()

    def sees(self, text: str) -> None:
        """Wait until a text stands on the page."""
        self.page.get_by_text(text).first.wait_for()

    def choose_model(self, name: str) -> None:
        """Choose the model that answers from now on."""
        self.page.get_by_text("Model and context").click()
        box = self.key("model").locator("input")
        box.fill(name)
        box.press("Enter")
        self.settle()
        self.page.keyboard.press("Escape")

    def text(self) -> str:
        """Return what stands on the page."""
        return str(self.page.locator("[data-testid=stAppViewContainer]").inner_text())

    def close(self) -> None:
        """Leave."""
        self.context.close()


@pytest.fixture
def visit(browser: Any, served: Server) -> Iterator[Callable[..., Visit]]:
    """Opens visits; none of them may have asked another host for anything."""
    visits: list[Visit] = []

    def open_(**how: Any) -> Visit:
        visits.append(Visit(browser, served, **how))
        return visits[-1]

    yield open_
    served.script.clear()
    for one in visits:
        assert one.foreign == []
        one.close()
