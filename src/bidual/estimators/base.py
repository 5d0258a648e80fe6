"""What the regressor and the classifier share: fit as translation, predict as its inverse."""

from __future__ import annotations

import math
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from bidual.errors import BidualError, InvalidDataError, InvalidParameterError, RefusedError
from bidual.estimators.callbacks import CallbackSupportMixin, Listeners, Watched
from bidual.estimators.certificate import FittedCertificate
from bidual.estimators.depth import deepened
from bidual.estimators.encoding import Encoding
from bidual.estimators.formulation import Formulation, fit_encoding
from bidual.estimators.parameters import (
    check_memory,
    check_parameters,
    choose_architecture,
    choose_penalty,
    choose_solver,
    draw_seed,
)
from bidual.estimators.rows import WeightedRows
from bidual.estimators.status import warn_unless_proven
from bidual.estimators.targets import ClassTargets, Labels, Targets
from bidual.losses import Loss
from bidual.network import Layer, Network
from bidual.problem import Problem
from bidual.solvers import Record, Solver, Status, Stop
from bidual.typing import Outputs, Rows, Weights

_REMEDIES: Mapping[str, str] = {
    "could not convert string": "X, sample_weight and the y of a regressor must hold numbers: encode text as numbers",
    "inhomogeneous shape": "X must be a table whose rows have one length",
    "Complex data": "X and y must be real: give real and imaginary parts as columns of their own",
    "Expected 2D array": "X must have the shape (n_samples, n_features)",
    "Found array with dim": "X must have the shape (n_samples, n_features), y (n_samples,) or (n_samples, n_outputs)",
    "sample(s)": "X must have at least one row",
    "feature(s)": "X, and y if it has two dimensions, must have at least one column",
    "contains NaN": "remove these rows, or impute them",
    "contains infinity": "remove these rows, or replace the entries",
    "inconsistent numbers of samples": "give X and y as many rows",
    "y should be a 1d array": "give one label for each row, or fit a classifier for each column",
    "Unknown label type": "y must hold labels of one type, text or whole numbers; numbers are for MLPRegressor",
    "Negative values": "drop these rows, or give them weight 0",
    "at least one non-zero number": "leave sample_weight out to weigh evenly",
    "sample_weight.shape": "give one sample_weight for each row",
    "Sample weights must be 1D": "give sample_weight the shape (n_samples,)",
}
"""Words of scikit-learn's refusals, and what to do."""


@final
@dataclass(frozen=True, eq=False)
class Posed:
    """A training problem with its rows, its solver, and the user's data as scikit-learn's callbacks are given them."""

    formulation: Formulation
    rows: WeightedRows
    problem: Problem
    solver: Solver
    data: dict[str, Any]


class ConvexMLP(CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):  # type: ignore[misc]
    """A network trained to a certified optimum. Use MLPRegressor or MLPClassifier."""

    _losses: ClassVar[tuple[str, ...]]
    _y_is: ClassVar[dict[str, bool]]
    """What scikit-learn's validation is told of y."""

    @abstractmethod
    def _check_y(self, y: Any) -> Any:
        """y as an array of the kind the estimator predicts."""

    @abstractmethod
    def _make_targets(self, y: Any, weights: Weights) -> Targets:
        """How y is encoded, its scaling still open."""

    @abstractmethod
    def _make_loss(self, targets: Targets) -> Loss:
        """The core's loss."""

    @abstractmethod
    def _final_activation(self, targets: Targets) -> str:
        """scikit-learn's name of what becomes of the outputs."""

    def _pose(self, X: Any, y: Any, sample_weight: Any) -> Posed:
        """The training problem of these data, and the solver that the parameters ask for."""
        params = self.get_params(deep=False)
        check_parameters(params, self._losses)
        seed = draw_seed(self.random_state)
        with refusing():
            X, y = validate_data(self, X, y, dtype=np.float64, **self._y_is)
            y = self._check_y(y)
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        check_memory(self.memory_limit, X)
        targets = self._make_targets(y, weights)
        rows = WeightedRows.collect(X, targets.columns(y), weights)
        architecture = choose_architecture(params, X.shape[1])
        encoding = fit_encoding(rows, targets, architecture, bool(self.fit_intercept), bool(self.standardize))
        architecture = deepened(architecture, params, encoding.encode(rows)[0], seed)
        penalty = choose_penalty(params, float(rows.weights.sum()))
        formulation = Formulation(
            self._make_loss(targets), architecture, penalty, bool(self.fit_intercept), bool(self.standardize), encoding
        )
        problem = formulation.problem(rows)
        data = {"X": X, "y": y, "metadata": {} if sample_weight is None else {"sample_weight": weights}}
        return Posed(formulation, rows, problem, choose_solver(params, problem, seed), data)

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        posed = self._pose(X, y, sample_weight)
        formulation, problem, data = posed.formulation, posed.problem, posed.data
        encoding, start = formulation.encoding, self._start(formulation, problem.n_outputs)
        solver = Watched(posed.solver)
        listeners = Listeners(self, data, solver, lambda net, past: self._fitted_network(net, past, encoding))
        time_limit = math.inf if self.time_limit is None else float(self.time_limit)
        stop = Stop(float(self.tol), int(self.max_iter), time_limit)
        try:
            solution = solver.solve(problem, stop, listeners, start)
        except RefusedError as error:
            if self.solver not in ("conic", "wide_program"):
                raise
            raise RefusedError(f"solver={self.solver!r} refuses this problem ({error}); use solver='auto'") from error
        certificate = FittedCertificate(solution.certificate, solution.network, formulation)
        self._restore(certificate, solution.status, solution.history)
        listeners.close()
        warn_unless_proven(solution.status, certificate, type(self).__name__)
        return self

    def _start(self, formulation: Formulation, n_outputs: int) -> Network | None:
        """The network of the last fit in the units of this one, if ``warm_start`` and there is one."""
        if not (self.warm_start and hasattr(self, "network_")):
            return None
        before: Formulation = self.certificate_.formulation
        if before.architecture != formulation.architecture:
            raise InvalidParameterError(
                f"warm_start=True cannot go on from {before.architecture!r} to {formulation.architecture!r}; keep "
                "activation, bias and outputs (layers, filters, and the data and random_state, too, where deep gates "
                "are drawn), or set warm_start=False"
            )
        shape = (self.network_.n_inputs, self.network_.n_outputs)
        expected = (formulation.encoding.inputs.unit.size, n_outputs)
        if shape != expected or not np.array_equal(_classes(before), _classes(formulation)):
            raise InvalidDataError(
                f"warm_start=True goes on from a network of {shape[0]} features and {shape[1]} outputs, but these data "
                f"have {expected[0]} and {expected[1]}, or other classes; set warm_start=False"
            )
        if before.encoding.same_as(formulation.encoding):
            return self.network_
        return formulation.encoding.unfold(before.encoding.fold(self.network_))

    def _restore(self, certificate: FittedCertificate, status: Status, history: tuple[Record, ...]) -> None:
        """Set the fitted attributes."""
        self.certificate_ = certificate
        self.status_ = status.value
        fitted = self._fitted_network(certificate.network, history, certificate.formulation.encoding)
        for name, value in fitted.items():
            setattr(self, name, value)
        self.loss_ = (
            certificate.primal
        )  # of this very network; the history keeps the least, which rounding may be under

    def _fitted_network(self, network: Network, history: tuple[Record, ...], encoding: Encoding) -> dict[str, Any]:
        """The fitted attributes that do not depend on how the solve ended."""
        layers = encoding.fold(network).layers
        curve = [record.primal for record in history]
        fitted = {
            "network_": network,
            "encoding_": encoding,
            "history_": history,
            "n_iter_": max(1, len(history) - 1),
            "n_neurons_": network.n_neurons,
            "n_layers_": 1 + self.n_layers,
            "n_outputs_": network.n_outputs,
            "out_activation_": self._final_activation(encoding.targets),
            "coefs_": [layer.weight for layer in layers],
            "intercepts_": [layer.bias for layer in layers],
            "gates_": _gates(layers[0]),
            "loss_": curve[-1],
            "best_loss_": min(curve),
            "loss_curve_": curve,
        }
        if isinstance(encoding.targets, ClassTargets):
            fitted["classes_"] = encoding.targets.classes
        return fitted

    def _outputs(self, X: Any) -> Outputs:
        """(n, c): the outputs of the network in standard units."""
        check_is_fitted(self)
        with refusing():
            X = validate_data(self, X, dtype=np.float64, reset=False)
        return _evaluate(self.network_, self.encoding_.inputs.apply("X", X))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator, its certificate included, to ``path``; :func:`bidual.load_model` reads it.

        No pickle is written. ``callback`` is left out, and a ``random_state`` that is not an integer.
        """
        from bidual.estimators.files import save_model

        check_is_fitted(self)
        save_model(self, path)


def _gates(hidden: Layer) -> tuple[Any, Any] | None:
    """What opens gated units: weights and biases, or a network of gates and the units' paths through it."""
    if hidden.gates is not None:
        return hidden.gates, hidden.paths
    return None if hidden.gate is None else (hidden.gate, hidden.gate_bias)


def _classes(formulation: Formulation) -> Labels:
    """The labels of a classifier, none of a regressor."""
    targets = formulation.encoding.targets
    return targets.classes if isinstance(targets, ClassTargets) else np.zeros(0)


def _evaluate(network: Network, X: Rows) -> Outputs:
    with np.errstate(over="ignore", invalid="ignore"):
        F = network(X)
    if not np.isfinite(F).all():
        raise InvalidDataError("X lies so far from the data of fit that the network's outputs overflow; rescale X")
    return F


@contextmanager
def refusing() -> Iterator[None]:
    """scikit-learn's refusals as the library's: the same sentence with a remedy, and still a ValueError."""
    try:
        yield
    except BidualError:
        raise
    except ValueError as error:
        sentence = str(error).strip()
        remedy = next((remedy for part, remedy in _REMEDIES.items() if part in sentence), "")
        raise InvalidDataError(f"{sentence.rstrip('.!')}; {remedy}" if remedy else sentence) from error
