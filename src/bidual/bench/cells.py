"""The benchmark's problems, named by what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, final

Kind = Literal["gated", "cones", "network"]
Size = tuple[int, int, int, int]
"""Rows n, columns d (a column of ones among them), patterns P, outputs c."""

SMALL: tuple[Size, ...] = ((500, 10, 200, 1), (1000, 50, 500, 1))
LARGE: tuple[Size, ...] = ((5000, 100, 1000, 1), (20000, 50, 1000, 1), (5000, 64, 500, 10))
SHARES = (0.1, 0.01, 0.001)
DESIGNS = ("power_law", "iid")
SEEDS = (0, 1, 2)
"""At the small sizes; the large ones have the first."""

SETS: dict[str, tuple[Size, str]] = {
    "breast_cancer": ((569, 31, 200, 1), "logistic"),
    "digits": ((1797, 65, 300, 10), "multinomial"),
    "california_like": ((20640, 9, 500, 1), "squared"),
    "a9a_like": ((5000, 124, 500, 1), "logistic"),
    "fashion_mnist": ((10000, 785, 100, 10), "multinomial"),
}
"""Name -> size and loss."""

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-6)
"""The relative gaps to which the time is taken."""


@final
@dataclass(frozen=True)
class Cell:
    """One problem.

    kind : ``"gated"`` and ``"cones"``, the finite programs of gated and ReLU units on P sampled patterns;
    ``"network"``, every ReLU network with free biases. data : a design of :data:`DESIGNS` or a set of :data:`SETS`.
    share : the strength over the least one at which no gated unit is worth its price.
    """

    kind: Kind
    loss: str
    data: str
    size: Size
    share: float
    seed: int = 0

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return f"{self.kind} {self.loss} {self.data} {'x'.join(map(str, self.size))} {self.share:g} seed {self.seed}"


def grid(sizes: tuple[Size, ...] = SMALL + LARGE) -> Iterator[Cell]:
    """The synthetic problems: size by size, both designs, from the strongest penalty to the weakest."""
    for size in sizes:
        kinds: tuple[Kind, ...] = ("gated", "cones") if size in SMALL else ("gated",)
        losses = ("squared", "logistic" if size[3] == 1 else "multinomial")
        for kind, loss, data, seed in product(kinds, losses, DESIGNS, SEEDS if size in SMALL else SEEDS[:1]):
            for share in SHARES:
                yield Cell(kind, loss, data, size, share, seed)


def sweeps() -> Iterator[tuple[str, Cell]]:
    """One quantity at a time from a middle size, each with its name: n, d, P, c, or the strength, which sets the number
    of neurons."""
    middle = {"n": 4000, "d": 32, "P": 256, "c": 1}
    ranges = {
        "n": (500, 1000, 2000, 4000, 8000, 16000, 32000),
        "d": (8, 16, 32, 64, 128),
        "P": (64, 128, 256, 512, 1024),
        "c": (1, 2, 4, 8),
    }
    for name, values in ranges.items():
        for value in values:
            n, d, P, c = {**middle, name: value}.values()
            yield name, Cell("gated", "squared", "power_law", (n, d, P, c), 0.01)
    n, d, P, c = middle.values()
    for share in (0.3, 0.1, 0.03, 0.01, 0.003, 0.001):
        yield "neurons", Cell("gated", "squared", "power_law", (n, d, P, c), share)


def sets() -> Iterator[Cell]:
    """The real sets and those made like them; whole networks where there is one output."""
    for name, (size, loss) in SETS.items():
        kinds: tuple[Kind, ...] = ("gated", "network") if size[3] == 1 else ("gated",)
        for kind, share in product(kinds, SHARES):
            yield Cell(kind, loss, name, size, share)
