"""The loss in a proximal-point step, against differences of its own values."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import GatedReLU
from bidual.losses import LOSSES, Loss
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.envelope import Envelope
from bidual.testing.examples import random_targets


@pytest.mark.parametrize("w", [0.0, 0.3])
@pytest.mark.parametrize("loss", [loss() for loss in LOSSES.values() if loss.smooth], ids=repr)
def test_gradient_and_curvature(loss: Loss, w: float) -> None:
    rng = np.random.default_rng(0)
    Y, s = random_targets(loss, 8, 3, rng), rng.uniform(0.5, 2.0, size=8)
    problem = Problem(rng.normal(size=(8, 2)), Y, loss, GatedReLU(), Strength(1.0), s)
    envelope = Envelope.around(problem, rng.normal(size=(8, 3)), w * rng.normal(size=3), w)
    theta, step = (envelope.centred(1e-2 * rng.normal(size=(8, 3))) for _ in range(2))

    def at(t: float) -> tuple[float, np.ndarray]:
        G = envelope.point(theta + t * step)
        return envelope.value(theta + t * step, G), envelope.intercept(theta + t * step) - G

    e = 1e-5
    slope = (at(e)[0] - at(-e)[0]) / (2 * e)
    assert slope == pytest.approx(float(np.sum(step * at(0.0)[1])), rel=1e-5)
    h, q = envelope.curvature(envelope.point(theta))
    image = h * step + w * step.sum(axis=0) + (0.0 if q is None else q * np.sum(q * step, axis=1, keepdims=True))
    change = (at(e)[1] - at(-e)[1]) / (2 * e)
    np.testing.assert_allclose(envelope.centred(change), envelope.centred(image), rtol=1e-4, atol=1e-6)
