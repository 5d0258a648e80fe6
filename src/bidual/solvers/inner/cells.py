"""The ball's program on the cells of given neurons: the master problem of pattern-corrective Frank-Wolfe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from bidual.architectures import Patterns
from bidual.network import Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.base import Budget
from bidual.solvers.fixed_patterns import FixedPatterns
from bidual.solvers.prune import merge

TOL = 1e-10
"""Relative duality gap of the program at each price."""

LOWEST = 18.0
"""The ball does not bind where the size is below its radius at exp(-18) = 1e-8 times the first guess of the price."""


def cell_refusal(problem: Problem) -> str | None:
    """Why the program on cells cannot be solved."""
    return FixedPatterns().accepts(replace(problem, penalty=Strength(1.0)))


def solve_cells(
    problem: Problem, patterns: Patterns, radius: float, start: Network, price: float, budget: Budget
) -> tuple[Network, float]:
    """The best network of size at most ``radius`` whose neurons lie on the patterns, and its price of size, 0 if the
    radius does not bind; ``price`` is a guess of it.

    The size falls continuously as the price rises, so Brent's method finds the price at which it is the radius; each
    price starts from the network of the last. A network that is optimal at a price to 1e-10 has its size to the root of
    that only, but the mixture of one just above the radius and one just below is as near the optimum as they are.
    """
    found = {np.inf: start}

    def excess(log_price: float) -> float:
        if log_price not in found:
            found[log_price] = _priced(problem, patterns, [*found.values()][-1], float(np.exp(log_price)), budget)
        return problem.architecture.size(found[log_price]) / radius - 1.0

    low = high = first = float(np.log(price))
    if excess(first) > 0:
        while not budget.expired() and excess(high := high + 1.0) > 0:
            low = high
    else:
        while not budget.expired() and low > first - LOWEST and excess(low := low - 1.0) <= 0:
            high = low
    if excess(low) <= 0 or excess(high) > 0:
        return _inside(problem, found[high], found[high], radius), 0.0
    brentq(excess, low, high, xtol=1e-10, rtol=1e-12, maxiter=60)
    del found[np.inf]
    over = max((log_price for log_price in found if excess(log_price) > 0), default=low)
    under = min((log_price for log_price in found if excess(log_price) <= 0), default=high)
    return _inside(problem, found[over], found[under], radius), float(np.exp(under))


def _priced(problem: Problem, patterns: Patterns, start: Network, price: float, budget: Budget) -> Network:
    """The best network on the patterns at a price."""
    priced = replace(problem, penalty=Strength(price))
    network = start
    for iterate in FixedPatterns(patterns=patterns).iterates(priced, start, budget):
        network, point = iterate.network, iterate.pricing.dual
        primal = priced.objective(network)
        if budget.expired() or (point is not None and primal - point.value(priced) <= TOL * abs(primal)):
            break
    return network


def _inside(problem: Problem, over: Network, under: Network, radius: float) -> Network:
    """The mixture of two networks on the same cells whose size is the radius, or the first scaled into the ball."""
    (neurons, t), (others, s) = map(problem.architecture.from_network, (over, under))
    share = 1.0
    if t.sum() > radius >= s.sum():
        share = (radius - float(s.sum())) / float(t.sum() - s.sum())
    neurons, t = merge(problem, neurons.join(others), np.append(share * t, (1 - share) * s))
    b = share * over.layers[-1].bias + (1 - share) * under.layers[-1].bias
    return problem.architecture.to_network(neurons, min(1.0, radius / max(float(t.sum()), 1e-300)) * t, b)
