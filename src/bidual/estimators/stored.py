"""The parts of a fitted estimator as JSON and named arrays, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from bidual.architectures import (
    ARCHITECTURES,
    Architecture,
    Branches,
    Convolutional,
    Grouped,
    ParallelGated,
    Patterns,
    Witness,
)
from bidual.certificate import Bound, Certificate, DualPoint
from bidual.errors import InvalidDataError
from bidual.estimators.encoding import Encoding
from bidual.estimators.formulation import Formulation
from bidual.estimators.scaling import Scaling
from bidual.estimators.targets import ClassTargets, RealTargets, Targets
from bidual.files import Arrays
from bidual.gates import GateNetwork
from bidual.losses import LOSSES
from bidual.operators.bits import Bits
from bidual.patches import Patches
from bidual.penalties import Ball, Strength

PENALTIES = {"strength": Strength, "ball": Ball}
_NUMBERS = ("primal", "dual", "scope", "method", "global_dual", "global_method", "priced_gap")

Stored = tuple[dict[str, Any], Arrays]
"""A JSON description, and arrays whose names begin with the prefix they were given."""


def put_formulation(formulation: Formulation) -> Stored:
    described = {
        "loss": _put_part(formulation.loss, LOSSES),
        "penalty": _put_part(formulation.penalty, PENALTIES),
        "intercept": formulation.intercept,
        "standardize": formulation.standardize,
    }
    described["architecture"], gates = _put_architecture(formulation.architecture)
    described["targets"], arrays = _put_targets(formulation.encoding.targets)
    return described, arrays | gates | _put_scaling("inputs", formulation.encoding.inputs)


def get_formulation(described: dict[str, Any], arrays: Arrays) -> Formulation:
    return Formulation(
        loss=_get_part(described["loss"], LOSSES),
        architecture=_get_architecture(described["architecture"], arrays),
        penalty=_get_part(described["penalty"], PENALTIES),
        intercept=described["intercept"],
        standardize=described["standardize"],
        encoding=Encoding(_get_scaling("inputs", arrays), _get_targets(described["targets"], arrays)),
    )


def put_certificate(certificate: Certificate) -> Stored:
    described: dict[str, Any] = {name: getattr(certificate, name) for name in _NUMBERS}
    described["same_point"] = certificate.point is certificate.global_point
    arrays: Arrays = {}
    for name in ("point",) if described["same_point"] else ("point", "global_point"):
        described[name], more = _put_point(name, getattr(certificate, name))
        arrays |= more
    return described, arrays


def get_certificate(described: dict[str, Any], arrays: Arrays) -> Certificate:
    point = _get_point("point", described["point"], arrays)
    whole = point if described["same_point"] else _get_point("global_point", described["global_point"], arrays)
    return Certificate(**{name: described[name] for name in _NUMBERS}, point=point, global_point=whole)


def _put_point(name: str, point: DualPoint) -> Stored:
    bound = point.bound
    described = {"value": bound.value, "scope": bound.scope, "method": bound.method}
    arrays: Arrays = {f"{name}.V": point.V}
    if bound.patterns is not None:
        # A bit for each entry: masks are the bulk of a model.
        described["rows"] = bound.patterns.bits.n
        arrays[f"{name}.masks"] = bound.patterns.bits.packed.T
        arrays[f"{name}.gates"] = bound.patterns.gates
    if bound.witness is not None:
        arrays |= {f"{name}.witness.{key}": value for key, value in vars(bound.witness).items()}
    if bound.touch is not None:
        arrays[f"{name}.touch"] = bound.touch
    if bound.boxes is not None:
        described["boxes"] = bound.boxes
    if bound.branches is not None:
        arrays |= {f"{name}.branches.{key}": value for key, value in vars(bound.branches).items()}
    return described, arrays


def _get_point(name: str, described: dict[str, Any], arrays: Arrays) -> DualPoint:
    patterns = None
    if "rows" in described:
        bits = Bits(np.ascontiguousarray(arrays[f"{name}.masks"].T), described["rows"])
        patterns = Patterns(bits, arrays[f"{name}.gates"])
    witness, branches = _under(f"{name}.witness.", arrays), _under(f"{name}.branches.", arrays)
    bound = Bound(
        described["value"],
        described["scope"],
        described["method"],
        patterns,
        Witness(**witness) if witness else None,
        arrays.get(f"{name}.touch"),
        Branches(**branches) if branches else None,
        described.get("boxes"),
    )
    return DualPoint(arrays[f"{name}.V"], bound)


def _under(start: str, arrays: Arrays) -> Arrays:
    """The arrays whose names begin so, without that beginning."""
    return {key.removeprefix(start): value for key, value in arrays.items() if key.startswith(start)}


def _put_targets(targets: Targets) -> Stored:
    if isinstance(targets, RealTargets):
        return {"kind": "real", "flat": targets.flat}, _put_scaling("targets", targets.scaling)
    described = {"kind": "classes", "code": targets.code, "objects": targets.classes.dtype.kind == "O"}
    return described, {"classes": labels_to_array(targets.classes)}


def _get_targets(described: dict[str, Any], arrays: Arrays) -> Targets:
    if described["kind"] == "real":
        return RealTargets(_get_scaling("targets", arrays), described["flat"])
    classes = arrays["classes"]
    if classes.size < 2 or not np.array_equal(np.unique(classes), classes):
        raise InvalidDataError(f"the classes {classes} are not two or more labels in order")
    return ClassTargets(classes.astype(object) if described["objects"] else classes, described["code"])


def labels_to_array(labels: Any) -> Any:
    """Text held as Python objects becomes an array of text."""
    return labels.astype(str) if labels.dtype.kind == "O" and all(isinstance(v, str) for v in labels) else labels


def _put_scaling(name: str, scaling: Scaling) -> Arrays:
    return {f"{name}.{key}": value for key, value in scaling.arrays.items()}


def _get_scaling(name: str, arrays: Arrays) -> Scaling:
    unit, center, scale = (arrays[f"{name}.{key}"] for key in ("unit", "center", "scale"))
    if unit.ndim != 1 or not unit.shape == center.shape == scale.shape:
        raise InvalidDataError(f"the scaling of the {name} has shapes {unit.shape}, {center.shape} and {scale.shape}")
    if not (np.isfinite([unit, center, scale]).all() and (unit > 0).all() and (scale > 0).all()):
        raise InvalidDataError(f"the scaling of the {name} is not positive and finite")
    return Scaling(unit, center, scale)


def _put_architecture(architecture: Architecture) -> Stored:
    """Its gates, which are arrays, apart."""
    if isinstance(architecture, Convolutional):
        described, arrays = _put_architecture(architecture.inner)
        return described | {"patches": architecture.patches.to_dict()}, arrays
    if isinstance(architecture, Grouped):
        described, arrays = _put_architecture(architecture.inner)
        return described | {"groups": [list(group) for group in architecture.groups]}, arrays
    if not isinstance(architecture, ParallelGated):
        return _put_part(architecture, ARCHITECTURES), {}
    described = {"name": "parallel_gated", "fields": {"bias": architecture.bias, "outputs": architecture.outputs}}
    return described, {f"gates.{key}": value for key, value in architecture.gates.arrays.items()}


def _get_architecture(described: dict[str, Any], arrays: Arrays) -> Architecture:
    gates = _under("gates.", arrays)
    if gates:
        return ParallelGated(GateNetwork.from_arrays(gates), **described["fields"])
    units = _get_part(described, ARCHITECTURES)
    if "groups" in described:
        return Grouped(units, tuple(map(tuple, described["groups"])))
    return Convolutional(units, Patches(**described["patches"])) if "patches" in described else units


def _put_part(part: Any, table: dict[str, Any]) -> dict[str, Any]:
    name = next(name for name, kind in table.items() if kind is type(part))
    return {"name": name, "fields": asdict(part)}


def _get_part(described: dict[str, Any], table: dict[str, Any]) -> Any:
    return table[described["name"]](**described["fields"])
