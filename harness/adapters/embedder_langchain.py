"""Any embedding model that LangChain has a client for, as `provider:model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.adapters.provider_clients import embeddings_client
from harness.adapters.provider_errors import ProviderFault, read_error
from harness.adapters.provider_names import secrets_in, split_name
from harness.adapters.provider_retries import Retries
from harness.errors import BadResponse
from harness.seams import Progress

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings

__all__ = ["LangChainEmbedder"]

_BATCH = 256


class LangChainEmbedder:
    """An embedding model behind LangChain's `init_embeddings`.

    Args:
        name: `provider:model`, the provider as `init_embeddings` names it.
        options: Go to the client as they are: base_url, dimensions …
        timeout: Seconds that a request may take; None for no limit.
        max_retries: Retries of a batch after a first try that failed for a passing reason.
        retries: The whole retry policy; its `most` gives way to `max_retries`.

    Raises:
        UnknownModel: The name is not `provider:model`.
    """

    def __init__(
        self,
        name: str,
        *,
        options: Mapping[str, Any] | None = None,
        timeout: float | None = 120.0,
        max_retries: int = 4,
        retries: Retries | None = None,
    ) -> None:
        split_name(name)
        self._model = name
        self._options = dict(options or {})
        self._timeout = timeout
        self._retries = replace(retries or Retries(), most=max_retries)
        self._client: Embeddings | None = None

    @property
    def name(self) -> str:
        """As configured; vectors of another length are another embedder's."""
        size = self._options.get("dimensions")
        return f"{self._model}?dimensions={size}" if size else self._model

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return float32 vectors of length 1, asking for 256 texts at a time.

        Raises:
            ModelError: The last try's, or at once where trying again is no use.
        """
        import numpy as np

        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        if self._client is None:
            self._client = embeddings_client(self._model, self._options, self._timeout)
        batches = []
        for start in range(0, len(texts), _BATCH):
            # Providers refuse an empty text.
            batch = [text or " " for text in texts[start : start + _BATCH]]
            batches.append(self._batch(self._client, batch))
            if progress is not None:
                progress(start + len(batch), len(texts))
        if len({batch.shape[1] for batch in batches}) != 1:
            raise BadResponse(f"{self._model} gave vectors of several lengths.", model=self._model)
        return np.concatenate(batches)

    def _batch(self, client: Embeddings, texts: list[str]) -> np.ndarray:
        """Embed one batch, with retries."""
        failed = 0
        while True:
            try:
                return self._once(client, texts)
            except Exception as error:
                fault = read_error(error, self._model, secrets_in(self._options))
            failed += 1
            wait = self._retries.wait(failed, fault.asked) if fault.retry else None
            if wait is None:
                raise fault.error
            self._retries.pause(wait)

    def _once(self, client: Embeddings, texts: list[str]) -> np.ndarray:
        import numpy as np

        try:
            vectors = np.asarray(client.embed_documents(texts), dtype=np.float32)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._odd(repr(error)) from None
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise self._odd(f"shape {vectors.shape} for {len(texts)} texts")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise self._odd("a vector of zeros")
        unit: np.ndarray = vectors / lengths
        return unit

    def _odd(self, what: str) -> ProviderFault:
        error = BadResponse(
            f"{self._model} answered with what are no embeddings ({what}).",
            "If you set base_url, check that it is an embedding model's address.",
            model=self._model,
        )
        return ProviderFault(error, retry=True)
