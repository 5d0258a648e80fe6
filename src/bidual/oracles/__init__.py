"""Which neuron next, and at most how good is any other."""

from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.enumerated import Enumerated, most_patterns
from bidual.oracles.listed import Listed, Sampled
from bidual.oracles.local_search import LocalSearch
from bidual.oracles.swept import Swept
from bidual.oracles.wrappers import Cached, Counted, Split
from bidual.typing import Expired

ORACLES: dict[str, type[Oracle]] = {
    "enumerated": Enumerated,
    "sampled": Sampled,
    "listed": Listed,
    "local_search": LocalSearch,
    "swept": Swept,
}

__all__ = [
    "ORACLES",
    "Cached",
    "Counted",
    "Enumerated",
    "Expired",
    "Listed",
    "LocalSearch",
    "Oracle",
    "Pricing",
    "Sampled",
    "Split",
    "Swept",
    "most_patterns",
]
