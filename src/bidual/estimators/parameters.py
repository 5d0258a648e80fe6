"""The estimators' parameters: what each may be, and which part of the core it chooses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from bidual.architectures import (
    Architecture,
    Bounded,
    Convolutional,
    GatedReLU,
    Linear,
    ParallelReLU3,
    ReLU,
    Sign,
    Tanh,
)
from bidual.errors import InvalidDataError, InvalidParameterError, MemoryLimitError, MissingDependencyError
from bidual.estimators.depth import check_depth, wide_program
from bidual.estimators.interactions import constrained
from bidual.oracles import (
    BranchAndBound,
    Classifiers,
    Enumerated,
    LineSearch,
    LocalSearch,
    MixedInteger,
    Oracle,
    Sampled,
    SpikeFree,
    Swept,
    TanhAscent,
)
from bidual.patches import Patches
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers import SOLVERS, FixedPatterns, Incremental, Restarts, Solver, WorkingSet
from bidual.solvers.working_set import default_oracle
from bidual.typing import Rows

ACTIVATIONS: Mapping[str, Callable[..., Architecture]] = {
    "relu": ReLU,
    "leaky_relu": lambda **kwargs: ReLU(slope=0.01, **kwargs),
    "abs": lambda **kwargs: ReLU(slope=-1.0, **kwargs),
    "gated_relu": GatedReLU,
    "linear": Linear,
    "identity": Linear,
    "sign": Sign,
    "tanh": Tanh,
}

ORACLES: Mapping[str, Callable[[], Oracle]] = {
    "enumerated": Enumerated,
    "local_search": LocalSearch,
    "branch_and_bound": BranchAndBound,
    "spike_free": SpikeFree,
    "swept": Swept,
    "line_search": LineSearch,
    "mixed_integer": MixedInteger,
    "logistic": lambda: Classifiers("logistic"),
    "svm": lambda: Classifiers("svm"),
    "perceptron": lambda: Classifiers("perceptron"),
    "tanh_ascent": TanhAscent,
}

_REPLACED = {
    ("activation", "logistic"): "it is tanh with other weights and an intercept; use 'tanh'",
    ("solver", "adam"): "training is convex and needs no learning rate; use solver='auto'",
    ("solver", "sgd"): "training is convex and needs no learning rate; use solver='auto'",
    ("solver", "lbfgs"): "the convex program has constraints that L-BFGS does not know; use solver='auto'",
    ("loss", "poisson"): "its conjugate is not implemented; use 'squared_error' or 'huber'",
}
"""Values that scikit-learn's MLP takes, and what to use instead."""


_NUMBERS = {
    "alpha": "use a small alpha such as 1e-6 to fit closely (the width is found by the solver, max_neurons limits it)",
    "tol": "it is the relative certified gap to stop at, 1e-3 by default",
    "radius": "it bounds the size of the network; use radius=None to price the size by alpha instead",
    "time_limit": "give seconds, or None for no limit",
    "memory_limit": "give bytes, or None for no limit",
}
"""Positive numbers, and what to do about another value; None is allowed where it is the default."""


def check_parameters(params: Mapping[str, Any], losses: tuple[str, ...]) -> None:
    """Raise InvalidParameterError, naming the parameter, its value and the remedy."""
    for name, remedy in _NUMBERS.items():
        _check_number(name, params[name], remedy)
    _check_count("max_iter", params["max_iter"])
    for name, least in (("n_layers", 2), ("n_branches", 1), ("branch_width", 1), ("n_patterns", 1)):
        _check_count(name, params[name], least=least)
    _check_count("max_neurons", params["max_neurons"], optional=True)
    _check_count("restarts", params["restarts"], least=0)
    _check_count("verbose", params["verbose"], least=0)
    for name in ("fit_intercept", "standardize", "warm_start"):
        if not isinstance(params[name], bool | np.bool_):
            raise InvalidParameterError(f"{name} must be True or False, got {params[name]!r}")
    for name, allowed in (
        ("activation", tuple(ACTIVATIONS)),
        ("loss", losses),
        ("solver", ("auto", *SOLVERS)),
        ("oracle", ("auto", *ORACLES)),
        ("outputs", ("separate", "shared")),
        ("bias", ("penalized", "free", "none")),
        ("device", ("cpu", "cuda", "auto")),
    ):
        _check_word(name, params[name], allowed)
    check_depth(params["n_layers"], params["activation"], params["image_shape"])
    if params["callback"] is not None and not callable(params["callback"]):
        raise InvalidParameterError(
            f"callback must be a function of one record or None, got {params['callback']!r}; "
            "scikit-learn's callbacks are set by set_callbacks"
        )
    if params["bias"] == "free" and not params["fit_intercept"]:
        raise InvalidParameterError("bias='free' makes a constant free of charge; set fit_intercept=True")


def draw_seed(random_state: Any) -> int:
    """An integer seed from whatever scikit-learn accepts as a random state."""
    if _is_integer(random_state) and random_state >= 0:
        return int(random_state)
    try:
        return int(check_random_state(random_state).randint(2**31))
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"random_state must be a nonnegative integer, a numpy.random.RandomState or None, got {random_state!r}"
        ) from error


def choose_architecture(params: Mapping[str, Any], n_features: int) -> Architecture:
    """The network class, on rows of this many features."""
    architecture = ACTIVATIONS[params["activation"]](bias=params["bias"], outputs=params["outputs"])
    if params["image_shape"] is None or params["interaction_cst"] is not None:
        return constrained(architecture, params, n_features)
    patches = Patches(params["image_shape"], params["filter_size"], params["stride"], params["pooling"])
    if patches.n_inputs != n_features:
        raise InvalidDataError(
            f"image_shape={params['image_shape']!r} has {patches.n_inputs} pixels and channels, but X has {n_features} "
            "columns; give the shape of the images that are the rows of X, or image_shape=None"
        )
    for name, refused in (("activation", isinstance(architecture, Bounded)), ("bias", params["bias"] == "free")):
        if refused:
            raise InvalidParameterError(
                f"{name}={params[name]!r} is not for image_shape={params['image_shape']!r}: filters are of units that "
                "are linear on pieces, with a bias that is penalized or none; change one of the two"
            )
    return Convolutional(architecture, patches)  # type: ignore[arg-type]


def choose_penalty(params: Mapping[str, Any], total: float) -> Penalty:
    """``alpha`` prices the size in units of the mean loss, the core's beta in those of the sum."""
    if params["radius"] is not None:
        return Ball(float(params["radius"]))
    return Strength(float(params["alpha"]) * total)


def choose_solver(params: Mapping[str, Any], problem: Problem, seed: int) -> Solver:
    """The solver, with the oracle that the parameters ask for."""
    device = choose_device(params["device"])
    name, n_patterns, max_neurons = params["solver"], int(params["n_patterns"]), params["max_neurons"]
    limit = None if params["memory_limit"] is None else params["memory_limit"] - problem.X.nbytes  # the merged rows
    oracle: Oracle | None = None
    filters_with_gates = problem.architecture.patches is not None and problem.architecture.slope is None
    if name == "fixed_patterns" or (name == "auto" and params["oracle"] == "auto" and filters_with_gates):
        fixed = FixedPatterns(n_patterns=n_patterns, seed=seed, device=device, memory_limit=limit)
        if max_neurons is None and fixed.accepts(problem) is None:
            return fixed
        oracle = Sampled(n_patterns, seed)
    if limit is not None:
        raise InvalidParameterError(
            f"memory_limit={params['memory_limit']!r} is kept by solver='fixed_patterns' only, with gated or linear "
            "units, a smooth loss, and neither radius nor max_neurons; choose these, or leave memory_limit out"
        )
    if isinstance(problem.architecture, ParallelReLU3):
        return wide_program(params, problem.architecture, seed)
    usual = default_oracle(problem, seed, device) if name in ("auto", "working_set") else None
    if isinstance(usual, Sampled):
        oracle = Sampled(n_patterns, seed)
    kind: type[Solver] = Incremental if isinstance(problem.architecture, Bounded) else WorkingSet
    kind = kind if name in ("auto", "fixed_patterns") else SOLVERS[name]
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    for word, given in (("max_neurons", max_neurons is not None), ("oracle", params["oracle"] != "auto")):
        if given and (word not in known or (name == "fixed_patterns" and word == "oracle")):
            raise InvalidParameterError(
                f"{word}={params[word]!r} is not known to solver={name!r}; leave it out or use solver='auto'"
            )
    if params["oracle"] != "auto":
        oracle = usual = ORACLES[params["oracle"]]()
    offered = {"oracle": oracle, "max_neurons": max_neurons, "n_patterns": n_patterns, "seed": seed, "device": device}
    solver = kind(**{key: value for key, value in offered.items() if key in known})
    if isinstance(usual, LocalSearch) and isinstance(solver, WorkingSet) and params["restarts"]:
        return Restarts(solver, int(params["restarts"]))
    return solver


COPIES = 4
"""Copies of the rows while they are sorted, merged and standardised."""


def check_memory(limit: float | None, X: Rows) -> None:
    """Raise MemoryLimitError where preparing the rows alone would take more."""
    if limit is not None and COPIES * X.nbytes > limit:
        raise MemoryLimitError(
            f"merging and scaling {X.shape[0]} rows of {X.shape[1]} features takes about "
            f"{COPIES * X.nbytes / 2**20:.0f} MiB, memory_limit is {limit / 2**20:.0f} MiB; allow more, or give "
            "standardised rows to bidual.problem.Problem, which uses them where they lie"
        )


def choose_device(device: str) -> str:
    """``"cpu"`` or ``"cuda"``."""
    if device == "cpu":
        return "cpu"
    try:
        import torch
    except ImportError as error:
        if device == "auto":
            return "cpu"
        raise MissingDependencyError(
            "device='cuda' needs torch: pip install 'bidual[torch]', or set device='cpu'"
        ) from error
    if torch.cuda.is_available():
        return "cuda"
    if device == "auto":
        return "cpu"
    raise InvalidParameterError("device is 'cuda', but torch finds no CUDA device; use device='auto' or 'cpu'")


def _check_number(name: str, value: Any, remedy: str) -> None:
    if value is None and name in ("radius", "time_limit", "memory_limit"):
        return
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not (number and math.isfinite(value) and value > 0):
        raise InvalidParameterError(f"{name} must be a positive finite number, got {value!r}; {remedy}")


def _check_count(name: str, value: Any, optional: bool = False, least: int = 1) -> None:
    if optional and value is None:
        return
    if not (_is_integer(value) and value >= least):
        other = " or None" if optional else ""
        raise InvalidParameterError(f"{name} must be an integer of at least {least}{other}, got {value!r}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_word(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if not (isinstance(value, str) and value in allowed):
        instead = _REPLACED.get((name, value)) if isinstance(value, str) else None
        reason = f"; {instead}" if instead else ""
        raise InvalidParameterError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}{reason}")
