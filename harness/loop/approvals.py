"""Approvals: which calls are made, refused or asked about; rules go deny, ask, allow.

A rule is a tool, with patterns of arguments if need be: `write_file`, `send_*`,
`write_file(path=drafts/*)`. A value that can be written in several ways is denied or asked about
if one of them fits, and allowed only if all of them do: `drafts/../contract.md` is not in drafts.
Only rules and people allow anything; text from tools, documents and examples never does.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from harness.errors import UsageError
from harness.journal.parts import ApprovalMode, Effect

__all__ = ["Grant", "Rule", "Rules", "Verdict", "decide"]

Word = Literal["allow", "ask", "deny"]
_RULE = re.compile(r"\s*([^\s()]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_PAIR = re.compile(r'\s*([\w.-]+)\s*=\s*("[^"]*"|[^,]*?)\s*(?:,|$)')


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A pattern of calls.

    Attributes:
        tool: Glob over the tool's name.
        arguments: Globs over the values of arguments, all of which have to fit.
    """

    tool: str
    arguments: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> Rule:
        """Read a rule as experts write it.

        Raises:
            UsageError: It is no rule.
        """
        match = _RULE.fullmatch(text)
        pairs: dict[str, str] = {}
        inside = (match[2] or "") if match else ""
        end = 0
        while match and inside[end:].strip():
            pair = _PAIR.match(inside, end)
            if pair is None or pair.end() == end:
                match = None
                break
            pairs[pair[1]] = pair[2].strip('"')
            end = pair.end()
        if match is None:
            raise UsageError(
                f"`{text}` is no rule for approvals.",
                "Write a tool, `write_file`, or a tool with patterns, `write_file(path=drafts/*)`.",
            )
        return cls(tool=match[1], arguments=pairs)

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={glob}" for name, glob in self.arguments.items())
        return f"{self.tool}({inside})" if inside else self.tool

    def fits(self, tool: str, arguments: Mapping[str, Any], *, strictly: bool) -> bool:
        """Return whether a call fits.

        Args:
            tool: Its name.
            arguments: Its arguments.
            strictly: Every way to write a value has to fit, else one is enough.
        """
        if not fnmatchcase(tool, self.tool):
            return False
        enough = all if strictly else any
        for name, glob in self.arguments.items():
            forms = _forms(arguments[name], strictly=strictly) if name in arguments else []
            if not forms or not enough(fnmatchcase(form, glob) for form in forms):
                return False
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A person's word that holds for the rest of the run."""

    rule: Rule
    allow: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The rules of a domain, and what a parent run was granted."""

    deny: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    allow: tuple[Rule, ...] = ()
    grants: tuple[Grant, ...] = ()

    @classmethod
    def read(
        cls, *, deny: Iterable[str] = (), ask: Iterable[str] = (), allow: Iterable[str] = ()
    ) -> Rules:
        """Read rules as `domain.yaml` has them.

        Raises:
            UsageError: One of them is no rule.
        """
        return cls(
            deny=tuple(map(Rule.read, deny)),
            ask=tuple(map(Rule.read, ask)),
            allow=tuple(map(Rule.read, allow)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is to be done with a call.

    Attributes:
        rule: What decided, in words; empty where the effect class's default did.
        reason: Why it is refused, for the model.
    """

    word: Word
    rule: str = ""
    reason: str = ""


def decide(
    tool: str,
    arguments: Mapping[str, Any],
    effect: Effect,
    *,
    rules: Rules,
    mode: ApprovalMode,
    grants: Sequence[Grant] = (),
) -> Verdict:
    """Decide on a call.

    Args:
        tool: Its name.
        arguments: Its arguments, defaults filled in.
        effect: Its effect class.
        rules: Deny goes before ask, ask before allow.
        mode: Who is there to be asked: `ask` somebody, `never` nobody; with `auto` nobody
            either, but what a rule allows is allowed even where another one would ask.
        grants: What people said for the rest of this run; before `ask`, after `deny`.
    """
    settled = _settled(tool, arguments, rules, [*rules.grants, *grants])
    if settled is not None:
        return settled
    asking = next((one for one in rules.ask if one.fits(tool, arguments, strictly=False)), None)
    allowing = next((one for one in rules.allow if one.fits(tool, arguments, strictly=True)), None)
    if allowing is not None and (asking is None or mode == "auto"):
        return Verdict(word="allow", rule=str(allowing))
    if asking is None and effect in ("read", "draft"):
        return Verdict(word="allow")
    said_by = str(asking) if asking else ""
    if mode == "ask":
        return Verdict(word="ask", rule=said_by)
    return Verdict(
        word="deny",
        rule=said_by or mode,
        reason=f"it needs a person's approval, and nobody is there to give it (--approve {mode})",
    )


def _settled(
    tool: str, arguments: Mapping[str, Any], rules: Rules, grants: Sequence[Grant]
) -> Verdict | None:
    """Return what rules that forbid, or people's words, say; None where they say nothing."""
    for rule in rules.deny:
        if rule.fits(tool, arguments, strictly=False):
            return Verdict(word="deny", rule=str(rule), reason=f"the rule `{rule}` forbids it")
    for grant in grants:
        if not grant.allow and grant.rule.fits(tool, arguments, strictly=False):
            return Verdict(word="deny", rule=str(grant.rule), reason="it was refused for this run")
    for grant in grants:
        if grant.allow and grant.rule.fits(tool, arguments, strictly=True):
            return Verdict(word="allow", rule=str(grant.rule))
    return None


def _forms(value: Any, *, strictly: bool) -> list[str]:
    """Return the ways in which a value may be written; no way that could be allowed: none."""
    if isinstance(value, str):
        plain = posixpath.normpath(value.replace("\\", "/")) if value else value
        return list(dict.fromkeys([value, plain, plain.lstrip("/")]))
    if isinstance(value, bool | int | float) or value is None:
        return [json.dumps(value)]
    if strictly:
        return []
    inner = value.values() if isinstance(value, Mapping) else value
    forms = [json.dumps(value, default=str, ensure_ascii=False)]
    if isinstance(inner, Iterable):
        for one in inner:
            forms += _forms(one, strictly=False)
    return forms
