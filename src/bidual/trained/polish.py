"""A trained network made better and narrower, as a model of the same kind."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Any, final

from bidual.certificate import Method, relative
from bidual.errors import InvalidParameterError
from bidual.solvers import Stop
from bidual.solvers.threads import suitable_threads
from bidual.trained.irreducible import is_irreducible, reduced
from bidual.trained.objective import Objective
from bidual.trained.proving import prove
from bidual.trained.reading import read


@final
@dataclass(frozen=True, eq=False)
class Polished:
    """The polished model, and what became of it.

    Parameters
    ----------
    model : of the same kind as the one given, which is left as it was
    before, after : the training objectives, ``after <= before``
    neurons_before, neurons_after : the hidden neurons
    irreducible : no two neurons have the same activation pattern and direction of outputs, and their predictions on the
        data are linearly independent. This is not "as narrow as possible", which is NP-hard to tell.
    dual, method : proven: no network of any width has an objective below ``dual``
    seconds : what it took
    """

    model: Any
    before: float
    after: float
    neurons_before: int
    neurons_after: int
    irreducible: bool
    dual: float
    method: Method
    seconds: float

    @property
    def relative_gap(self) -> float:
        """``(after - dual) / |after|``: no network of any width is better than the model by more than this."""
        return relative(self.after - self.dual, self.after)

    def __str__(self) -> str:
        width = "irreducible" if self.irreducible else "perhaps reducible"
        return (
            f"objective {self.before:.8g} -> {self.after:.8g}, neurons {self.neurons_before} -> {self.neurons_after} "
            f"({width}); proven for every network of any width: {self.dual:.8g} (by {self.method}), gap "
            f"{self.relative_gap:.2e}"
        )


def polish(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Any = None,
    weight_decay: Any = None,
    objective: Objective | None = None,
    max_neurons: int | None = None,
    tol: float = 1e-3,
    time_limit: float = 60.0,
    random_state: int = 0,
) -> Polished:
    """Train on from a trained network by convex optimisation, and take out every neuron that is not needed.

    The activation patterns of its neurons are where the solver starts: it re-solves all sizes, adds neurons that lower
    the objective, merges those that share a pattern, prunes those that others can replace, and lets the rest slide.
    Layers are balanced. The objective never rises, as computed in double precision from the weights that are returned.

    Parameters
    ----------
    model, X, y, loss, weight_decay, objective : as for :func:`bidual.audit`
    max_neurons : the most neurons that the result may have; by default as many as the model has
    tol : relative gap at which to stop
    time_limit : seconds after which to stop, about
    random_state : seed of the search for better neurons

    Returns
    -------
    Polished
        Its ``model``: a module for a module, an estimator for an estimator, a state_dict for a state_dict, and a
        Network for a Network or an ONNX file. scikit-learn's ``warm_start`` goes on from the new weights.

    Raises
    ------
    InvalidParameterError, InvalidDataError, RefusedError
        As for :func:`bidual.audit`.
    """
    began = time.monotonic()
    if max_neurons is not None and max_neurons < 1:
        raise InvalidParameterError(f"max_neurons must be at least 1, got {max_neurons!r}")
    stop = Stop(tol, time_limit=time_limit)
    trained = read(model, X, y, loss=loss, weight_decay=weight_decay, objective=objective)
    posed, width = trained.posed(), trained.network.n_neurons
    entered = posed.enter(trained.network)
    with suitable_threads(posed.problem.lifted.size):
        proof = prove(posed.problem, stop, random_state, entered, max_neurons or max(width, 1))
        before = trained.value(trained.network)
        for form in (proof.solution.network, entered):
            made, stored = trained.rebuild(posed.leave(reduced(posed.problem, form)))
            if trained.value(stored) <= before:
                break
        else:
            made, stored = copy.deepcopy(model), trained.network
        irreducible = is_irreducible(posed.problem, posed.enter(stored))
    return Polished(
        made,
        before,
        trained.value(stored),
        width,
        stored.n_neurons,
        irreducible,
        proof.value,
        proof.point.bound.method,
        time.monotonic() - began,
    )
