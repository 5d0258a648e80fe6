"""Which features may interact: scikit-learn's ``interaction_cst`` as groups of features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bidual.architectures import Architecture, Grouped, ReLU
from bidual.architectures.grouped import pairs, singles
from bidual.errors import InvalidParameterError

WORDS = {"pairwise": pairs, "no_interactions": singles}


def constrained(units: Architecture, params: Mapping[str, Any], n_features: int) -> Architecture:
    """The class of networks of these units, each of which sees the features of one group only.

    Raises InvalidParameterError where the groups are no sets of features, or units cannot be searched group by group.
    """
    given = params["interaction_cst"]
    if given is None:
        return units
    if not isinstance(units, ReLU) or units.bias == "free" or units.outputs != "separate":
        name, remedy = next(
            (name, remedy)
            for name, remedy, refused in (
                ("activation", "'relu', 'leaky_relu' or 'abs'", not isinstance(units, ReLU)),
                ("bias", "'penalized' or 'none'", units.bias == "free"),
                ("outputs", "'separate'", True),
            )
            if refused
        )
        raise InvalidParameterError(
            f"{name}={params[name]!r} is not for interaction_cst={given!r}, whose proof searches ReLU units group by "
            f"group; set {name}={remedy}, or interaction_cst=None"
        )
    for name, plain in (("n_layers", 2), ("image_shape", None)):
        if params[name] != plain:
            raise InvalidParameterError(
                f"{name}={params[name]!r} is not for interaction_cst={given!r}: units of two layers see the features "
                f"themselves; set {name}={plain!r}, or interaction_cst=None"
            )
    return Grouped(units, feature_groups(given, n_features))


def feature_groups(given: Any, n_features: int) -> tuple[tuple[int, ...], ...]:
    """The sets of features that may interact; features in none of the given ones are one set together, as in
    scikit-learn."""
    if isinstance(given, str) and given in WORDS:
        return WORDS[given](n_features)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise _refused(given, n_features)
    groups = []
    for group in given:
        features = list(group) if isinstance(group, Iterable) and not isinstance(group, str) else []
        integers = all(isinstance(j, int | np.integer) and not isinstance(j, bool) for j in features)
        if not features or not integers or not all(0 <= j < n_features for j in features):
            raise _refused(given, n_features)
        groups.append(tuple(sorted({int(j) for j in features})))
    rest = tuple(j for j in range(n_features) if not any(j in group for group in groups))
    return tuple(groups) + ((rest,) if rest else ())


def _refused(given: Any, n_features: int) -> InvalidParameterError:
    return InvalidParameterError(
        f"interaction_cst must be 'pairwise', 'no_interactions', None, or a list of nonempty sets of the features 0 to "
        f"{n_features - 1}, by number, got {given!r}"
    )
