"""The default embedder: all-MiniLM-L6-v2, int8 ONNX, shipped as package data.

Each text is embedded alone. Dynamic int8 quantisation scales activations by what else is in
the batch, so a batched vector depends on its neighbours; alone it is reproducible, and faster.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from harness.seams import Progress

__all__ = ["MiniLMEmbedder"]

MODEL = Path(__file__).parents[1] / "data" / "minilm-l6-v2-int8"
WINDOW = 254
"""Tokens of text in one pass; with [CLS] and [SEP] the 256 that the model was trained on."""
CHUNK = 64


class MiniLMEmbedder:
    """Mean-pooled, L2-normalised sentence embeddings of 384 dimensions.

    A text of more than 254 tokens is read in two windows, its first and its last 254 tokens, and
    its vector is the normalised mean of theirs: a question at the end of a long note counts, too.
    """

    name = "minilm"
    dimensions = 384
    shipped = MODEL / "shipped"
    """Folder of the vectors of the shipped domains' texts."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._parts: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return float32 of shape (len(texts), 384), every row of length 1."""
        import numpy as np

        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        starts = range(0, len(texts), CHUNK)

        def chunk(start: int) -> int:
            for row in range(start, min(start + CHUNK, len(texts))):
                vectors[row] = self._one(texts[row])
            return min(CHUNK, len(texts) - start)

        done = 0
        for count in _spread(chunk, starts):
            done += count
            if progress:
                progress(done, len(texts))
        return vectors

    def _one(self, text: str) -> np.ndarray:
        import numpy as np

        tokenizer, session = self._load()
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        return _unit(np.sum([_pass(session, window) for window in _windows(ids)], axis=0))

    def _load(self) -> tuple[Any, Any]:
        with self._loading:
            if self._parts is None:
                import onnxruntime
                from tokenizers import Tokenizer

                tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
                tokenizer.no_truncation()
                tokenizer.no_padding()
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = 1  # one text a core: see `_spread`
                options.inter_op_num_threads = 1
                session = onnxruntime.InferenceSession(
                    str(MODEL / "model.onnx"), options, providers=["CPUExecutionProvider"]
                )
                self._parts = tokenizer, session
            return self._parts


def _spread(work: Any, starts: range) -> Iterator[int]:
    """Run `work` over the starts on all cores; on this thread alone where there is one start.

    The runtime lets go of the interpreter lock while it computes, so threads are enough.
    """
    if len(starts) <= 1:
        yield from map(work, starts)
        return
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(work, starts)


def _windows(ids: list[int]) -> list[list[int]]:
    return [ids] if len(ids) <= WINDOW else [ids[:WINDOW], ids[-WINDOW:]]


def _pass(session: Any, ids: list[int]) -> np.ndarray:
    """One run of the model: mean of the last hidden state, normalised."""
    import numpy as np

    tokens = np.array([[101, *ids, 102]], dtype=np.int64)  # [CLS] text [SEP]
    hidden: np.ndarray = session.run(
        None,
        {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        },
    )[0][0]
    return _unit(hidden.mean(axis=0))


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(vector @ vector) ** 0.5
    scaled: np.ndarray = vector / (length or 1.0)
    return scaled
