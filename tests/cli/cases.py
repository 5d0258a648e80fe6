"""A small table, and what a command leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout, which must be one JSON object and nothing else."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        assert self.out.count("\n") == 1
        return json.loads(self.out, parse_constant=refuse)


Command = Callable[..., Ran]


def small_table(n: int = 40) -> pd.DataFrame:
    """Numbers, booleans, text and gaps; ``price`` is a quantity, ``sick`` a class of two words."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n).round(1),
            "city": rng.choice(["Paris", "Rome", "<b>Oslo</b>"], n),
            "smoker": rng.random(n) < 0.4,
            "dose": rng.normal(size=n),
        }
    )
    table["price"] = 2 * table.dose.abs() + table.smoker + 0.1 * rng.normal(size=n)
    table["sick"] = np.where(table.price > table.price.median(), "yes", "no")
    table.loc[::9, "age"] = np.nan
    table.loc[::11, "city"] = None
    return table
