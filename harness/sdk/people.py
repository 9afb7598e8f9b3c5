"""Who may do what in which domain: roles by person, kept in the state folder.

Roles matter where people sign in; alone at a machine, one person is all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from harness.errors import StateError, UsageError
from harness.improve.saving import locked

__all__ = ["ALL", "ROLES", "People", "Role", "as_role"]

Role = Literal["nobody", "reader", "expert", "reviewer", "admin"]
ROLES: tuple[Role, ...] = ("nobody", "reader", "expert", "reviewer", "admin")
"""Each may do what those before it may: read and ask; correct; accept; settings and people."""

ALL = "*"
"""Every domain, or everybody who signs in."""


class People:
    """Roles by domain and person.

    Args:
        home: The state folder.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "people.json"
        self.record = home / "people.log"

    def all(self) -> dict[str, dict[str, Role]]:
        """Return the roles: by domain, then by person.

        Raises:
            StateError: The file can't be read.
        """
        try:
            said = json.loads(self.path.read_text("utf-8"))
            return {
                str(domain): {str(who): as_role(role) for who, role in people.items()}
                for domain, people in said.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, UsageError) as error:
            raise StateError(
                f"{self.path} can't be read: {error}.", "Mend it, or take it away and begin anew."
            ) from error

    def role(self, domain: str, person: str) -> Role:
        """Return the highest role that a person has in a domain.

        Who is named nowhere has the role of everybody (`*`), else none.
        """
        roles = self.all()
        found: list[Role] = [
            roles.get(where, {}).get(who, "nobody")
            for where in (domain, ALL)
            for who in (person.casefold(), ALL)
        ]
        return max(found, key=ROLES.index)

    def grant(self, domain: str, person: str, role: Role, *, by: str) -> None:
        """Give a person a role in a domain; `nobody` takes it away.

        Args:
            domain: Its name, or `*` for all.
            person: Their e-mail address, or `*` for everybody who signs in.
            role: The role.
            by: Who gives it.

        Raises:
            UsageError: There is no such role, or nobody is named.
        """
        person = person.strip().casefold()
        if not person:
            raise UsageError("No person is named.", "Give their e-mail address.")
        as_role(role)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.parent, self.path.parent):
            roles: dict[str, dict[str, Role]] = self.all()
            roles.setdefault(domain, {})[person] = role
            kept = {
                where: {who: one for who, one in sorted(people.items()) if one != "nobody"}
                for where, people in roles.items()
            }
            self._write({where: people for where, people in kept.items() if people})
            said = {"domain": domain, "person": person, "role": role, "by": by}
            at = datetime.now(UTC).isoformat(timespec="seconds")
            with self.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"at": at, **said}) + "\n")

    def _write(self, roles: Mapping[str, Mapping[str, Role]]) -> None:
        staged = self.path.with_name(f".people.{secrets.token_hex(4)}")
        try:
            with staged.open("x", encoding="utf-8") as file:
                json.dump(roles, file, indent=1, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            staged.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                staged.unlink()
            raise StateError(
                f"{self.path} can't be written: {error.strerror}.", "See that there is room."
            ) from error


def as_role(word: str) -> Role:
    """Return the role of that name.

    Raises:
        UsageError: There is none.
    """
    for role in ROLES:
        if word == role:
            return role
    raise UsageError(f"There is no role {word!r}.", f"Known are {', '.join(ROLES)}.")
