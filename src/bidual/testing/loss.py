"""What every loss promises."""

from __future__ import annotations

import numpy as np

from bidual.errors import InvalidDataError
from bidual.losses import Loss
from bidual.testing.examples import random_targets, require
from bidual.typing import Outputs, Weights


def check_loss(loss: Loss, seed: int = 0) -> None:
    """Raise AssertionError if the loss breaks a promise of :class:`~bidual.losses.Loss`.

    The values judge the gradients, and both judge the conjugate: ``-L*(-V) <= L(F) + <V, F>`` for every F and V, with
    equality at ``V = -grad L(F)``, is what certificates rest on.
    """
    rng = np.random.default_rng(seed)
    _refuses_nan(loss)
    for scale in (1e-2, 1.0, 30.0):
        Y, s = random_targets(loss, 6, 3, rng), rng.uniform(0.2, 3.0, size=6)
        loss.check_targets(Y)
        F, G = scale * rng.normal(size=(2, 6, 3))
        _value_and_gradient(loss, F, G, Y, s)
        _conjugate(loss, F, G, Y, s)
        _proximal(loss, F, G, Y, s)
        _domain(loss, F, Y, s)
        _balance(loss, F, Y, s)
        _weights_are_counts(loss, F, Y)
        _smoothing(loss, F, Y, s)


def _refuses_nan(loss: Loss) -> None:
    try:
        loss.check_targets(np.full((2, 2), np.nan))
    except InvalidDataError:
        return
    raise AssertionError(f"{loss!r}.check_targets accepts NaN; it must raise InvalidDataError")


def _value_and_gradient(loss: Loss, F: Outputs, G: Outputs, Y: Outputs, s: Weights) -> None:
    at_F, at_G, middle = (loss.value(Z, Y, s) for Z in (F, G, 0.5 * (F + G)))
    slack = 1e-12 * (1.0 + abs(at_F) + abs(at_G))
    require(middle <= 0.5 * (at_F + at_G) + slack, f"{loss!r}.value is not convex")
    tangent = at_F + float(np.sum(loss.gradient(F, Y, s) * (G - F)))
    require(at_G >= tangent - slack, f"{loss!r}.gradient is not a subgradient of value")
    step = 1e-6 * np.sign(G - F)
    change = loss.value(F + step, Y, s) - loss.value(F - step, Y, s)
    slope = 2.0 * float(np.sum(loss.gradient(F, Y, s) * step))
    scale = 1e-6 * float(np.abs(loss.gradient(F, Y, s)).sum()) + 1e-10 * (1.0 + at_F)
    require(abs(change - slope) <= 1e-4 * scale + slack, f"{loss!r}.gradient is not the slope of value")
    if loss.smooth:
        h, q = loss.hessian(F, Y, s)
        product = h * step - (0.0 if q is None else q * np.sum(q * step, axis=1, keepdims=True))
        change_g = loss.gradient(F + step, Y, s) - loss.gradient(F - step, Y, s)
        error = float(np.abs(change_g - 2.0 * product).max())
        require(error <= 1e-9 * (1.0 + float(s.max())), f"{loss!r}.hessian is not the slope of gradient")


def _conjugate(loss: Loss, F: Outputs, G: Outputs, Y: Outputs, s: Weights) -> None:
    V = -loss.gradient(G, Y, s)
    dual = -loss.conjugate(-V, Y, s)
    lagrangian = loss.value(F, Y, s) + float(np.sum(V * F))
    slack = 1e-11 * (1.0 + abs(dual) + abs(lagrangian) + float(np.sum(np.abs(V * G)) + np.sum(V * V)))
    require(dual <= lagrangian + slack, f"{loss!r}.conjugate is too small: its dual value exceeds a primal value")
    attained = loss.value(G, Y, s) + float(np.sum(V * G))
    require(abs(dual - attained) <= slack, f"{loss!r}.conjugate is not attained at the gradient")


def _proximal(loss: Loss, F: Outputs, G: Outputs, Y: Outputs, s: Weights) -> None:
    """``(G - P) / step`` is a subgradient at the proximal point P: no other point is better."""
    for step in (1e-3, 1.0, 1e3):
        P = loss.proximal(G, Y, s, step)
        at_P = loss.value(P, Y, s) + float(np.sum((P - G) ** 2)) / (2.0 * step)
        for other in (F, G, P + 1e-3 * (F - P), P + 1e-3 * (G - P)):
            least = at_P + float(np.sum((other - P) ** 2)) / (2.0 * step)  # by strong convexity
            at_other = loss.value(other, Y, s) + float(np.sum((other - G) ** 2)) / (2.0 * step)
            slack = 1e-12 * (1.0 + abs(at_P) + abs(at_other))
            require(at_other >= least - slack, f"{loss!r}.proximal is not the proximal point: another point is better")


def _domain(loss: Loss, F: Outputs, Y: Outputs, s: Weights) -> None:
    V = -loss.gradient(F, Y, s)
    end = loss.domain_step(V, Y, s)
    inside = end if np.isfinite(end) else 1e6
    require(np.isfinite(loss.conjugate(-inside * V, Y, s)), f"{loss!r}.domain_step leaves the domain of the conjugate")
    if np.isfinite(end):
        outside = loss.conjugate(-(1.0 + 1e-6) * end * V, Y, s)
        require(outside == np.inf, f"{loss!r}.domain_step stops before the border of the domain")
    t = loss.best_scaling(V, Y, s, np.inf, 0.0)
    require(0.0 <= t <= end, f"{loss!r}.best_scaling leaves [0, domain_step]")
    best = -loss.conjugate(-t * V, Y, s)
    others = [-loss.conjugate(-u * V, Y, s) for u in np.linspace(0.0, min(end, 3.0), 50)]
    slack = 1e-10 * (1.0 + abs(best))
    require(best >= max(others) - slack, f"{loss!r}.best_scaling is not the best: a grid has a larger dual value")


def _balance(loss: Loss, F: Outputs, Y: Outputs, s: Weights) -> None:
    V = -loss.gradient(F, Y, s)
    balanced = loss.balance(V, Y, s)
    left = float(np.abs(balanced.sum(axis=0)).max())
    require(left <= 1e-12 * float(np.abs(V).sum()), f"{loss!r}.balance leaves the sum {left:g}, not 0")
    require(np.isfinite(loss.conjugate(-balanced, Y, s)), f"{loss!r}.balance leaves the domain of the conjugate")


def _weights_are_counts(loss: Loss, F: Outputs, Y: Outputs) -> None:
    k = np.array([1, 2, 3, 1, 4, 2])
    rows, one = np.repeat(np.arange(6), k), np.ones(k.sum())
    weighted, repeated = loss.value(F, Y, k.astype(float)), loss.value(F[rows], Y[rows], one)
    require(abs(weighted - repeated) <= 1e-12 * (1.0 + abs(repeated)), f"weight k is not k rows for {loss!r}.value")


def _smoothing(loss: Loss, F: Outputs, Y: Outputs, s: Weights) -> None:
    smooth, width = loss.smoothed(0.1), 0.1
    require(smooth.smooth, f"{loss!r}.smoothed is not smooth")
    below = loss.value(F, Y, s) - smooth.value(F, Y, s)
    most = 0.5 * width * float(s.sum()) * F.shape[1]
    rounding = 1e-12 * (1.0 + loss.value(F, Y, s))
    require(
        -rounding <= below <= most + rounding, f"{loss!r}.smoothed is not below it by at most width/2 at each entry"
    )
    V = -smooth.gradient(F, Y, s)
    require(np.isfinite(loss.conjugate(-V, Y, s)), f"a dual vector of {loss!r}.smoothed is none of {loss!r}")
