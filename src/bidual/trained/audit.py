"""How far a trained network is from the least objective that any width could reach."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from bidual.certificate import Certificate, Method, certify, relative
from bidual.errors import CertificateError, InvalidParameterError
from bidual.network import Network
from bidual.solvers import Stop
from bidual.solvers.threads import suitable_threads
from bidual.trained.free_biases import charged, charging
from bidual.trained.objective import Objective
from bidual.trained.proving import prove
from bidual.trained.reading import read
from bidual.trained.steps import AS_TRAINED, EXTENDED, Step, steps

RTOL = 1e-9
"""Rounding of what is computed again."""


@final
@dataclass(frozen=True, eq=False)
class AuditReport:
    """What is proven of a trained network, and networks that are better.

    Parameters
    ----------
    kind : what the network was read from
    objective : what its training minimised
    certificate : of the network with balanced layers, on the objective as a problem of this library; its ``dual`` is
        the lower bound
    share : None, or how that problem charges hidden biases that are free of charge, by
        :func:`~bidual.trained.free_biases.charging`: its optimum is then lower, and so is the bound
    steps : the network as it is, and changes that lower its objective: each a network, with its objective
    settings : loss, weight_decay and objective as they were given
    tol : the relative gap that was asked for
    seconds : what the audit took
    """

    kind: str
    objective: Objective
    certificate: Certificate
    share: float | None
    steps: tuple[Step, ...]
    settings: Mapping[str, Any]
    tol: float
    seconds: float

    @property
    def primal(self) -> float:
        """The objective of the network as it is."""
        return self.steps[0].objective

    @property
    def dual(self) -> float:
        """Proven: no network of this kind, of any width, has a lower objective."""
        return self.certificate.global_dual

    @property
    def gap(self) -> float:
        """``primal - dual``: no network is better by more than this."""
        return self.primal - self.dual

    @property
    def relative_gap(self) -> float:
        """``gap / |primal|`` (0 when both vanish)."""
        return relative(self.gap, self.primal)

    @property
    def best(self) -> float:
        """The least objective of a network found: the optimum is between ``dual`` and this."""
        return self.steps[-1].objective

    @property
    def scope(self) -> str:
        """What ``dual`` holds for: ``"global"``, every network of any width."""
        return self.certificate.global_point.bound.scope

    @property
    def method(self) -> Method:
        """How ``dual`` was proven."""
        return self.certificate.global_method

    @property
    def better(self) -> Network | None:
        """The network with one neuron more that lowers the objective; None if no such neuron was found."""
        return next((step.network for step in self.steps if step.name == EXTENDED), None)

    def verify(self, model: Any, X: Any, y: Any) -> None:
        """Prove every number again from the model and the data, with NumPy only.

        Raises
        ------
        CertificateError
            A number does not follow, or these are not the model and the data of the audit.
        """
        trained = read(model, X, y, **self.settings)
        if trained.kind != self.kind or not trained.objective.same_as(self.objective):
            raise CertificateError(f"the audit is of a {self.kind} trained on {self.objective}")
        given = Step(AS_TRAINED, self.primal, trained.network)
        for step in (given, *self.steps[1:]):
            value = trained.value(step.network)
            if not abs(value - step.objective) <= RTOL * abs(value):
                raise CertificateError(f"objective {step.name!r} is stated as {step.objective!r}, but is {value!r}")
        posed = trained.posed()
        problem, network = posed.problem, posed.enter(trained.network)
        if self.share is not None:
            problem, network = charging(problem, self.share), charged(problem, network, self.share)
        self.certificate.verify(problem, network)
        if not self.dual <= self.best + RTOL * abs(self.best):
            raise CertificateError(f"dual {self.dual!r} exceeds the objective {self.best!r} of a network")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report to one HTML file that needs no other."""
        from bidual.trained.page import write_page

        write_page(self, path)

    def __str__(self) -> str:
        lines = [
            f"primal {self.primal:.8g}, the training objective of this network ({self.kind})",
            f"dual   {self.dual:.8g}, proven for every network of any width (by {self.method})",
            f"gap    {self.relative_gap:.2e} relative: no network is better by more than this",
        ]
        for step in self.steps[1:]:
            lines.append(f"  {step.objective:.8g}  {step.name}: {step.network.n_neurons} neurons")
        return "\n".join(lines)


def audit(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Any = None,
    weight_decay: Any = None,
    objective: Objective | None = None,
    tol: float = 1e-3,
    time_limit: float = 60.0,
    random_state: int = 0,
) -> AuditReport:
    """Certify how far a trained network with one hidden layer of ReLU units is from the best of any width.

    The objective is the one that the model was trained on, with its own conventions; the data are taken as they are, so
    give X as the network saw it.

    Parameters
    ----------
    model : the trained network
        - a ``nn.Sequential`` of PyTorch (Linear, ReLU or LeakyReLU, Linear), or its ``state_dict()`` (ReLU);
        - a fitted MLPRegressor or MLPClassifier of scikit-learn, or of this library;
        - a :class:`~bidual.network.Network`, or the path of an ONNX file.
    X : (n, d)
    y : (n,) or (n, c), as the loss takes it
    loss : for PyTorch, ONNX and Network: "mse", "huber", "smooth_l1", "cross_entropy", "bce_with_logits" or
        "soft_margin", or such a module of ``torch.nn``
    weight_decay : for these, the ``weight_decay`` of the optimiser, or the optimiser itself. It charges every
        parameter, biases too: ``loss + weight_decay / 2 * (sum of all squared parameters)``, unless the optimiser has
        groups with others.
    objective : in place of loss and weight_decay, any other; y is then as its loss takes it
    tol : relative gap at which to stop looking for a better proof
    time_limit : seconds after which to stop, about
    random_state : seed of the search for better networks

    Raises
    ------
    InvalidParameterError, InvalidDataError
        Settings or data that do not go with the model.
    RefusedError
        Another kind of network, or a training that minimises no objective.
    """
    began = time.monotonic()
    stop = Stop(tol, time_limit=time_limit)
    if random_state < 0:
        raise InvalidParameterError(f"random_state must be a whole number from 0, got {random_state!r}")
    settings = {"loss": loss, "weight_decay": weight_decay, "objective": objective}
    trained = read(model, X, y, **settings)
    posed = trained.posed()
    entered = posed.enter(trained.network)
    with suitable_threads(posed.problem.lifted.size):
        proof = prove(posed.problem, stop, random_state)
        made = steps(
            trained, posed, proof.solution.network, random_state, lambda: time.monotonic() - began >= 1.5 * time_limit
        )
        own = entered if proof.share is None else charged(posed.problem, entered, proof.share)
        certificate = certify(proof.problem, own, whole=proof.point, enough=float("inf"))
    return AuditReport(
        trained.kind, trained.objective, certificate, proof.share, made, settings, tol, time.monotonic() - began
    )
