"""The files of a run: the last word on each counts."""

from __future__ import annotations

from harness.journal.artifacts import artifacts_of, media_type_of
from harness.journal.event import Event
from harness.journal.events_tool import FileChanged, ToolStarted
from harness.journal.parts import Blob

OLD, NEW, NEWER = (Blob(hash=letter * 64, bytes=number) for number, letter in enumerate("abc", 1))


def started(call: str, step: int, tool: str = "write_file") -> Event:
    return ToolStarted(step=step, call=call, tool=tool)


def changed(path: str, before: Blob | None, after: Blob | None, call: str = "") -> Event:
    return FileChanged(path=path, before=before, after=after, turn=1, call=call)


def test_each_file_as_it_stands_in_the_end_with_the_step_that_wrote_it() -> None:
    first, second = artifacts_of(
        [
            started("c1", 3),
            changed("report.docx", None, OLD, "c1"),
            changed("data.csv", OLD, NEW, "c1"),
            started("c2", 5, "revise_document"),
            changed("report.docx", OLD, NEW, "c2"),
        ]
    )
    assert (second.path, second.step, second.tool, second.new) == (
        "report.docx",
        5,
        "revise_document",
        True,
    )
    assert second.blob is NEW
    assert second.media_type.endswith("wordprocessingml.document")
    assert (first.path, first.media_type, first.new) == ("data.csv", "text/csv", False)


def test_what_was_taken_away_or_undone_is_no_artifact() -> None:
    gone = [changed("a", None, OLD), changed("a", OLD, None)]
    undone = [changed("b", OLD, NEW), changed("b", NEW, NEWER), changed("b", NEWER, OLD)]
    assert artifacts_of([*gone, *undone]) == ()


def test_media_types() -> None:
    assert media_type_of("a/B.PDF") == "application/pdf"
    assert media_type_of("chart.png") == "image/png"
    assert media_type_of("noending") == "application/octet-stream"
