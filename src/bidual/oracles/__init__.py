"""Which neuron next, and at most how good is any other."""

from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.branch_and_bound import BranchAndBound
from bidual.oracles.classifiers import Classifiers
from bidual.oracles.enumerated import Enumerated, most_patterns
from bidual.oracles.groupwise import Groupwise
from bidual.oracles.line_search import LineSearch
from bidual.oracles.listed import Listed, Sampled
from bidual.oracles.local_search import LocalSearch
from bidual.oracles.mixed_integer import MixedInteger
from bidual.oracles.second_masks import SecondMasks
from bidual.oracles.spike_free import SpikeFree
from bidual.oracles.swept import Swept
from bidual.oracles.tanh_ascent import TanhAscent
from bidual.oracles.wrappers import Cached, Counted, Split
from bidual.typing import Expired

ORACLES: dict[str, type[Oracle]] = {
    "enumerated": Enumerated,
    "sampled": Sampled,
    "listed": Listed,
    "local_search": LocalSearch,
    "groupwise": Groupwise,
    "branch_and_bound": BranchAndBound,
    "spike_free": SpikeFree,
    "second_masks": SecondMasks,
    "swept": Swept,
    "mixed_integer": MixedInteger,
    "line_search": LineSearch,
    "classifiers": Classifiers,
    "tanh_ascent": TanhAscent,
}

__all__ = [
    "ORACLES",
    "BranchAndBound",
    "Cached",
    "Classifiers",
    "Counted",
    "Enumerated",
    "Expired",
    "Groupwise",
    "LineSearch",
    "Listed",
    "LocalSearch",
    "MixedInteger",
    "Oracle",
    "Pricing",
    "Sampled",
    "SecondMasks",
    "SpikeFree",
    "Split",
    "Swept",
    "TanhAscent",
    "most_patterns",
]
