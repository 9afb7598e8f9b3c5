"""The way from a question to an accepted correction by keys alone, with the focus in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.ui.conftest import Server, Visit

QUESTION = "My parrot swallowed the strip of my card, what now?"
IN = "name => !!document.activeElement.closest(name)"
SEEN = """async () => {
  const look = element => {
    const found = [];
    for (let one = element, deep = 0; one && deep < 6; one = one.parentElement, deep++) {
      const style = getComputedStyle(one);
      found.push([style.outlineStyle + style.outlineColor, style.boxShadow, style.borderColor,
                  style.backgroundColor].join());
    }
    return found.join();
  };
  const one = document.activeElement;
  for (let up = one, deep = 0; up && deep < 6; up = up.parentElement, deep++)
    up.style.transition = "none";
  const drawn = () => new Promise(done => setTimeout(done, 80));
  await drawn();
  const focused = look(one);
  one.blur();
  await drawn();
  const without = look(one);
  one.focus();
  return focused !== without;
}"""


def tab_to(one: Visit, name: str, most: int = 80) -> None:
    """Press Tab until the focus is in what has this selector, and see that it shows."""
    for _ in range(most):
        if one.page.evaluate(IN, name):
            assert one.page.evaluate(SEEN), f"the focus on {name} can't be seen"
            return
        one.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name}")


def test_from_a_question_to_an_accepted_correction_by_keys_alone(
    visit: Callable[..., Visit], served: Server
) -> None:
    one = visit().go()
    keys: Any = one.page.keyboard
    tab_to(one, "[data-testid=stChatInput] textarea")
    keys.type(QUESTION)
    keys.press("Enter")
    one.page.wait_for_selector(".st-key-correct button")
    one.settle()
    tab_to(one, ".st-key-correct")
    keys.press("Enter")
    one.sees("Why is that right?")
    one.settle()
    tab_to(one, "[class*=st-key-answer-] input")
    keys.press("Control+A")
    keys.type("card_not_working")
    keys.press("Enter")
    one.settle()
    tab_to(one, "[class*=st-key-why-] textarea")
    keys.type("A damaged card does not work")
    tab_to(one, ".st-key-save")
    keys.press("Enter")
    one.sees("Saved as a draft")
    one.settle()
    tab_to(one, ".st-key-to-review")
    keys.press("Enter")
    one.sees("The domain's instructions")
    one.settle()
    assert QUESTION in one.text()
    tab_to(one, ".st-key-accept")  # reached by Tab, and by its shortcut from anywhere
    keys.press("Alt+a")
    one.sees("is accepted")
    written = (served.domain / "examples" / "corrections.yaml").read_text("utf-8")
    assert written.count("A damaged card does not work") == 1
    assert "status: draft" not in written.split(QUESTION)[1]
