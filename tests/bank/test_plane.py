"""The map of a bank: the first two principal components, the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bank.plane import components, read_plane, write_plane
from harness.values import BankItem


def made(count: int, dimensions: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    spread = np.concatenate([[5.0, 3.0], np.full(dimensions - 2, 0.5)])
    return (rng.standard_normal((count, dimensions)) * spread + 7).astype(np.float32)


@pytest.mark.parametrize("dimensions", [24, 1500])  # taken apart whole, and by iteration
def test_it_is_what_principal_component_analysis_says(dimensions: int) -> None:
    vectors = made(200, dimensions)
    whole = vectors.astype(np.float64)
    left, values, _ = np.linalg.svd(whole - whole.mean(axis=0), full_matrices=False)
    oracle = left[:, :2] * values[:2]
    places, explained = components(vectors)
    assert explained == pytest.approx((values[:2] ** 2).sum() / (values**2).sum(), abs=2e-3)
    agree = np.abs(np.sum(places * oracle, axis=0))
    norms = np.linalg.norm(places, axis=0) * np.linalg.norm(oracle, axis=0)
    assert (agree / norms > 0.999).all()
    assert (components(vectors)[0] == places).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12), st.integers(2, 6), st.booleans())
def test_few_and_equal_vectors_have_a_place_too(count: int, dimensions: int, equal: bool) -> None:
    vectors = np.ones((count, dimensions), np.float32) if equal else made(12, dimensions)[:count]
    places, explained = components(vectors)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert 0 <= explained <= 1


def test_only_examples_are_on_it(tmp_path: Path) -> None:
    items = [
        BankItem(key=f"{kind}/{n}", id=str(n), kind=kind, text="", rendered="", tokens=1)
        for n, kind in enumerate(["example", "passage", "example", "eval", "example"])
    ]
    write_plane(tmp_path, items, made(5, 8))
    plane = read_plane(tmp_path)
    assert plane.places.shape == (3, 2)
    assert (plane.places == components(made(5, 8)[[0, 2, 4]])[0]).all()
