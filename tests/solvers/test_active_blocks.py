"""Products with active blocks against those with all blocks, the others of which are 0."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.operators.masked import MaskedData
from bidual.solvers.inner.active_blocks import ActiveBlocks


@pytest.mark.parametrize("density", [0.0, 0.3, 0.9])
def test_products_are_those_of_the_active_blocks(density: float) -> None:
    rng = np.random.default_rng(0)
    n, p, m, c = 20, 3, 8, 4
    masks = rng.uniform(size=(n, m)) < 0.5
    masks[:, m // 2 :] = ~masks[:, : m // 2]  # complements share their products
    data = MaskedData(rng.normal(size=(n, p)), masks)
    active = rng.uniform(size=(m, c)) < density
    which = active[:, None, :]
    blocks = ActiveBlocks(data, data.diagonals.take(np.arange(m)), active)
    U, R = np.where(which, rng.normal(size=(m, p, c)), 0.0), rng.normal(size=(n, c))
    np.testing.assert_allclose(blocks.forward(U), data.forward(U), atol=1e-12)
    np.testing.assert_allclose(
        np.where(which, blocks.adjoint(R), 0.0), np.where(which, data.adjoint(R), 0.0), atol=1e-12
    )


def test_a_product_costs_the_share_of_active_blocks() -> None:
    data = MaskedData(np.ones((20, 3)), np.random.default_rng(0).uniform(size=(20, 8)) < 0.5)
    blocks = ActiveBlocks(data, data.diagonals, np.eye(8, 4) > 0.0)
    blocks.adjoint(np.ones((20, 4), dtype=np.float32))
    assert data.flops == 2 * 20 * 3 * 4
