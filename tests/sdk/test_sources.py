"""Where an answer is from: quotes with their passages, pages and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import Harness, HarnessError
from harness.errors import UsageError
from harness.testing import ScriptedModel, ToolCall, Turn

EXAMPLES = "- id: e1\n  input: My card is lost\n  output: Block it.\n"
TERMS = "# Fees\n\nA new card costs 5 euros.\n\n# Loss\n\nA lost card is blocked\nat once.\n"


@pytest.fixture
def office(write_domain: Callable[..., Path]) -> Path:
    folder = write_domain("office", **{"examples/a.yaml": EXAMPLES, "references/terms.md": TERMS})
    lease(folder / "references" / "lease.pdf")
    return folder


def lease(path: Path) -> Path:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_font("helvetica", size=14)
    for text in ("This lease is between A and B.", "Notice is six months, in writing."):
        pdf.add_page()
        pdf.multi_cell(0, text=text)
    pdf.output(str(path))
    return path


def test_a_quote_comes_with_its_passage_its_page_and_its_file(office: Path) -> None:
    with Harness(office) as h:
        sources = h.sources()
        in_pdf, in_text = sources.cited(
            'Six. [lease.pdf: "six months, in writing"]'
            ' [terms.md: "A lost card is blocked at once"]'
        )
        assert (in_pdf.verified, in_pdf.where, in_pdf.page) == (True, "p. 2", 2)
        assert in_pdf.mark is not None
        assert in_pdf.text[slice(*in_pdf.mark)] == "six months, in writing"
        assert sources.page(in_pdf).startswith(b"\x89PNG")
        assert sources.file("lease.pdf").startswith(b"%PDF")
        assert (in_text.verified, in_text.where, in_text.page) == (True, "Loss", None)
        assert in_text.mark is not None
        assert "blocked at once" in " ".join(in_text.text[slice(*in_text.mark)].split())


def test_what_is_not_there_is_said_to_be_not_there(office: Path) -> None:
    with Harness(office) as h:
        sources = h.sources()
        wrong, unknown = sources.cited('[lease.pdf: "two months"] [nowhere.pdf: "two months"]')
        assert (wrong.document, wrong.verified, wrong.text) == ("lease.pdf", False, "")
        assert (unknown.document, unknown.verified) == ("nowhere.pdf", None)
        with pytest.raises(UsageError, match="There is no document"):
            sources.file("nowhere.pdf")
        with pytest.raises(HarnessError, match="no pages"):
            sources.page(unknown)
        (office / "references" / "lease.pdf").unlink()
        with pytest.raises(UsageError, match="can't be read"):
            sources.file("lease.pdf")


def test_a_file_that_was_attached_can_be_quoted_by_its_run_too(
    office: Path, tmp_path: Path
) -> None:
    given = lease(tmp_path / "given.pdf")
    with Harness(office) as h:
        of_question = h.sources(files=given)
        assert of_question.quoted("given.pdf", "Notice is six months").page == 2
        assert of_question.file("given.pdf") == given.read_bytes()
    answer = 'Six. [given.pdf: "six months"]'
    model = ScriptedModel(
        [Turn(tool_calls=(ToolCall(name="finish", arguments={"answer": answer}),))]
    )
    with Harness(office, model=model) as h:
        result = h.run("How long is the notice?", files=[given]).result
        given.unlink()
        (found,) = h.sources(result.run).cited(result.text)
        assert (found.verified, found.page) == (True, 2)


def test_the_passages_that_were_shown_come_nearest_first(office: Path) -> None:
    with Harness(office) as h:
        packed = h.preview("Is a lost card blocked?")
        shown = h.sources().shown(packed.shown("passage"))
        assert {one.document for one in shown} == {"terms.md", "lease.pdf"}
        assert all(one.text and not one.quote for one in shown)
