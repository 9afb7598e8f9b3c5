"""Masking: a secret's value becomes `[secret:NAME]` before anything is hashed, kept or shown.

Secrets are found as they are and as programs write them: escaped in JSON (also JSON within JSON),
percent-encoded, in hexadecimal, and in base64 at any of its three alignments, line breaks
included. Values shorter than eight characters are left: they would strike ordinary words.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["SHORTEST", "Masker"]

SHORTEST = 8
"""Characters that a value needs to count as a secret."""
_SECRET_NAME = re.compile(r".*_(KEY|TOKEN|SECRET|PASSWORD)", re.IGNORECASE)
_SHORT_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "\n": "n",
    "\r": "r",
    "\t": "t",
    "\b": "b",
    "\f": "f",
}


class Masker:
    """Strikes out the values of secrets.

    Args:
        secrets: Value by name; short ones are left out.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        kept = {name: value.strip() for name, value in secrets.items()}
        # A secret that holds another one goes first.
        self._secrets = sorted(
            ((name, value) for name, value in kept.items() if len(value) >= SHORTEST),
            key=lambda pair: -len(pair[1]),
        )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], configured: Mapping[str, str] | None = None
    ) -> Masker:
        """Return a masker for what is named `*_KEY`, `*_TOKEN`, `*_SECRET` or `*_PASSWORD`.

        Args:
            environment: Variables of the process.
            configured: Keys from elsewhere, by the name that is shown.
        """
        found = {name: value for name, value in environment.items() if _SECRET_NAME.fullmatch(name)}
        return cls({**found, **(configured or {})})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the secrets that are masked."""
        return tuple(name for name, _ in self._secrets)

    def text(self, text: str) -> str:
        """Return the text with every secret struck out; the same object where there is none."""
        for form, name in self._literal:
            if form in text:
                text = text.replace(form, f"[secret:{name}]")
        if self._secrets and self._may_be_escaped(text):
            text = self._escaped.sub(self._strike, text)
        if self._secrets and self._may_be_wrapped(text):
            text = self._wrapped.sub(self._strike, text)
        return text

    def tree(self, tree: Any) -> Any:
        """Return JSON with every string masked, keys too; the same object where none is struck."""
        if not self._secrets:
            return tree
        together = "\0".join(_strings(tree))
        return tree if self.text(together) is together else self._walk(tree)

    def data(self, data: bytes) -> bytes:
        """Return UTF-8 text masked; in other data, only the secrets' own bytes are found."""
        if not self._secrets:
            return data
        try:
            text = data.decode()
        except UnicodeDecodeError:
            for form, name in self._literal:
                data = data.replace(form.encode(), f"[secret:{name}]".encode())
            return data
        masked = self.text(text)
        return data if masked is text else masked.encode()

    # --- inside -------------------------------------------------------------------------------

    def _walk(self, tree: Any) -> Any:
        if isinstance(tree, str):
            return self.text(tree)
        if isinstance(tree, Mapping):
            return {self._walk(key): self._walk(inner) for key, inner in tree.items()}
        if isinstance(tree, list | tuple):
            return [self._walk(inner) for inner in tree]
        return tree

    def _may_be_escaped(self, text: str) -> bool:
        """Whether a look for escaped secrets is worth it: it reads every character."""
        return "%" in text or "\\u" in text or (self._has_short_escapes and "\\" in text)

    def _may_be_wrapped(self, text: str) -> bool:
        """Whether base64 with its line breaks taken out has a secret, its first character apart.

        That one may be an `n` that is taken for the end of an escaped line break.
        """
        if not ("\n" in text or "\r" in text or "\\" in text):
            return False
        bare = text
        while "\\\\" in bare:
            bare = bare.replace("\\\\", "\\")
        bare = "".join(bare.replace("\\n", "").replace("\\r", "").split())
        return any(form in bare for form in self._base64_ends)

    @cached_property
    def _base64_ends(self) -> list[str]:
        return [form[1:] for _, value in self._secrets for form in _base64_forms(value)]

    @cached_property
    def _has_short_escapes(self) -> bool:
        """Whether a secret can be written otherwise without its characters' numbers."""
        short = {*_SHORT_ESCAPES, " "}
        return any(not short.isdisjoint(value) for _, value in self._secrets)

    def _strike(self, match: re.Match[str]) -> str:
        return f"[secret:{self._secrets[int((match.lastgroup or 's0')[1:])][0]}]"

    @cached_property
    def _literal(self) -> list[tuple[str, str]]:
        """Every form that needs no pattern, with its secret's name; longest secret first."""
        return [(form, name) for name, value in self._secrets for form in _forms(value)]

    @cached_property
    def _escaped(self) -> re.Pattern[str]:
        """The secrets with any of their characters escaped, each in its own way."""
        return _either(["".join(map(_any_escape, value)) for _, value in self._secrets])

    @cached_property
    def _wrapped(self) -> re.Pattern[str]:
        """The secrets in base64, with line breaks anywhere."""
        turn = r"(?:\s|\\+[rn])*"
        return _either(
            [
                "|".join(turn.join(map(re.escape, form)) for form in _base64_forms(value))
                for _, value in self._secrets
            ]
        )


def _either(patterns: list[str]) -> re.Pattern[str]:
    named = (f"(?P<s{number}>{pattern})" for number, pattern in enumerate(patterns))
    return re.compile("|".join(named))


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(tree, list | tuple):
        for inner in tree:
            yield from _strings(inner)


def _forms(value: str) -> list[str]:
    raw = _bytes(value)
    forms = [value, quote(raw, safe=""), quote(raw), quote_plus(raw), *_base64_forms(value)]
    forms += [binascii.hexlify(raw).decode(), binascii.hexlify(raw).decode().upper()]
    return list(dict.fromkeys(forms))


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _base64_forms(value: str) -> list[str]:
    """What base64 makes of the value whatever stands before and after it (RFC 4648).

    Characters that depend on the neighbours too are left out: at most one at either end.
    """
    raw = _bytes(value)
    forms = []
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(bytes(before) + raw).decode()
            first, end = -(-8 * before // 6), 8 * (before + len(raw)) // 6
            forms.append(encoded[first:end])
    return list(dict.fromkeys(forms))


def _any_escape(character: str) -> str:
    """Return a pattern for one character: itself, its JSON escapes, or percent-encoded."""
    units = character.encode("utf-16-be", "surrogatepass")
    pairs = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    ways = [
        re.escape(character),
        "".join(rf"\\+u(?i:{pair})" for pair in pairs),
        "".join(rf"%(?:25)*(?i:{byte:02x})" for byte in _bytes(character)),
    ]
    if character in _SHORT_ESCAPES:
        ways.append(r"\\+" + re.escape(_SHORT_ESCAPES[character]))
    if character == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"
