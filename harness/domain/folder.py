"""A domain folder, read: everything in it that can be used, and everything that is wrong.

One file's journey: `files` opens it, `markup`, `tables`, `excel` or `pages` make entries of it,
`items` makes values of them. Nothing is skipped in silence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from harness.domain.core_lock import Sketch
from harness.domain.entries import Entry
from harness.domain.files import editor_file
from harness.domain.formats import AnswerSettings, DomainSettings
from harness.domain.itemfiles import read_all_cases, read_all_examples
from harness.domain.manifest import Manifest, read_manifest
from harness.domain.problems import did_you_mean, one_line
from harness.domain.version import FILES, FOLDERS, folder_version
from harness.errors import DomainNotFound
from harness.values import EvalCase, Example, Passage, Place, Problem, Rubric, Rule

if TYPE_CHECKING:
    from harness.domain.seal import Prints

__all__ = ["Domain", "read_domain"]

MAX_ID = 200
"""Characters of an id; it names files."""

_UNFIT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TOP_FILES = (*FILES, "labels.csv")
_TOP_FOLDERS = (*FOLDERS, "tools")


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A domain as its experts wrote it.

    Attributes:
        name: From SKILL.md, else the folder's.
        path: The folder.
        title: For people; the name where `domain.yaml` gives none.
        description: SKILL.md's, in a sentence.
        instructions: SKILL.md below its front matter.
        examples: All of them, drafts and retired ones too: only approved ones are packed.
        cases: Those of the dev and holdout splits; sealed ones are not opened.
        passages: References, cut.
        core_lock: Ids that core.lock names; None where there is no such file.
        labels: `answer.labels`; in a label domain without, the distinct outputs of approved
            examples in the order in which they come.
        problems: What the reader saw; `lint` adds what only shows in comparison.
        version: Hash over names and bytes of all that matters, the same on every machine.
        written: domain.yaml as written, for the places of its keys.
        lock_lines: Line of each id in core.lock.
        lock_sketch: Of the bank that core.lock was chosen from, where it says.
        prints: Fingerprints of sealed cases, where there are any.
        broken: Examples and cases that can't be used, as far as they can be read: for `lint`.
    """

    name: str
    path: Path
    title: str = ""
    description: str = ""
    instructions: str = ""
    settings: DomainSettings = field(default_factory=DomainSettings)
    rules: tuple[Rule, ...] = ()
    examples: tuple[Example, ...] = ()
    cases: tuple[EvalCase, ...] = ()
    rubrics: tuple[Rubric, ...] = ()
    passages: tuple[Passage, ...] = ()
    core_lock: tuple[str, ...] | None = None
    labels: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    version: str = ""
    written: Entry | None = field(default=None, repr=False, compare=False)
    lock_lines: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    lock_sketch: Sketch | None = field(default=None, repr=False, compare=False)
    prints: Prints | None = field(default=None, repr=False, compare=False)
    broken: tuple[Example | EvalCase, ...] = field(default=(), repr=False, compare=False)

    @property
    def all_cases(self) -> tuple[EvalCase, ...]:
        """The open cases, and those that can't be used as far as they can be read."""
        return (*self.cases, *(one for one in self.broken if isinstance(one, EvalCase)))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems with which the domain can't be used."""
        return tuple(one for one in self.problems if one.severity == "error")


def read_domain(path: str | os.PathLike[str], *, cache: Path | None = None) -> Domain:
    """Read a domain folder: all of it that is sound, and all that is not as `problems`.

    Args:
        path: The folder.
        cache: Where parsed reference documents are kept between reads.

    Raises:
        DomainNotFound: There is no domain folder at that path, or it can't be opened.
    """
    from harness.domain.references import read_references
    from harness.domain.seal import read_prints

    root = _found(Path(path))
    manifest = read_manifest(root)
    entries = _entries(root, manifest.settings.answer, cache)
    named = [one for one in entries.broken if one.id]
    passages, wrong_references = read_references(root, cache=cache)
    prints, wrong_seal = read_prints(root)
    problems = [
        *manifest.problems,
        *wrong_seal,
        *entries.problems,
        *wrong_references,
        *_misnamed(root),
        *_skill(root),
        *_ids([*entries.examples, *entries.cases, *manifest.rules, *named]),
    ]
    name = manifest.head.name or root.name or "domain"
    lock = manifest.lock
    return Domain(
        name=name,
        path=root,
        title=manifest.settings.title or name,
        description=manifest.head.description.strip(),
        instructions=manifest.instructions,
        settings=manifest.settings,
        rules=tuple(manifest.rules),
        examples=entries.examples,
        cases=entries.cases,
        rubrics=tuple(manifest.rubrics),
        passages=tuple(passages),
        core_lock=None if lock is None else tuple(lock.lines),
        labels=_labels(manifest, entries.examples),
        problems=tuple(map(one_line, problems)),
        version=folder_version(root),
        written=manifest.written,
        lock_lines=lock.lines if lock else {},
        lock_sketch=lock.sketch if lock else None,
        prints=prints,
        broken=entries.broken,
    )


@dataclass(frozen=True, kw_only=True)
class _Entries:
    """The examples and cases of a folder, each with the text of its files."""

    examples: tuple[Example, ...]
    cases: tuple[EvalCase, ...]
    broken: tuple[Example | EvalCase, ...]
    problems: tuple[Problem, ...]


def _entries(root: Path, answer: AnswerSettings, cache: Path | None) -> _Entries:
    from harness.domain.attached import attach

    broken_examples: list[Example] = []
    broken_cases: list[EvalCase] = []
    examples, wrong_examples = read_all_examples(root, answer, broken_examples)
    cases, wrong_cases = read_all_cases(root, answer, broken_cases)
    examples, wrong_files = attach(examples, root, cache)
    cases, wrong_case_files = attach(cases, root, cache)
    broken_examples, more_files = attach(broken_examples, root, cache)
    broken_cases, more_case_files = attach(broken_cases, root, cache)
    wrong = (wrong_examples, wrong_cases, wrong_files, wrong_case_files)
    return _Entries(
        examples=tuple(examples),
        cases=tuple(cases),
        broken=(*broken_examples, *broken_cases),
        problems=tuple(chain(*wrong, more_files, more_case_files)),
    )


def _folders_beside(path: Path) -> list[str]:
    with suppress(OSError):
        return [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
    return []


def _found(path: Path) -> Path:
    mend = "`harness init NAME` makes a new domain."
    try:
        root = path.expanduser().resolve(strict=True)
        if not root.is_dir():
            says = f"`{path}` is a file; a domain is a folder."
            raise DomainNotFound(says, f"Name the folder that it stands in, or {mend}")
        names = {entry.name for entry in root.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        near = did_you_mean(path.name, _folders_beside(path)).strip()
        check = near or "Check the path."
        raise DomainNotFound(f"There is no folder `{path}`.", f"{check} {mend}") from None
    except PermissionError:
        says = f"There is no permission to open the folder `{path}`."
        raise DomainNotFound(says, "Ask its owner for the right to read it.") from None
    except (OSError, RuntimeError, ValueError) as error:
        says = f"The folder `{str(path)[:200]!r}` can't be opened ({error})."
        raise DomainNotFound(says, f"Check the path; {mend}") from error
    if "SKILL.md" not in names and "examples" not in names:
        says = f"`{path}` is no domain folder: it has neither SKILL.md nor examples/."
        if alike := [name for name in sorted(names) if name.casefold() == "skill.md"]:
            raise DomainNotFound(says, f"Did you mean `{alike[0]}`? Rename it to SKILL.md.")
        raise DomainNotFound(
            says, f"Write a SKILL.md or put worked examples into examples/; {mend}"
        )
    return root


def _labels(manifest: Manifest, examples: Sequence[Example]) -> tuple[str, ...]:
    answer = manifest.settings.answer
    if answer.labels or answer.kind != "label":
        return answer.labels
    outputs = (one.output for one in examples if one.status == "approved")
    return tuple(label for label in dict.fromkeys(outputs) if label != answer.abstain)


def _misnamed(root: Path) -> Iterable[Problem]:
    """Yield a warning for each file or folder that is called almost like one that is read."""
    for entry in sorted(root.iterdir()):
        known = _TOP_FOLDERS if entry.is_dir() else _TOP_FILES
        if entry.name in known or editor_file(entry.name) or _is_skill(entry, root):
            continue
        from rapidfuzz import fuzz, process

        name, lowered = entry.name.lower(), [one.lower() for one in known]
        near = process.extractOne(name, lowered, scorer=fuzz.ratio, score_cutoff=80)
        if near:
            mean = known[near[2]]
            says = f"`{entry.name}` is not read. Is it meant to be `{mean}`? Then rename it."
            place = Place(file=entry.name)
            yield Problem(place=place, code="misnamed", message=says, severity="warning")


def _is_skill(path: Path, root: Path) -> bool:
    """Say whether a file is SKILL.md under a name that differs in its case: `skill.md`."""
    same = path.name.casefold() == "skill.md" and path.is_file()
    return same and not os.path.lexists(root / "SKILL.md")


def _skill(root: Path) -> Iterable[Problem]:
    """Yield what is to be said where there is no SKILL.md."""
    if os.path.lexists(root / "SKILL.md"):
        return
    place = Place(file="SKILL.md")
    if near := [path.name for path in sorted(root.iterdir()) if _is_skill(path, root)]:
        says = f"There is no SKILL.md. Did you mean `{near[0]}`? It is not read. Rename it."
        yield Problem(place=place, code="no-skill", message=says)
        return
    says = (
        "There is no SKILL.md, so the model is told nothing of the work. Write one: what a senior"
        " expert tells a new colleague, below `name` and `description`."
    )
    yield Problem(place=place, code="no-skill", message=says, severity="warning")


def _ids(items: Iterable[Example | EvalCase | Rule]) -> list[Problem]:
    """Return what is wrong with ids: they name files, and each stands for one item."""
    problems: list[Problem] = []
    seen: dict[str, Place] = {}
    for item in items:
        name = item.id
        if name in seen:
            says = f"The id `{name[:80]}` is also at {seen[name]}. Give one of them another id."
            problems.append(Problem(place=item.place, code="duplicate-id", message=says))
            continue
        seen[name] = item.place
        if wrong := _unfit(name):
            says = f"The id {name[:80]!r} {wrong}. Ids name files, so give it a plainer one."
            problems.append(Problem(place=item.place, code="bad-id", message=says))
    return problems


def _unfit(name: str) -> str:
    if not name.strip():
        return "is empty"
    if len(name) > MAX_ID:
        return f"has {len(name)} characters; the limit is {MAX_ID}"
    if _UNFIT.search(name):
        return "has a slash, a backslash, a line break or a control character"
    if name != name.strip() or name in (".", ".."):
        return "is only dots, or begins or ends with a space"
    if name.startswith("# "):
        return "begins like a comment"
    return ""
