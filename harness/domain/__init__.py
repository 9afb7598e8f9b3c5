"""A domain folder: read it, check it, know its version.

`read_domain` gives everything that can be used with everything that is wrong; `lint` adds what
shows only when things are held against each other.
"""

from harness.domain.folder import Domain, read_domain
from harness.domain.formats import (
    AnswerKind,
    AnswerSettings,
    ApprovalSettings,
    BudgetSettings,
    ContextSettings,
    DomainSettings,
    Policy,
    SectionSize,
)
from harness.domain.lint import lint
from harness.domain.version import folder_stamp, folder_version

__all__ = [
    "AnswerKind",
    "AnswerSettings",
    "ApprovalSettings",
    "BudgetSettings",
    "ContextSettings",
    "Domain",
    "DomainSettings",
    "Policy",
    "SectionSize",
    "folder_stamp",
    "folder_version",
    "lint",
    "read_domain",
]
