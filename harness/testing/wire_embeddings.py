"""OpenAI's embeddings on the wire, as float lists or base64."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from harness.seams import Embedder
from harness.testing.turns import Json

__all__ = ["EMBEDDINGS_PATH", "embeddings"]

EMBEDDINGS_PATH = "/v1/embeddings"


def embeddings(request: Json, embedder: Embedder) -> Json:
    """Return the answer to an embeddings request, its vectors made by `embedder`."""
    texts = _texts(request.get("input") or [])
    vectors = embedder.embed(texts)
    encoded = request.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(vector.astype("<f4").tobytes()).decode()
            if encoded
            else [float(value) for value in vector],
        }
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": request.get("model", ""), "data": data, "usage": usage}


def _texts(given: str | Sequence[object]) -> list[str]:
    """Return what is to be embedded; token ids become words."""
    if isinstance(given, str):
        return [given]
    if given and all(isinstance(token, int) for token in given):
        return [" ".join(map(str, given))]
    return [
        entry if isinstance(entry, str) else " ".join(map(str, entry))
        for entry in given
        if isinstance(entry, str | list)
    ]
