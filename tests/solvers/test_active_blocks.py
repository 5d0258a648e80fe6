"""Products with some blocks against those with all blocks, the others of which are 0."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.operators.masked import MaskedData
from bidual.solvers.inner.active_blocks import ActiveBlocks


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
@pytest.mark.parametrize("p", [1, 3, 30])
@pytest.mark.parametrize("density", [0.0, 0.3, 0.9, 1.0])
def test_products_are_those_of_the_blocks(density: float, p: int, device: str) -> None:
    rng = np.random.default_rng(0)
    n, m, c = 20, 8, 4
    masks = rng.uniform(size=(n, m)) < 0.5
    masks[:, m // 2 :] = ~masks[:, : m // 2]  # complements share their products
    data = MaskedData(rng.normal(size=(n, p)), masks, device=device)
    pattern, output = np.nonzero(rng.uniform(size=(m, c)) < density)
    blocks = ActiveBlocks(data, pattern, output, c)
    W, R = rng.normal(size=(len(blocks), p)), rng.normal(size=(n, c))
    U = np.zeros((m, p, c))
    U[pattern, :, output] = W
    np.testing.assert_allclose(blocks.forward(W), data.forward(U), atol=1e-12)
    np.testing.assert_allclose(blocks.adjoint(R), data.adjoint(R)[pattern, :, output], atol=1e-12)
    some = np.flatnonzero(rng.uniform(size=len(blocks)) < 0.5)
    np.testing.assert_allclose(blocks.take(some).adjoint(R), blocks.adjoint(R)[some], atol=1e-12)


@pytest.mark.parametrize("p", [1, 3])
def test_a_product_costs_no_more_than_the_blocks(p: int) -> None:
    data = MaskedData(np.ones((20, p)), np.random.default_rng(0).uniform(size=(20, 8)) < 0.5)
    blocks = ActiveBlocks(data, np.arange(4), np.arange(4), 4)
    blocks.adjoint(np.ones((20, 4), dtype=np.float32))
    assert data.flops == 2 * 20 * p * 4
