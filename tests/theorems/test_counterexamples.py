"""What is said of these networks, and is not so."""

from __future__ import annotations

import numpy as np
import pytest

from bidual import closed_form
from bidual.errors import CertificateError
from bidual.network import Layer, Network
from bidual.theorems import DeepProblem, prox, solve

from .adam import adam
from .cases import Draw, Q

CLASSES = np.repeat(np.eye(3), [1, 2, 3], axis=0)


def chain(*weights: np.ndarray, activation: str = "linear") -> Network:
    layers = [Layer(w, np.zeros(w.shape[1]), activation) for w in weights[:-1]]
    return Network((*layers, Layer(weights[-1], np.zeros(weights[-1].shape[1]))))


def test_shrinking_singular_values_needs_whitened_data(draw: Draw) -> None:
    """For general X the projection on ``||X'U||_2 <= beta`` is no soft threshold of singular values."""
    X, Y, beta = draw((6, 3)), draw((6, 2)), 0.3
    problem = DeepProblem(X, Y, 2, "linear", beta)
    best = solve(problem).certificate
    U, s, Vt = np.linalg.svd(X.T @ Y, full_matrices=False)
    for W in (U * np.maximum(s - beta, 0) @ Vt, np.linalg.pinv(X.T @ X) @ (U * np.maximum(s - beta, 0) @ Vt)):
        A, t, Bt = np.linalg.svd(W, full_matrices=False)
        found = problem.objective(chain(A * t**0.5, t[:, None] ** 0.5 * Bt))
        assert found > best.primal + 1e-3


def test_the_square_of_the_output_weights_is_no_price_with_unit_input_weights(draw: Draw) -> None:
    """``beta ||w_2||^2`` with ``||w_1j|| <= 1`` tends to nothing as the layer widens: it must be the 1-norm."""
    X, y, beta = draw((6, 3)), draw(6), 0.3
    least = np.linalg.lstsq(X, y)[1][0] / 2
    w = np.linalg.lstsq(X, y)[0]
    prices = [0.5 * np.sum((X @ w - y) ** 2) + beta * m * (np.linalg.norm(w) / m) ** 2 for m in (1, 10, 1000)]
    assert prices[0] > prices[1] > prices[2] and prices[2] == pytest.approx(least, abs=1e-2)
    assert closed_form(X, y, beta=beta).certificate.dual > prices[2]


@pytest.mark.parametrize(("n_layers", "beta"), [(3, 0.4), (4, 0.3)])
def test_the_soft_threshold_is_for_two_layers(n_layers: int, beta: float) -> None:
    sigma = np.sqrt([1, 2, 3])
    problem = DeepProblem(np.eye(6), CLASSES, n_layers, "relu", beta)
    best = solve(problem).certificate
    s = np.maximum(sigma - beta, 0)
    soft = np.sum(0.5 * (s - sigma) ** 2 + problem.cost(s))
    assert soft > best.primal + 1e-3
    assert np.sum(0.5 * (prox(sigma, beta, n_layers)[0] - sigma) ** 2) < best.primal


def test_the_paper_s_weights_are_not_balanced(draw: Draw) -> None:
    """Unit input weights, and ``||w_1|| = t`` with the square in the last layer: right function, another price."""
    X, y = draw((6, 3)), 2 * draw(6)
    problem = DeepProblem(X, y, 3, "linear", 0.3)
    found = solve(problem)
    w = np.linalg.multi_dot([layer.weight for layer in found.network.layers])
    t = np.linalg.norm(w) ** (1 / 3)
    unit = w / np.linalg.norm(w)
    paper = chain(t * unit, np.ones((1, 1)), np.full((1, 1), t**2))
    np.testing.assert_allclose(paper(X), found.network(X), atol=1e-12)
    assert t != pytest.approx(1, abs=0.1) and problem.objective(paper) > found.certificate.primal + 1e-3


def test_stationary_norms_are_not_all_optimal() -> None:
    """Three local minima: zero, one near it, and the optimum; each is stationary in t."""
    problem = DeepProblem(np.diag([1, 0.01]), [3, 30], 3, "linear", 1.5)

    def value(nu: float) -> tuple[float, float]:
        q = nu * np.array([1, 0.01]) * [3, 30] / (1 + nu * np.array([1, 1e-4]))
        norm = np.linalg.norm(q)
        return 0.5 * np.sum((problem.X @ q - problem.Y[:, 0]) ** 2) + float(problem.cost(norm)), norm

    curve = np.array([value(nu) for nu in np.logspace(-4, 9, 4000)])
    inner = np.flatnonzero((curve[1:-1, 0] < curve[:-2, 0]) & (curve[1:-1, 0] < curve[2:, 0])) + 1
    np.testing.assert_allclose(curve[inner], [[453.982, 1.88], [404.868, 1756.9]], rtol=1e-2)
    assert solve(problem).certificate.primal < curve[inner[1], 0]


def test_both_signs_share_layers() -> None:
    """Rank one with c of both signs: from three layers on, a network is better than one path for each sign."""
    c = np.array([1, 1, -1, -1]) / 2**0.5
    y, beta, a = 2 * np.abs(c), 0.2, np.array([[1.0]])
    problem = DeepProblem(c[:, None] * a, y, 3, "relu", beta)
    rays = [np.linalg.norm(np.maximum(sign * c, 0)) for sign in (1, -1)]
    separate = sum(0.5 * (r * s - 2 * r) ** 2 + problem.cost(s) for r in rays for s in prox([2.0], beta / r**2, 3)[0])
    assert adam(problem, (4, 4), steps=500) < 0.9 * separate
    with pytest.raises(ValueError, match="2 of 4 rows have the other sign"):
        solve(problem)


def narrow(n: int, n_layers: int) -> list[np.ndarray]:
    """Weights of a ReLU network with ``f(I) = I`` whose hidden layers are two neurons wide, but for the last.

    The rows go to different points on a quarter circle. Unit j of the last hidden layer is positive from point j on, so
    that its outputs are a triangular matrix, which the output weights invert.
    """
    angle = np.linspace(0, np.pi / 2, n + 2)
    points = np.column_stack([np.cos(angle), np.sin(angle)])[1:-1]
    units = np.column_stack([[-np.sin(t), np.cos(t)] for t in angle[:-2]]).reshape(2, n)
    last = np.linalg.inv(np.maximum(points @ units, 0))
    even = np.sqrt(np.linalg.norm(last, axis=1) / np.linalg.norm(units, axis=0))
    return [points, *[np.eye(2)] * (n_layers - 3), units * even, last / even[:, None]]


def test_a_chain_with_narrow_layers_is_better_than_parallel_branches() -> None:
    """Theorem 4 is about parallel branches. All classes can share two neurons per layer in a chain."""
    n, L, beta = 8, 12, 0.01
    problem = DeepProblem(np.eye(n), np.eye(n), L, "relu", beta)
    found = solve(problem)
    weights = narrow(n, L)
    norms = [np.linalg.norm(w) for w in weights]
    level = (0.99 * np.prod(norms)) ** (1 / L)
    shared = chain(*[w * (level / norm) for w, norm in zip(weights, norms, strict=True)], activation="relu")
    np.testing.assert_allclose(shared(np.eye(n)), 0.99 * np.eye(n), atol=1e-9)
    assert problem.objective(shared) < 0.6 * found.certificate.dual
    with pytest.raises(CertificateError, match="one neuron in the last hidden layer"):
        found.certificate.verify(problem, shared)
    # The 2/L-th powers of the singular values are no bound of such a chain's price; two layers have no such chain.
    two = DeepProblem(np.eye(n), np.eye(n), 2, "relu", beta)
    assert adam(two, (2 * n,), steps=300) >= solve(two).certificate.dual


def test_mixed_targets_cost_more_than_their_singular_values(draw: Draw) -> None:
    """Whitened data and targets of any sign: the singular values bound the optimum, but no ReLU network attains it."""
    Y = draw((5, 2))
    problem = DeepProblem(Q[:5], Y, 2, "relu", 0.2)
    s = np.linalg.svd(Y, compute_uv=False)
    bound = np.sum(0.5 * np.minimum(s, 0.2) ** 2 + 0.2 * np.maximum(s - 0.2, 0))
    assert bound + 1e-2 < adam(problem, (10,), steps=500)
    with pytest.raises(ValueError, match="targets of one sign"):
        solve(problem)


def test_a_closed_form_beyond_its_assumption_is_only_a_network(draw: Draw) -> None:
    """More rows than columns: the paths of the whitened case are far from the best network."""
    X, Y = draw((8, 3)), np.repeat(np.eye(2), 4, axis=0)
    problem = DeepProblem(X, Y, 2, "relu", 0.2)
    sigma = np.linalg.norm(Y, axis=0)
    paths = X.T @ Y / np.linalg.norm(X.T @ Y, axis=0)
    root = np.sqrt(prox(sigma, 0.2, 2)[0])
    found = problem.objective(chain(paths * root, np.diag(root), activation="relu"))
    assert adam(problem, (8,), steps=500) < 0.8 * found
    with pytest.raises(ValueError, match="whitened rows, so n <= d"):
        solve(problem)
