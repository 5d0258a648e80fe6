"""Neural networks trained by convex optimisation, each with a certificate of how far it is from the global optimum.

The public names are loaded on first use, so that ``import bidual`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "ActivationPatternDisplay": "bidual.display",
    "ArchitectureDisplay": "bidual.display",
    "ConvergenceDisplay": "bidual.display",
    "DeepLinearRegressor": "bidual.estimators",
    "EffectsDisplay": "bidual.display",
    "FunctionDisplay": "bidual.display",
    "MLPClassifier": "bidual.estimators",
    "MLPClassifierCV": "bidual.estimators",
    "MLPRegressor": "bidual.estimators",
    "MLPRegressorCV": "bidual.estimators",
    "Network": "bidual.network",
    "NeuronDisplay": "bidual.display",
    "RegularizationPathDisplay": "bidual.display",
    "audit": "bidual.trained",
    "certify": "bidual.certificate",
    "closed_form": "bidual.theorems",
    "fit_planted_relu": "bidual.planted",
    "load_model": "bidual.estimators.files",
    "path": "bidual.estimators.fitted_path",
    "polish": "bidual.trained",
}
"""Public name -> the module that defines it."""

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bidual' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
