"""What all visits share: the open domains and the work in hand. One for each process.

A page's script comes and goes with every click; what it began goes on here, and a reload, a
closed tab or a second tab finds it again.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import Harness, HarnessError
from harness.errors import UsageError
from harness.sdk import bundled_domains, find_domain
from harness.settings import Settings, find_home
from harness_ui.jobs import Jobs
from harness_ui.opening import wanted

if TYPE_CHECKING:
    from harness.seams import Model

__all__ = ["Desk", "desk", "install"]


class Reading:
    """How far a domain's texts are embedded, as who embeds them tells it."""

    def __init__(self) -> None:
        self._done = self._of = 0

    def __call__(self, done: int, of: int) -> None:
        """Take in how far it is."""
        self._done, self._of = done, of

    def __str__(self) -> str:
        """What is done, in words; nothing where nothing is left to do."""
        if self._done >= self._of:
            return ""
        return (
            f"Reading the domain's examples and documents, {self._done:,} of {self._of:,}. "
            "What was read once is kept …"
        )


class Desk:
    """The open domains, and the work in hand.

    Args:
        domains: Folders or names of shipped domains; where there are none, those found here.
        home: The state folder.
        model: `provider:model` for all of them, or a model of one's own.
        model_options: For the model's client.
    """

    def __init__(
        self,
        *,
        domains: Sequence[str | Path] = (),
        home: Path | None = None,
        model: str | Model | None = None,
        model_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._given = [find_domain(one) for one in domains]
        self.here = Path.cwd()
        self._own = None if model is None or isinstance(model, str) else model
        named = model if isinstance(model, str) else None
        self._flags = {"home": str(home) if home else None, "model": named}
        self._options = dict(model_options or {})
        self._lock = threading.Lock()
        self._open: dict[tuple[Path, str], Harness] = {}
        self._warm: set[Harness] = set()
        self._reading: dict[Harness, Reading] = {}
        self._errors: dict[Harness, tuple[object, int]] = {}
        self.jobs = Jobs()

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return Settings(self._flags)

    @property
    def home(self) -> Path:
        """The state folder of everything that is not a domain's."""
        return find_home(self.settings)

    def domains(self) -> dict[str, Path]:
        """Return the folders by name: those given, else those found here and the shipped ones."""
        if self._given:
            found = self._given + self._made()
        else:
            found = [*_domain_folders(self.here), *_domain_folders(self.here / "domains")]
            found += bundled_domains().values()
        named: dict[str, Path] = {}
        for path in found:
            whole = path.expanduser().resolve()
            if whole not in named.values():
                name = whole.name
                named[name if name not in named else str(whole)] = whole
        return named

    def _made(self) -> list[Path]:
        """Return the domains that were made while the app ran."""
        return [path for path in _domain_folders(self.here) if path not in self._given]

    def harness(self, name: str, model: str = "") -> Harness:
        """Return the open domain.

        Args:
            name: As `domains` has it.
            model: Instead of the one that answers otherwise.

        Raises:
            UsageError: There is none of that name.
        """
        known = self.domains()
        if name not in known:
            raise UsageError(f"There is no domain {name}.", f"Known are {', '.join(known)}.")
        key = (known[name], model)
        with self._lock:
            if key not in self._open:
                flags = self._flags | ({"model": model} if model else {})
                reading = Reading()
                opened = Harness(
                    known[name],
                    model=None if model else self._own,
                    settings=Settings(flags),
                    model_options=self._options,
                    progress=reading,
                )
                self._open[key], self._reading[opened] = opened, reading
            return self._open[key]

    def reading(self, name: str, model: str = "") -> str:
        """Say how far a domain is read that is opened for the first time, or was changed."""
        return str(self._reading.get(self.harness(name, model), ""))

    def warm(self, harness: Harness) -> None:
        """Get a domain ready beside other work, so that the first question need not wait for it."""
        with self._lock:
            if harness in self._warm:
                return
            self._warm.add(harness)
        threading.Thread(target=_get_ready, args=(harness,), name="indexing", daemon=True).start()

    def errors(self, harness: Harness) -> int:
        """Return how many errors a domain has; looked at anew only when its folder has changed."""
        domain = harness.examples.domain
        known = self._errors.get(harness)
        if known is None or known[0] is not domain:
            known = (domain, sum(one.severity == "error" for one in harness.lint()))
            self._errors[harness] = known
        return known[1]

    def keep_upload(self, name: str, data: bytes) -> Path:
        """Write a file that somebody gave with a question; return where it is."""
        folder = self.home / "uploads" / secrets.token_hex(6)
        folder.mkdir(parents=True)
        plain = "".join(sign if sign.isalnum() or sign in " ._-()" else "_" for sign in name)
        path = folder / (plain.strip(". ")[-120:] or "file")
        path.write_bytes(data)
        return path

    def close(self) -> None:
        """Let go of everything."""
        self.jobs.close()
        with self._lock:
            for harness in self._open.values():
                harness.close()
            self._open.clear()
            self._reading.clear()


def _get_ready(harness: Harness) -> None:
    """Do once what the first question would else do: seconds of reading, loading, choosing."""
    for step in (_index, _load_model, _pack_once):
        with contextlib.suppress(HarnessError):  # whoever asks is told what is wrong
            step(harness)


def _index(harness: Harness) -> None:
    harness.index()


def _load_model(harness: Harness) -> None:
    from harness.sdk import asking  # noqa: F401 -- what a question goes through, with its libraries

    _ = harness.models.main(harness.examples.domain.settings).context_window


def _pack_once(harness: Harness) -> None:
    """Load the embedder and choose the core; a provider's embedder is asked nothing for it."""
    here = ":" not in harness.examples.domain.settings.embedding
    harness.preview("What is this about?", policy=None if here else "none")


def _domain_folders(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if (path / "SKILL.md").is_file())
    except OSError:
        return []
    return [folder.resolve(), *found] if (folder / "SKILL.md").is_file() else found


_installed: list[Desk] = []
_installing = threading.Lock()


def install(new: Desk) -> None:
    """Make a desk the one that all pages share."""
    _installed[:] = [new]


def desk() -> Desk:
    """Return the desk that all pages share."""
    with _installing:
        if not _installed:
            install(Desk(**wanted()))
        return _installed[0]
