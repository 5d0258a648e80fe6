"""Two numbers that enclose the optimum, whether the assumptions hold exactly, nearly, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidual.errors import CertificateError
from bidual.network import Layer, Network
from bidual.theorems import (
    DeepProblem,
    NuclearNorm,
    Projection,
    RankOneReLU,
    TheoremCertificate,
    WhitenedLinear,
    WhitenedReLU,
    solve,
)

from .adam import adam
from .cases import CASES, CLASSES, RANK_ONE, Draw, Q


@pytest.mark.parametrize("name", CASES)
def test_forgeries_are_rejected(name: str) -> None:
    found = solve(CASES[name][0])
    certificate, problem, network = found.certificate, found.problem, found.network
    certificate.verify(problem, network)
    first, *others = network.layers
    for forged, data, shown, words in (
        (replace(certificate, primal=certificate.primal * (1 - 1e-6)), problem, network, "primal is stated"),
        (replace(certificate, dual=certificate.dual * (1 + 1e-6)), problem, network, "dual is stated"),
        (replace(certificate, scope="patterns"), problem, network, "scope 'global'"),  # type: ignore[arg-type]
        (certificate, replace(problem, Y=1.01 * problem.Y), network, "primal is stated"),
        (certificate, problem, Network((replace(first, weight=1.01 * first.weight), *others)), "primal is stated"),
        (certificate, replace(problem, beta=0.0), network, "proves nothing here|does not fit"),
        (certificate, replace(problem, n_layers=problem.n_layers + 1), network, "the network has|nothing here"),
    ):
        with pytest.raises(CertificateError, match=words):
            forged.verify(data, shown)


@pytest.mark.parametrize("theorem", [Projection(), WhitenedLinear(), RankOneReLU()])
def test_theorems_about_other_networks_prove_nothing(theorem: object) -> None:
    problem = DeepProblem(Q[:5], CLASSES, 3, "linear", 0.1)
    if isinstance(theorem, WhitenedLinear):
        problem = replace(problem, activation="relu")
    found = solve(problem)
    forged = replace(found.certificate, theorem=theorem)  # type: ignore[arg-type]
    with pytest.raises(CertificateError, match=f"{forged.method} proves nothing here: it is about"):
        forged.verify(problem, found.network)


def test_it_says_what_it_proves() -> None:
    found = solve(CASES["whitened ReLU"][0])
    assert str(found.certificate).startswith("primal 0.4017") and "(scope global, by whitened ReLU)" in str(
        found.certificate
    )


@given(st.integers(0, 10**6), st.integers(2, 5), st.floats(-12, -6))
def test_bounds_hold_on_data_that_are_nearly_whitened(seed: int, n_layers: int, exponent: float) -> None:
    """The dual of perturbed data stays below the objective of the exact closed form's network on them."""
    rng = np.random.default_rng(seed)
    for activation, theorem, X in (
        ("linear", WhitenedLinear(), 3 * Q[:5]),
        ("linear", WhitenedLinear(), 3 * Q[:, :4]),
        ("relu", WhitenedReLU(), 3 * Q[:5]),
    ):
        Y = np.repeat(np.eye(2), [2, len(X) - 2], axis=0)
        exact = DeepProblem(X, Y, n_layers, activation, 0.2)  # type: ignore[arg-type]
        network = solve(exact).network
        near = replace(exact, X=X + 10**exponent * rng.standard_normal(X.shape))
        certificate = TheoremCertificate.of(theorem, near, network)
        assert certificate.dual <= certificate.primal
        assert certificate.gap <= 100 * 10**exponent * certificate.primal


@given(st.integers(0, 10**6), st.integers(2, 4), st.floats(-14, -10))
def test_bounds_hold_on_data_that_are_nearly_of_rank_one(seed: int, n_layers: int, exponent: float) -> None:
    rng = np.random.default_rng(seed)
    exact = DeepProblem(RANK_ONE, rng.standard_normal((5, 2)), n_layers, "relu", 0.1)
    network = solve(exact).network
    near = replace(exact, X=exact.X + 10**exponent * rng.standard_normal(exact.X.shape))
    certificate = TheoremCertificate.of(RankOneReLU(), near, network)
    assert certificate.dual <= min(certificate.primal, exact.objective(network) + 1e-9)
    assert certificate.gap <= 1e4 * 10**exponent * certificate.primal + 2e-12 * certificate.primal


def test_data_that_are_not_of_rank_one_prove_nothing() -> None:
    """The bound of the rank-one part alone would be above what Adam finds."""
    X = np.outer([1, 1, 1, 0.9], [1, 0]) + 0.3 * np.outer([1, -1, 1, -1], [0, 1])
    problem = DeepProblem(X, [3, 0, 3, 0], 2, "relu", 0.1)
    network = solve(replace(problem, X=np.outer([1, 1, 1, 0.9], [1, 0]))).network
    best = adam(problem, (4,), steps=300)
    assert best < 0.5 * problem.objective(network)
    assert TheoremCertificate.of(RankOneReLU(), problem, network).dual < best


def test_bounds_hold_on_any_data(draw: Draw) -> None:
    """No assumption is needed for a bound, only for a tight one: Adam stays above it on data that violate all."""
    X, Y = draw((6, 4)), draw((6, 2))
    for activation, theorem, n_layers, beta in (
        ("linear", WhitenedLinear(), 3, 0.3),
        ("linear", NuclearNorm(), 2, 0.3),
        ("relu", WhitenedReLU(), 2, 0.3),
    ):
        problem = DeepProblem(X, Y, n_layers, activation, beta)  # type: ignore[arg-type]
        network = Network(
            (
                Layer(np.zeros((4, 1)), np.zeros(1), activation),
                *[Layer(np.zeros((1, 1)), np.zeros(1), activation)] * (n_layers - 2),
                Layer(np.zeros((1, 2)), np.zeros(2)),
            )
        )
        certificate = TheoremCertificate.of(theorem, problem, network)  # type: ignore[arg-type]
        best = adam(problem, (6,) * (n_layers - 1), steps=300)
        assert 0 < certificate.dual < best < certificate.primal


def test_the_objective_of_batch_norm_is_that_of_gamma_and_alpha(draw: Draw) -> None:
    """An affine first layer pays what the normalised one does that gives the same pre-activations."""
    X, Y = draw((5, 3)), draw((5, 2))
    problem = DeepProblem(X, Y, 2, "relu", 0.3, batch_norm=True)
    W, gamma, alpha, A = draw((3, 4)), draw(4), draw(4), draw((4, 2))
    centred = X @ W - (X @ W).mean(axis=0)
    normalised = gamma * centred / np.linalg.norm(centred, axis=0) + alpha / 5**0.5
    f = np.maximum(normalised, 0) @ A
    objective = 0.5 * np.sum((f - Y) ** 2) + 0.15 * (np.sum(gamma**2) + np.sum(alpha**2) + np.sum(A**2))
    scale = gamma / np.linalg.norm(centred, axis=0)
    plain = Layer(W * scale, alpha / 5**0.5 - (X @ W).mean(axis=0) * scale, "relu")
    assert problem.objective(Network((plain, Layer(A, np.zeros(2))))) == pytest.approx(objective, rel=1e-12)


def test_the_l_th_power_is_paid_by_each_branch(draw: Draw) -> None:
    W, V = draw((2, 3, 1)), draw((2, 1, 2))
    network = Network(
        (Layer(W, np.zeros((2, 1))), Layer(draw((2, 1, 1)), np.zeros((2, 1))), Layer(V, np.zeros((2, 2))))
    )
    problem = DeepProblem(draw((4, 3)), draw((4, 2)), 3, "linear", 0.6, regularizer="lth_power")
    price = sum(np.linalg.norm(layer.weight[b]) ** 3 for layer in network.layers for b in (0, 1)) * 0.2
    loss = 0.5 * np.sum((network(problem.X) - problem.Y) ** 2)
    assert problem.objective(network) == pytest.approx(loss + price, rel=1e-12)
