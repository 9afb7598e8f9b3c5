"""Which model answers for a domain, and the models made so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from harness.wiring import check_allowed, make_model

if TYPE_CHECKING:
    from harness.domain import DomainSettings
    from harness.seams import Model, TokenRatios
    from harness.settings import Settings

__all__ = ["Models"]

UNCOUNTED = ("baseline:", "replay:")
"""Models that count as we do, or not at all."""


class Models:
    """Makes each model once, so that its connections are used again.

    Args:
        settings: The process's settings.
        options: Reach the provider's client as they are; go before the domain's.
        own: A model that the caller brings, used under its own name.
        recorded: Makes the model behind `replay:RUN`, which says what that run's model said.
        ratios: Remember how models count tokens.
    """

    def __init__(
        self,
        settings: Settings,
        options: Mapping[str, Any],
        own: Model | None,
        recorded: Callable[[str], Model] | None = None,
        ratios: TokenRatios | None = None,
    ) -> None:
        self._ratios = ratios
        self._settings = settings
        self._recorded = recorded
        self._options = options
        self._own = own
        self._made: dict[str, Model] = {}

    def name(self, domain: DomainSettings) -> str:
        """Return the name of the model that answers for a domain."""
        if self._own:
            return self._own.name
        return str(self._settings.beside("model", domain.model).value)

    def main(self, domain: DomainSettings) -> Model:
        """Return the model that answers for a domain.

        Raises:
            UnknownModel: There is no such model.
            ProviderNotAllowed: The domain forbids its provider.
        """
        return self._get(self.name(domain), domain, self._options)

    def named(self, name: str | None, domain: DomainSettings) -> Model:
        """Return the model of that name; None means the main one.

        The caller's options are the main model's, and go to another only of the same provider.

        Raises:
            UnknownModel: There is no such model.
            ProviderNotAllowed: The domain forbids its provider.
        """
        main = self.name(domain)
        if name is None or name == main:
            return self.main(domain)
        same = name.partition(":")[0] == main.partition(":")[0]
        return self._get(name, domain, self._options if same else {})

    def fallback(self, domain: DomainSettings) -> Model | None:
        """Return the model that is tried where the main one can't be reached.

        The caller's options are the main model's, and not for it.

        Raises:
            UnknownModel: There is no such model.
            ProviderNotAllowed: The domain forbids its provider.
        """
        name = self._settings.beside("fallback_model", domain.fallback_model).value
        return self._get(name, domain, {}) if name else None

    def judge(self, domain: DomainSettings, name: str | None = None) -> Model | None:
        """Return the model that judges answers; None where none is named.

        Args:
            domain: The domain's settings.
            name: Instead of what the settings say.

        Raises:
            UnknownModel: There is no such model.
            ProviderNotAllowed: The domain forbids its provider.
        """
        name = name or self.judge_name(domain)
        return self._get(name, domain, {}) if name else None

    def judge_name(self, domain: DomainSettings) -> str:
        """Return the name of the model that judges answers; "" where none is named."""
        return str(self._settings.beside("judge_model", domain.judge_model).value or "")

    def fingerprint(self, domain: DomainSettings) -> str:
        """Return a text that differs where another model or other options would answer."""
        name = self.name(domain)
        return f"{name} {sorted({**_options_of(domain, name), **self._options}.items())!r}"

    def known_ratio(self, name: str) -> float | None:
        """Return how many of a model's tokens one of ours is; None where nothing was learnt."""
        if self._ratios is None or name.startswith(UNCOUNTED):
            return None
        return self._ratios.of(name)

    def packing_ratio(self, name: str) -> float:
        """Return what a budget in a model's tokens is divided by: 1 where nothing was learnt."""
        return max(1.0, self.known_ratio(name) or 1.0)

    async def learn(self, seen: Mapping[str, float]) -> None:
        """Remember what calls of models came to."""
        told = {name: one for name, one in seen.items() if not name.startswith(UNCOUNTED)}
        if told and self._ratios is not None:
            await anyio.to_thread.run_sync(self._ratios.note, told)

    async def aclose(self) -> None:
        """Close the connections that the running loop opened."""
        for model in self._made.values():
            await model.aclose()

    def _get(self, name: str, domain: DomainSettings, options: Mapping[str, Any]) -> Model:
        allowed = domain.providers_allowed
        if self._own and name == self._own.name:
            if self._own.destination:
                check_allowed(name, allowed, "choose another model")
            return self._own
        if name.startswith("replay:") and self._recorded:
            return self._recorded(name.removeprefix("replay:"))
        options = {**_options_of(domain, name), **options}
        key = f"{name}\0{options!r}\0{allowed!r}"
        if key not in self._made:
            self._made[key] = make_model(
                name, settings=self._settings, options=options, allowed=allowed
            )
        return self._made[key]


def _options_of(domain: DomainSettings, name: str) -> Mapping[str, Any]:
    """Return the domain's model options, if they are meant for a model of that name.

    They may hold an address or a key: what is meant for one provider never reaches another's.
    """
    meant = (domain.model or name).partition(":")[0]
    return domain.model_options if name.partition(":")[0] == meant else {}
