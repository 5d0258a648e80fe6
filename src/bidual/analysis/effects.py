"""A network whose units see at most two features as a sum of functions of one and of two features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.errors import InvalidDataError, RefusedError
from bidual.network import Network
from bidual.typing import Outputs, Rows, Vector

MOST_ROWS = 300
"""Means over a feature are over so many rows at most, evenly spaced among all."""

Term = tuple[int, ...]
"""One feature, or two in order."""


@final
class Effects:
    """``f(x) = constant + sum_j f_j(x_j) + sum_jk f_jk(x_j, x_k)``: the functional analysis of variance of a network.

    Means are over the values that features have in the rows, each feature by itself: every f_j has mean zero, and every
    f_jk has mean zero over either feature, whatever the other is. So f_j is the centred partial dependence, and a pair
    says what no functions of its features alone can (Hooker 2007; Lengerich, Tan, Chang, Hooker & Caruana 2020).

    Parameters
    ----------
    network : each unit of its first layer sees at most two features, or all of them together do
    X : (n, d), the rows that the means are over

    Attributes
    ----------
    constant : (c,)
    terms : the features ``(j,)`` and pairs ``(j, k)`` that the network sees, the most important first
    importances : (T, c), the standard deviation over the rows of what each term contributes

    Raises
    ------
    RefusedError
        A unit sees three features or more.
    InvalidDataError
        X has other columns than the network, or no rows.
    """

    def __init__(self, network: Network, X: ArrayLike):
        rows = np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != network.n_inputs or len(rows) == 0:
            raise InvalidDataError(f"X must have shape (n, {network.n_inputs}) and a row, got shape {rows.shape}")
        self.n_outputs = network.n_outputs
        self._reference = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(np.intp)]
        self._parts = _parts(network)
        bias = np.atleast_2d(network.layers[-1].bias).sum(axis=0)
        self.constant: Vector = np.sum([bias, *(self._mean(term) for term in self._parts)], axis=0)
        features = sorted({j for term in self._parts for j in term})
        terms: list[Term] = [*((j,) for j in features), *(term for term in self._parts if len(term) == 2)]
        spread = np.zeros((len(terms), self.n_outputs))
        for sizes, term in zip(spread, terms, strict=True):
            sizes[:] = self.contribution(term, rows).std(axis=0)
        order = np.argsort(-np.linalg.norm(spread, axis=1), kind="stable")
        self.terms: tuple[Term, ...] = tuple(terms[i] for i in order)
        self.importances: Outputs = spread[order]

    def contribution(self, term: Term, X: ArrayLike) -> Outputs:
        """(n, c): what a feature ``(j,)`` or a pair ``(j, k)`` adds to the outputs at the rows of X (n, d)."""
        rows = np.asarray(X, dtype=np.float64)
        total = np.zeros((len(rows), self.n_outputs))
        if len(term) == 1:
            for seen in self._parts:
                if term[0] in seen:
                    total += self._margin(seen, term[0], rows) - self._mean(seen)
        elif term in self._parts:
            total += self._parts[term](rows) + self._mean(term)
            for j in term:
                total -= self._margin(term, j, rows)
        return total

    def _margin(self, seen: Term, j: int, rows: Rows) -> Outputs:
        """(n, c): the part of these features, on average over the other one than j."""
        if len(seen) == 1:
            return self._parts[seen](rows)
        (other,) = set(seen) - {j}
        values, place = np.unique(rows[:, j], return_inverse=True)
        points = np.zeros((values.size * len(self._reference), rows.shape[1]))
        points[:, j] = np.repeat(values, len(self._reference))
        points[:, other] = np.tile(self._reference[:, other], values.size)
        means: Outputs = self._parts[seen](points).reshape(values.size, -1, self.n_outputs).mean(axis=1)
        return means[place]

    def _mean(self, seen: Term) -> Vector:
        """(c,): the mean of a part over both features."""
        if not seen:
            return self._parts[seen](self._reference[:1])[0]
        mean: Vector = self._margin(seen, seen[0], self._reference).mean(axis=0)
        return mean


def _parts(network: Network) -> dict[Term, Network]:
    """The network without its output bias, as a sum of networks that see one set of features each."""
    *hidden, last = network.layers
    last = replace(last, bias=np.zeros_like(last.bias))
    first = network.layers[0]
    if len(hidden) != 1 or network.n_branches is not None or first.patches is not None or first.gates is not None:
        every = tuple(range(network.n_inputs))
        return {_few(every): Network((*hidden, last))}
    reads = first.weight != 0 if first.gate is None else (first.weight != 0) | (first.gate != 0)
    parts: dict[Term, Network] = {}
    for pattern in np.unique(reads, axis=1).T if reads.shape[1] else ():
        units: NDArray[np.intp] = np.flatnonzero((reads == pattern[:, None]).all(axis=0))
        arrays: dict[str, Any] = {name: array[..., units] for name, array in first.arrays.items()}
        some = Network((replace(first, **arrays), replace(last, weight=last.weight[units])))
        parts[_few(tuple(np.flatnonzero(pattern).tolist()))] = some
    return parts


def _few(features: Term) -> Term:
    if len(features) <= 2:
        return features
    raise RefusedError(
        f"a unit sees the features {list(features)}, so the network is no sum of functions of one or two features; "
        "train it with interaction_cst='pairwise'"
    )
