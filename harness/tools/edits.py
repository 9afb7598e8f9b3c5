"""The files kit, writing: whole files and edits, only of what the model has read as it is now."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import FileMissing, HarnessError, WorkspaceError
from harness.tools.texts import PARSED, PlainText, Texts, digest_of, ending_of

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["writing_tools"]

MOST_DIFF = 200_000
"""Characters of a file above which a preview gives no line-by-line difference."""


def writing_tools(texts: Texts) -> list[BaseTool]:
    """Return `write_file` and `edit_file` over a workspace."""
    from langchain_core.tools import StructuredTool

    def write_file(path: str, text: str) -> str:
        """Write a whole text file; it is made if it is not there.

        A file that is there already has to be read first with `read_file`. To change a part of
        a file, use `edit_file`.

        Args:
            path: Where, below the workspace: `report.md`, `drafts/letter.md`.
            text: All of the file's text.
        """
        before, after = _written(texts, path, text)
        return _put(texts, path, before, after)

    def edit_file(path: str, old: str, new: str, count: int = 1) -> str:
        """Replace a stretch of a text file by another one. Read the file first.

        Args:
            path: The file, as `list_files` names it.
            old: The stretch as it stands in the file, word for word, line breaks too. Take
                enough of what is around it that it stands there only once.
            new: What shall stand there instead.
            count: How often `old` stands in the file; each of them is replaced.
        """
        before, after = _edited(texts, path, old, new, count)
        return _put(texts, path, before, after)

    return [
        StructuredTool.from_function(
            function,
            parse_docstring=True,
            metadata={
                "effect": "draft",
                "idempotent": function is write_file,  # to write the same once more changes nothing
                "timeout": 60,
                "preview": _preview(texts, plan),
            },
        )
        for function, plan in ((write_file, _written), (edit_file, _edited))
    ]


def _written(texts: Texts, path: str, text: str) -> tuple[bytes | None, bytes]:
    """Return a file's content before and after it is written.

    Raises:
        WorkspaceError: It may not be written.
    """
    if ending_of(path) in PARSED and ending_of(path) not in (".html", ".htm"):
        raise WorkspaceError(
            f"`{path}` would be a {ending_of(path)} document, which is no text.",
            "Write a .md or .txt file.",
        )
    before = _current(texts, path)
    if before is None:
        return None, PlainText().content(text)
    after = _form(path, before).content(text)
    if after != before:  # a write that is done once more after a crash has nothing left to do
        _check_read(texts, path, before)
    return before, after


def _form(path: str, content: bytes) -> PlainText:
    try:
        return PlainText.of(path, content)
    except WorkspaceError:
        return PlainText()  # was no text, and becomes one


def _edited(
    texts: Texts, path: str, old: str, new: str, count: int = 1
) -> tuple[bytes | None, bytes]:
    """Return a file's content before and after an edit.

    Raises:
        WorkspaceError: The stretch is not there so many times, or the file was not read.
    """
    if ending_of(path) in PARSED and ending_of(path) not in (".html", ".htm"):
        raise WorkspaceError(f"`{path}` is no text file, so it can't be edited as text.")
    before = texts.workspace.read(path)
    _check_read(texts, path, before)
    file = PlainText.of(path, before)
    if not old:
        raise WorkspaceError("`old` is empty.", "Give the stretch that is to be replaced.")
    if old == new:
        raise WorkspaceError("`old` and `new` are the same, so nothing would change.")
    times = file.text.count(old)
    if times == 0:
        raise WorkspaceError(
            f"`{path}` does not contain this stretch.{_nearest(file.text, old)}",
            "Copy it from `read_file`, word for word.",
        )
    if times != count:
        raise WorkspaceError(
            f"This stretch stands in `{path}` {times} times, not {count}.",
            "Give more of what is around it, or say `count`.",
        )
    return before, file.content(file.text.replace(old, new))


def _nearest(text: str, old: str) -> str:
    """Return a hint: the line that looks most like the first one that was looked for."""
    first = next((line for line in old.split("\n") if line.strip()), "")
    if not first or len(text) > MOST_DIFF:
        return ""
    near = difflib.get_close_matches(first, text.split("\n")[:2_000], n=1, cutoff=0.7)
    return f" The nearest line is: {near[0][:200]!r}." if near else ""


def _current(texts: Texts, path: str) -> bytes | None:
    """Return the content of a file; None where there is none yet."""
    try:
        return texts.workspace.read(path)
    except FileMissing:
        return None


def _check_read(texts: Texts, path: str, content: bytes) -> None:
    seen = texts.workspace.seen(path)
    if seen == digest_of(content):
        return
    why = "has changed since you read it" if seen else "is there already and you have not read it"
    raise WorkspaceError(
        f"`{path}` {why}, so it was left as it is.", "Read it with `read_file`, then try again."
    )


def _put(texts: Texts, path: str, before: bytes | None, after: bytes) -> str:
    if after != before:
        texts.workspace.write(path, after)
    texts.workspace.see(path, digest_of(after))
    if before is None:
        return f"{path} is written: {len(after):,} bytes, a new file."
    if after == before:
        return f"{path} already says that."
    return f"{path} is changed: {len(before):,} bytes before, {len(after):,} now."


def _preview(
    texts: Texts, plan: Callable[..., tuple[bytes | None, bytes]]
) -> Callable[[Mapping[str, Any]], str]:
    """Return what shows the change that a call would make, as a unified diff."""

    def preview(arguments: Mapping[str, Any]) -> str:
        try:
            before, after = plan(texts, **arguments)
        except HarnessError as error:
            return f"This call would be refused: {error}"
        except TypeError:
            return "This call would be refused: its arguments are incomplete."
        return _difference(str(arguments.get("path")), before, after)

    return preview


def _difference(path: str, before: bytes | None, after: bytes) -> str:
    if before == after:
        return f"{path} stays as it is."
    if len(before or b"") + len(after) > MOST_DIFF:
        return f"{path}: {len(before or b''):,} bytes become {len(after):,}. All of it:\n" + (
            after.decode("utf-8", "replace")
        )
    old, new = (
        (content or b"").decode("utf-8", "replace").splitlines(keepends=True)
        for content in (before, after)
    )
    lines = difflib.unified_diff(
        old, new, fromfile=path if before is not None else "/dev/null", tofile=path
    )
    every = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    return every.removesuffix("\n")
