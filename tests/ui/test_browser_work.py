"""Work with tools in a real browser: followed, decided on, stopped, with its sources at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.testing import Turn
from tests.ui.conftest import Server, Visit
from tests.ui.test_browser import SCREENS, serious
from tests.ui.test_runs_page import call


def begin(one: Visit, words: str) -> None:
    box = one.page.locator("[data-testid=stChatInputTextArea]")
    box.fill(words)
    box.press("Enter")


def test_work_is_followed_and_decided_where_it_was_asked(
    visit: Callable[..., Visit], served: Server, tmp_path: Path
) -> None:
    served.script.extend(
        [
            call("search_references", "I look at the lease.", query="notice period"),
            call("write_file", path="letter.md", text="Dear Sir,\nsix months.\n"),
            call("ask", question="Which year?", choices=["2024", "2025"]),
            Turn(text='It ends in 2026. [lease.pdf: "Notice is six months"]'),
        ]
    )
    given = tmp_path / "note.txt"
    given.write_text("Ends when?", "utf-8")
    one = visit().go(domain="office")
    with one.page.expect_response(lambda reply: "upload_file" in reply.url):
        one.page.locator("[data-testid=stChatInput] input[type=file]").set_input_files(given)
    one.sees("note.txt")
    one.still()
    begin(one, "When does the lease end?")
    one.sees("looks in the references for")
    one.sees("May it write a file?")
    one.page.locator("[class*=st-key-approval-]").get_by_text("six months.").first.wait_for()
    SCREENS.mkdir(parents=True, exist_ok=True)
    one.page.screenshot(path=SCREENS / "work-1280-light.png")
    one.page.get_by_label("Reason").fill("agreed")
    one.page.get_by_label("Reason").press("Tab")
    one.page.get_by_role("button", name="Allow", exact=True).click()
    one.page.get_by_text("2025", exact=True).click()
    one.page.get_by_role("button", name="Answer it").click()
    one.page.wait_for_selector(".st-key-answer")
    one.sees("1 quote, all found word for word")
    one.settle()
    one.page.get_by_role("button", name="lease.pdf, p. 2").first.click()
    dialog = one.page.get_by_role("dialog")
    dialog.locator("mark").wait_for()
    assert dialog.locator("mark").inner_text() == "Notice is six months"
    dialog.locator("img").wait_for()
    one.still()
    one.page.screenshot(path=SCREENS / "source-1280-light.png")
    assert serious(one) == []
    with one.page.expect_download() as fetched:
        dialog.get_by_role("button", name="Fetch lease.pdf").click()
    assert Path(fetched.value.path()).read_bytes().startswith(b"%PDF")
    one.page.keyboard.press("Escape")
    with one.page.expect_download() as fetched:
        one.page.get_by_role("button", name="letter.md").click()
    assert Path(fetched.value.path()).read_text("utf-8") == "Dear Sir,\nsix months.\n"
    assert "note.txt" in one.text()
    one.page.screenshot(path=SCREENS / "worked-1280-light.png")


def test_stopping_in_the_middle_of_a_stream_keeps_what_is_there(
    visit: Callable[..., Visit], served: Server
) -> None:
    served.script.append(Turn(text="word " * 400, pace=2))  # in 12 pieces: it takes 24 s
    one = visit().go(domain="office")
    begin(one, "Say much.")
    one.page.get_by_text("word word").first.wait_for()
    one.press("stop")
    one.sees("Stopped. What was there is kept.")
    assert "word word" in one.key("answer").inner_text()
    served.script.append(Turn(text="And on it goes."))
    begin(one, "Go on")
    one.sees("And on it goes.")
