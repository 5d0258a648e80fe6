"""What a loss must know of itself to be trained and certified."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from scipy.optimize import minimize_scalar

from bidual.losses.functions import rising_root
from bidual.typing import Outputs, Vector, Weights


class Loss(ABC):
    """A convex loss ``L(F) = sum_i s_i l(F_i, Y_i)`` of predictions F (n, c), targets Y (n, c), weights s (n,).

    The certificate lives on the dual variable ``V = -grad L(F)`` (n, c): every V with ``-V`` in the domain of the
    conjugate ``L*(Z) = sup_F <Z, F> - L(F)`` contributes the dual value ``-L*(-V)``.
    """

    name: ClassVar[str]
    """The key of the loss in ``LOSSES``."""
    targets: ClassVar[Literal["real", "signs", "one_hot"]]
    """What Y holds: finite numbers, -1 and +1, or rows of zeros with a single 1."""
    smooth: ClassVar[bool]
    """True if L is differentiable with a Lipschitz gradient."""

    def smoothed(self, width: float) -> Loss:
        """A smooth loss below this one, by at most ``width / 2`` at each entry of unit weight, whose dual vectors are
        dual vectors of this one; a smooth loss is its own."""
        return self

    @abstractmethod
    def check_targets(self, Y: Outputs) -> None:
        """Raise InvalidDataError if a target is outside the loss's domain."""

    @abstractmethod
    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        """L(F)."""

    @abstractmethod
    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """(n, c): the gradient of L at F (a subgradient where L has a kink)."""

    @abstractmethod
    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, Outputs | None]:
        """(h, q): row i of the Hessian is ``diag(h_i) - q_i q_i'``, or ``diag(h_i)`` where q is None."""

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        """(n, c): the proximal point ``argmin over F of L(F) + ||F - G||^2 / (2 step)``.

        Here for smooth losses that do not couple the outputs: F solves ``F + step L'(F) = G`` and lies, as L' rises,
        between G and ``G - step L'(G)``.
        """

        def excess(F: Outputs) -> tuple[Outputs, Outputs]:
            return F + step * self.gradient(F, Y, s) - G, 1.0 + step * self.hessian(F, Y, s)[0]

        end = G - step * self.gradient(G, Y, s)
        return rising_root(excess, np.minimum(G, end), np.maximum(G, end))

    @abstractmethod
    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        """L*(Z); ``inf`` outside the domain. Entries outside by rounding (1e-12 relative) count as inside."""

    @abstractmethod
    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        """The largest t >= 0 (possibly inf) with ``-t V`` in the domain of the conjugate."""

    def balance(self, V: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """A dual vector near V with ``sum_i V_ik = 0`` for every output k, still in the domain.

        Needed for an unpenalised output intercept. The heavier of the positive and the negative part of each column
        is scaled down, which stays inside any domain that is a product of intervals containing 0. No balanced vector
        is nearer in the sum of absolute values.
        """
        positive, negative = np.maximum(V, 0.0), np.maximum(-V, 0.0)
        up, down = positive.sum(axis=0), negative.sum(axis=0)
        common = np.minimum(up, down)
        shrink_up: Vector = np.divide(common, up, out=np.zeros_like(up), where=up > 0)
        shrink_down: Vector = np.divide(common, down, out=np.zeros_like(down), where=down > 0)
        return positive * shrink_up - negative * shrink_down

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        """The t in [0, limit] that maximises the concave ``-L*(-t V) - slope * t``.

        ``slope`` is what the penalty charges for the size of the dual vector (0 for a strength, radius times the
        neuron bound for a ball).
        """
        limit = min(limit, self.domain_step(V, Y, s))
        if not limit > 0.0 or not np.any(V):
            return 0.0

        def loss(t: float) -> float:
            return self.conjugate(-t * V, Y, s) + slope * t

        # A geometric search brackets the maximum whatever its scale; by concavity it lies in [t/2, 2t].
        t = min(limit, 1.0 / float(np.max(np.abs(V) / s[:, None])))
        for _ in range(64):
            if loss(t / 2.0) >= loss(t):
                break
            t /= 2.0
        for _ in range(64):
            if loss(min(2.0 * t, limit)) >= loss(t):
                break
            t = min(2.0 * t, limit)
        bounds = (t / 2.0, min(2.0 * t, limit))
        found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12 * t})
        return min((0.0, t, float(found.x), min(1.0, limit)), key=loss)
