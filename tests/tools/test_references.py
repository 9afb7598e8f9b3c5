"""The references kit, and quotes looked up in what it showed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.tools import Library, QuoteFinder, make_kit
from harness.values import Example, Passage, Place

PLACE = Place(file="x")


def passage(document: str, where: str, text: str) -> Passage:
    return Passage(id=f"{document}#{where}", document=document, text=text, where=where, place=PLACE)


PASSAGES = [
    passage(
        "policies/refunds.md", "Deadlines", "A refund is paid within “14 days” \u2013 no later."
    ),
    passage(
        "policies/refunds.md", "Limits", "Above 500 EUR a manager decides. The mana-\nger signs."
    ),
    passage("terms.pdf", "p. 3", "The oﬃce keeps the\nfile for ten years and then"),
    passage("terms.pdf", "p. 4", "destroys it. A long-term lease stays."),
]
EXAMPLES = [
    Example(id="e1", input="card lost", output="block", why="safety", steps=("look",), place=PLACE)
]


@pytest.fixture
def tools() -> dict:  # type: ignore[type-arg]
    library = Library(
        passages=lambda: PASSAGES,
        search_passages=lambda query: [one for one in PASSAGES if query in one.text],
        search_examples=lambda query: EXAMPLES if "card" in query else [],
    )
    return {one.name: one for one in make_kit(["references"], library=library)}


def call(tool, **arguments):  # type: ignore[no-untyped-def]
    message = tool.invoke({"name": tool.name, "args": arguments, "id": "1", "type": "tool_call"})
    return message.content, message.artifact


class TestTools:
    def test_a_search_says_where_it_is_from_and_how_to_cite(self, tools) -> None:  # type: ignore[no-untyped-def]
        text, ids = call(tools["search_references"], query="refund")
        assert text.startswith("[policies/refunds.md, Deadlines]\nA refund is paid")
        assert '[policies/refunds.md: "the words"]' in text
        assert ids == ["policies/refunds.md#Deadlines"]
        assert call(tools["search_references"], query="zebra") == ("No passage is near this.", [])

    def test_examples_come_whole(self, tools) -> None:  # type: ignore[no-untyped-def]
        text, ids = call(tools["search_examples"], query="my card")
        assert ids == ["e1"]
        assert "Output: block" in text
        assert "- look" in text
        assert call(tools["search_examples"], query="x")[1] == []

    def test_a_document_is_read_whole_or_at_a_place(self, tools) -> None:  # type: ignore[no-untyped-def]
        assert call(tools["read_reference"], document="refunds.md")[1] == [
            "policies/refunds.md#Deadlines",
            "policies/refunds.md#Limits",
        ]
        assert call(tools["read_reference"], document="TERMS.pdf", where="P. 4")[1] == [
            "terms.pdf#p. 4"
        ]
        with pytest.raises(HarnessError, match=r"It has: p\. 3; p\. 4"):
            tools["read_reference"].invoke({"document": "terms.pdf", "where": "p. 9"})
        with pytest.raises(HarnessError, match="There are: policies"):
            tools["read_reference"].invoke({"document": "laws.md"})
        with pytest.raises(HarnessError, match="empty"):
            tools["search_references"].invoke({"query": " "})

    def test_a_long_document_comes_in_parts(self) -> None:
        long = [passage("l.md", f"§ {number}", "x " * 5_000) for number in range(9)]
        library = Library(
            passages=lambda: long, search_passages=lambda _: long, search_examples=lambda _: []
        )
        tool = make_kit(["references"], library=library)[1]
        text, ids = call(tool, document="l.md")
        assert len(text) < 26_000
        assert len(ids) == 2
        assert "7 more passages; read them with where=: § 2; § 3" in text


class TestQuotes:
    find = QuoteFinder(PASSAGES)

    @pytest.mark.parametrize(
        ("source", "quote", "document", "where"),
        [
            (
                "policies/refunds.md",
                'paid within "14 days" - no later',
                "policies/refunds.md",
                "Deadlines",
            ),
            ("refunds.md, Deadlines", "within ”14 days”", "policies/refunds.md", "Deadlines"),
            ("Refunds", "The manager signs.", "policies/refunds.md", "Limits"),
            ("terms.pdf p. 3", "The office keeps  the file", "terms.pdf", "p. 3"),
            ("terms", "ten years and then destroys it.", "terms.pdf", "p. 3"),
            ("terms.pdf#4", "long\u2010term lease", "terms.pdf", "p. 4"),
        ],
    )
    def test_what_stands_there_is_found(
        self, source: str, quote: str, document: str, where: str
    ) -> None:
        found = self.find(source, quote)
        assert found
        assert (found.document, found.where, found.verified) == (document, where, True)
        assert found.quote == quote

    @pytest.mark.parametrize(
        ("source", "quote"),
        [
            ("terms.pdf", "The office keeps the file for two years"),
            ("terms.pdf", "A refund is paid"),
            ("terms.pdf", "the OFFICE keeps"),
            ("terms.pdf", ""),
            ("terms.pdf", "…"),
            ("refunds.md", "A refund is paid no later"),
        ],
    )
    def test_what_does_not_stand_there_is_not_verified(self, source: str, quote: str) -> None:
        found = self.find(source, quote)
        assert found is not None
        assert not found.verified

    def test_an_unknown_document_is_none(self) -> None:
        assert self.find("laws.md", "A refund") is None
        assert self.find("term", "A refund") is None

    def test_its_places_are_those_that_read_document_gives(self) -> None:
        import io

        from docx import Document

        from harness.documents.reading import open_document

        written = Document()
        written.add_heading("Term", 1)
        written.add_paragraph("The lease ends in June.", style="List Number")
        written.add_paragraph("Notice is given in writing.", style="List Number")
        out = io.BytesIO()
        written.save(out)
        document = open_document("lease.docx", out.getvalue())
        part = document.part(len(document) - 1)
        assert "2. Notice is given in writing." in part.text
        cited = QuoteFinder((), {"lease.docx": out.getvalue})("lease.docx", "2. Notice is given")
        assert cited is not None
        assert (cited.verified, cited.where) == (True, part.where)

    def test_attached_files_can_be_quoted(self) -> None:
        find = QuoteFinder(
            (), {"lease.md": lambda: b"# Rent\n\nRent is 900 EUR.\n", "x.pdf": lambda: b"%PDF"}
        )
        found = find("lease.md", "Rent is 900 EUR")
        assert found
        assert (found.verified, found.where) == (True, "Rent")
        broken = find("x.pdf", "anything")
        assert broken
        assert not broken.verified

    @given(st.text(min_size=1, max_size=80), st.data())
    def test_any_stretch_of_words_is_found(self, text: str, data: st.DataObject) -> None:
        words = text.split()
        find = QuoteFinder([passage("d.md", "", text)])
        if not words:
            return
        start = data.draw(st.integers(0, len(words) - 1))
        end = data.draw(st.integers(start + 1, len(words)))
        found = find("d.md", "  ".join(words[start:end]))
        assert found
        import re

        from harness.tools.quotes import normal

        assert found.verified == bool(re.search(r"\w", normal(" ".join(words[start:end]))))
