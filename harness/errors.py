"""Every error that Harness raises on purpose, as one tree.

    HarnessError                  has `message` (what is wrong, where) and `mend` (what to do)
    ├── UsageError                the call's words are off                          exit 64
    ├── DomainError               an expert's folder, or a file in it
    │   ├── DomainNotFound        no folder there
    │   ├── DomainInvalid         carries `problems`, all of the folder's, each with its line
    │   └── DomainReadOnly        a bundled domain; `harness init --from` copies one out
    ├── DocumentError             a document that can't be read, written or revised
    ├── BankError                 the index of a domain
    │   ├── BankBusy              another process builds it and does not finish
    │   └── BankUnwritable        disk full, or no permission in the state folder
    ├── ContextError              packing
    │   └── QuestionTooLong       the question alone is over the budget
    ├── ModelError                has `model`; anything between us and a provider
    │   ├── UnknownModel          no such provider or model (404)
    │   ├── MissingPackage        the provider's client library is not installed
    │   ├── MissingKey            no API key is set
    │   ├── NotAuthorized         401, 403
    │   ├── ProviderNotAllowed    the domain's `providers_allowed` forbids it
    │   ├── RequestRefused        400 and its kin: the provider says what
    │   │   └── ContextTooLong    the provider's own limit on input tokens
    │   ├── RateLimited           429 after all retries; has `retry_after`, seconds or None
    │   ├── ProviderUnavailable   5xx, 529, timeouts after all retries
    │   │   └── ConnectionFailed  refused, no such host, cut
    │   └── BadResponse           no answer: wrong content type, empty, broken JSON
    ├── WorkspaceError            a path or file of a run's workspace that may not be used
    │   └── FileMissing           there is no file at that path
    ├── ToolError                 what a domain brings in `tools/`, or a kit it names
    │   ├── SandboxAbsent         nothing can be run safely on this machine
    │   ├── ToolsNotTrusted       nobody has said yes to `tools/` as it stands now
    │   └── ServerFailed          an MCP server: not there, hangs, died, says what makes no sense
    ├── EvalError                 an eval run that can't start or go on
    └── StateError                the state folder: disk full, locked, newer than this program
        ├── RunBusy               another process works on the run; has `owner`, who it is
        ├── RunNotFound           the journal has no such run
        ├── RunErased             its key was destroyed: nobody can read it any more
        ├── JournalFull           no room to write; what was written before is safe
        ├── JournalLocked         another process holds the database for too long
        └── JournalDamaged        a record was altered, or its key is not there

Three audiences: the expert reads `problems`, the caller catches a type, the model gets a tool
result. `str(error)` is one paragraph fit for a terminal; it never holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.values import Problem

__all__ = [
    "BadResponse",
    "BankBusy",
    "BankError",
    "BankUnwritable",
    "ConnectionFailed",
    "ContextError",
    "ContextTooLong",
    "DocumentError",
    "DomainError",
    "DomainInvalid",
    "DomainNotFound",
    "DomainReadOnly",
    "EvalError",
    "FileMissing",
    "HarnessError",
    "JournalDamaged",
    "JournalFull",
    "JournalLocked",
    "MissingKey",
    "MissingPackage",
    "ModelError",
    "NotAuthorized",
    "ProviderNotAllowed",
    "ProviderUnavailable",
    "QuestionTooLong",
    "RateLimited",
    "RequestRefused",
    "RunBusy",
    "RunErased",
    "RunNotFound",
    "SandboxAbsent",
    "ServerFailed",
    "StateError",
    "ToolError",
    "ToolsNotTrusted",
    "UnknownModel",
    "UsageError",
    "WorkspaceError",
]


class HarnessError(Exception):
    """Base of every error raised on purpose.

    Args:
        message: What is wrong, and where.
        mend: What to do about it; empty where nothing can be done.
    """

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message, mend)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class UsageError(HarnessError):
    """The words of a call are off."""


class DomainError(HarnessError):
    """Something about an expert's folder."""


class DomainNotFound(DomainError):
    """There is no domain folder at that path."""


class DomainInvalid(DomainError):
    """The folder has errors.

    Args:
        message: One sentence that counts the errors.
        problems: Every error and warning found, in file order.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(message, f"\n{lines}" if lines else "")
        self.problems = tuple(problems)


class DomainReadOnly(DomainError):
    """A bundled domain was about to be written."""


class DocumentError(HarnessError):
    """A document can't be read, written or revised: damaged, protected, or no such place in it."""


class BankError(HarnessError):
    """The index of a domain could not be built or read."""


class BankBusy(BankError):
    """Another process builds this index and did not finish in time."""


class BankUnwritable(BankError):
    """The state folder can't be written: disk full or no permission."""


class ContextError(HarnessError):
    """The context could not be packed."""


class QuestionTooLong(ContextError):
    """The question with what must stand beside it is over the budget."""


class ModelError(HarnessError):
    """Something between us and a model provider.

    Args:
        message: What is wrong.
        mend: What to do.
        model: The model's name as configured, `provider:model`.
    """

    def __init__(self, message: str, mend: str = "", *, model: str = "") -> None:
        super().__init__(message, mend)
        self.model = model


class UnknownModel(ModelError):
    """No such provider, or the provider has no such model."""


class MissingPackage(ModelError):
    """The provider's client library is not installed."""


class MissingKey(ModelError):
    """No API key is set for the provider."""


class NotAuthorized(ModelError):
    """The provider refused the key (401 or 403)."""


class ProviderNotAllowed(ModelError):
    """The domain does not allow its text to be sent to this provider."""


class RequestRefused(ModelError):
    """The provider refused the request as it stands."""


class ContextTooLong(RequestRefused):
    """The request is longer than the model's context window."""


class RateLimited(ModelError):
    """The provider answered 429, also after all retries.

    Args:
        message: What is wrong.
        mend: What to do.
        model: The model's name.
        retry_after: Seconds that the provider asked to wait, where it said so.
        passing: Waiting helps; an account without credit stays without.
    """

    def __init__(
        self,
        message: str,
        mend: str = "",
        *,
        model: str = "",
        retry_after: float | None = None,
        passing: bool = True,
    ) -> None:
        super().__init__(message, mend, model=model)
        self.retry_after = retry_after
        self.passing = passing


class ProviderUnavailable(ModelError):
    """The provider failed (5xx, overloaded, timed out), also after all retries."""


class ConnectionFailed(ProviderUnavailable):
    """The provider could not be reached, or the connection broke."""


class BadResponse(ModelError):
    """What came back is no answer: wrong content type, broken JSON, or nothing at all."""


class WorkspaceError(HarnessError):
    """A path or file of a run's workspace that may not be used; the model is told so."""


class FileMissing(WorkspaceError):
    """There is no file at that path of the workspace."""


class ToolError(HarnessError):
    """A tool that can't be offered, or a call of one that can't be done."""


class SandboxAbsent(ToolError):
    """Nothing can be run safely on this machine, so nothing is run."""


class ToolsNotTrusted(ToolError):
    """Nobody has said yes to the tools of a domain as they stand now."""


class ServerFailed(ToolError):
    """An MCP server is not there, hangs, died, or says what makes no sense."""


class EvalError(HarnessError):
    """An eval run that can't start or go on."""


class StateError(HarnessError):
    """The state folder can't be used: disk full, locked, or written by a newer version."""


class RunBusy(StateError):
    """Another process works on this run, and only one may write its journal.

    Args:
        message: What is wrong.
        mend: What to do.
        owner: Who has it: process and machine.
    """

    def __init__(self, message: str, mend: str = "", *, owner: str = "") -> None:
        super().__init__(message, mend)
        self.owner = owner


class RunNotFound(StateError):
    """The journal has no run of that name."""


class RunErased(StateError):
    """The key of the run was destroyed; its events can be counted but never read."""


class JournalFull(StateError):
    """There is no room for what was to be written; nothing of it was, and earlier events stand."""


class JournalLocked(StateError):
    """Another process held the database for longer than we wait."""


class JournalDamaged(StateError):
    """A record can't be read: it was altered, or the key that opens it is missing."""
