"""Sub-networks of three layers: their weights, and what is not one of their networks."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import Neurons, ParallelReLU3, ReLU, no_neurons
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Layer, Network


def branches(W, w, a) -> Network:
    """((x'W)_+ w)_+ a, one branch for each entry of W (K, d, h), w (K, h) and a (K, c)."""
    W, w, a = np.asarray(W, dtype=float), np.asarray(w, dtype=float), np.asarray(a, dtype=float)
    K, _, h = W.shape
    first, second = Layer(W, np.zeros((K, h)), "relu"), Layer(w[:, :, None], np.zeros((K, 1)), "relu")
    return Network((first, second, Layer(a[:, None], np.zeros((K, a.shape[1])))))


def test_weights_are_those_of_least_penalty() -> None:
    """``(|w_k|^2 + a_k^2)/2`` with ``|W_k|_F <= 1``, and the cubic decay after it is balanced."""
    rng, architecture = np.random.default_rng(0), ParallelReLU3("none")
    given = branches(rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 1)))
    size = architecture.size(given)
    network = architecture.to_network(*architecture.from_network(given), np.zeros(1))
    X = rng.normal(size=(20, 2))
    np.testing.assert_allclose(network(X), given(X), atol=1e-12)
    W, w, a = (layer.weight for layer in network.layers)
    F, second, third = np.linalg.norm(W, axis=(1, 2)), np.linalg.norm(w, axis=(1, 2)), np.abs(a[:, 0, 0])
    np.testing.assert_allclose(F, 1.0)
    assert (second**2 + third**2).sum() / 2 == pytest.approx(size)
    assert (F * second * third).sum() == pytest.approx(size)
    equal = (F * second * third) ** (1 / 3)
    assert 3 * (equal**3).sum() / 3 == pytest.approx(size)
    given_W, given_w, given_a = (layer.weight for layer in given.layers)
    penalty = np.linalg.norm(given_W, axis=(1, 2)) * np.linalg.norm(given_w, axis=(1, 2)) * np.abs(given_a[:, 0, 0])
    assert penalty.sum() >= size


def test_single_units_are_networks_and_join_with_them() -> None:
    architecture, X = ParallelReLU3("none"), np.array([[1.0, 0.0], [-1.0, 2.0]])
    one = Neurons(np.array([[1.0], [0.0]]), np.ones((1, 1)))
    units = np.zeros((2, 2, 2, 1))
    units[0, 0, 0], units[1, 1, 1] = 0.5, 0.5
    both = no_neurons(2, 1).join(one).join(Neurons(units, -np.ones((1, 1))))
    np.testing.assert_allclose(architecture.activations(X, both), [[1.0, 0.5], [0.0, 0.0]])
    np.testing.assert_allclose(architecture.activations(X, both), architecture.activations(X, both.take(np.arange(2))))
    np.testing.assert_allclose(
        architecture.activations(X, one), ReLU(bias="none").activations(X, one), err_msg="a unit is its own sub-network"
    )


def test_a_residual_block_is_not_two_parallel_networks() -> None:
    """He et al. (2016): the outer ReLU of ``(F(x) + x)_+`` does not split into one of F and one of x."""
    X = np.array([[-1.0], [1.0]])
    F = 2.0 * np.maximum(-X, 0.0)
    block = np.maximum(F + X, 0.0)
    split = branches([[[-1.0]], [[1.0]]], [[2.0], [1.0]], [[1.0], [1.0]])
    np.testing.assert_allclose(split(X), np.maximum(F, 0.0) + np.maximum(X, 0.0))
    assert np.abs(split(X) - block).max() == pytest.approx(1.0)
    assert np.linalg.norm(np.eye(4)) == 2.0  # the identity's weights are no first layer of norm 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bias": "free"}, "bias='free'"),
        ({"outputs": "shared"}, "outputs='separate'"),
        ({"first": 0}, "first must"),
        ({"width": 3}, "width must"),
    ],
)
def test_refused_parameters(options, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        ParallelReLU3(**options)


def test_networks_of_another_class_are_refused() -> None:
    architecture, good = ParallelReLU3("none"), branches(np.ones((2, 2, 3)), np.ones((2, 3)), np.ones((2, 1)))
    assert architecture.refusal(good, 2, 1, False) is None
    first, second, last = good.layers
    flat = Network((Layer(np.ones((2, 3)), np.zeros(3), "relu"), Layer(np.ones((3, 1)), np.zeros(1))))
    wide = Network((first, Layer(np.ones((2, 3, 2)), np.zeros((2, 2)), "relu"), Layer(np.ones((2, 2, 1)), last.bias)))
    for network, message in (
        (flat, "three layers"),
        (wide, "one relu"),
        (Network((Layer(first.weight, first.bias, "relu", 0.1), second, last)), "units"),
        (Network((Layer(first.weight, np.ones((2, 3)), "relu"), second, last)), "biases"),
        (Network((first, Layer(second.weight, np.ones((2, 1)), "relu"), last)), "biases"),
        (Network((first, second, Layer(last.weight, np.ones((2, 1))))), "intercept"),
    ):
        assert message in str(architecture.refusal(network, 2, 1, False))
    assert "features" in str(architecture.refusal(good, 3, 1, False))


def test_too_many_subsets_are_refused() -> None:
    with pytest.raises(RefusedError, match="2\\^17 subsets"):
        ParallelReLU3().all_patterns(np.ones((17, 2)))
