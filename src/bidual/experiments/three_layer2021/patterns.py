"""How many activation patterns the two hidden layers have, and what the exact program costs."""

from __future__ import annotations

import time
from math import comb
from typing import TYPE_CHECKING, final

import numpy as np

from bidual.architectures.arrangement import enumerate_cells
from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.panels import new_panels
from bidual.experiments.three_layer2021.toys import normal
from bidual.typing import Matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST = {1: (4, 8, 16, 32), 2: (4, 8, 16, 32), 3: (4, 8, 16, 32), 4: (4, 8, 16)}
"""Ranks, and the numbers of rows at which all first-layer patterns are listed."""
SECOND, BATCH = (4, 6, 8, 10, 12, 14), 50_000
WIDTHS, RANK, BETA = (1, 2, 3), 2, 0.1
TIMED = (4, 6, 8, 10, 12)


@final
class Patterns(Experiment):
    name = "patterns"
    claim = (
        "The numbers of activation patterns of the first and of the second layer, P_1 and P_2, are polynomial in n for "
        "fixed rank r of the data and fixed m_1, and so is the cost of the convex program; they are exponential in r."
    )
    assumed = (
        "Standard normal rows. P_1 is counted by enumeration, P_2 by drawing weights of r = 2 until hardly any new "
        "pattern comes (the share of the last half of the draws is given): at least so many. Seconds, of one thread, "
        "median of the draws: the exact program in n, the rank and any m_1, on as many second-layer patterns as "
        f"matter; beta = {BETA:g}."
    )

    def run(self, setting: Setting) -> Data:
        batches, draws, rows, ranks = (2, 1, (4, 6, 8), 3) if setting.quick else (40, 3, TIMED, 5)
        setting.note("patterns")
        first = {r: [_cells(n, r) for n in rows] for r, rows in FIRST.items()}
        second = {m: [_second(n, m, batches) for n in SECOND] for m in WIDTHS}
        every = [*range(1, ranks + 1)]
        return {
            "first": {str(r): counts for r, counts in first.items()},
            "many": [_cells(12, 2, features=10), *(_cells(12, r) for r in range(1, 7))],
            "second": {str(m): [counts[-1] for counts in found] for m, found in second.items()},
            "late": {str(m): max(1 - counts[0] / counts[-1] for counts in found) for m, found in second.items()},
            "rows": [*rows],
            "seconds": [_seconds(n, RANK, draws, setting) for n in rows],
            "ranks": every,
            "rank_seconds": [_seconds(6, r, draws, setting) for r in every],
        }

    def verdicts(self, data: Data) -> list[Verdict]:
        first = {int(r): counts for r, counts in data["first"].items()}
        right = all(
            count == 2 * sum(comb(n - 1, k) for k in range(r))
            for r, counts in first.items()
            for n, count in zip(FIRST[r], counts, strict=True)
        )
        slopes = {r: _slope(FIRST[r][-2:], counts[-2:]) for r, counts in first.items()}
        second = {int(m): _slope(SECOND[-2:], counts[-2:]) for m, counts in data["second"].items()}
        doubling = np.array(data["many"][1:])
        at, seconds = data["rows"], [float(np.median(each)) for each in data["seconds"]]
        half = at.index(8)
        exponents = [
            _slope((at[i], at[j]), [seconds[i], seconds[j]]) for i, j in ((0, half), (half, -1)) if at[i] < at[j]
        ]
        by_rank = [float(np.median(each)) for each in data["rank_seconds"]]
        said = ", ".join(f"{value:.2g} (r = {r})" for value, r in zip(by_rank, data["ranks"], strict=True))
        return [
            Verdict(
                "P_1 is 2 sum_(k < r) C(n - 1, k), of the rank and not of d",
                f"as counted for r up to {max(first)}; {data['many'][0]} for 12 rows of 10 features and rank 2",
                right and data["many"][0] == data["many"][2],
            ),
            Verdict(
                "P_1 grows with n like n^(r - 1)",
                "exponent " + ", ".join(f"{slope:.2f} (r = {r})" for r, slope in slopes.items()),
                all(slope < r for r, slope in slopes.items()),
            ),
            Verdict(
                "P_2 is polynomial in n at fixed m_1 and r = 2",
                "exponent between the last two n: "
                + ", ".join(f"{slope:.2f} (m_1 = {m})" for m, slope in second.items())
                + f"; of 2^{SECOND[-1]} patterns {data['second']['3'][-1]} were found with m_1 = 3, of which "
                + f"{data['late']['3']:.0%} late",
                all(slope < RANK * m + 1 for m, slope in second.items()),
            ),
            Verdict(
                "they are exponential in the rank",
                "P_1 of 12 rows: " + ", ".join(f"{count} (r = {r})" for r, count in enumerate(doubling, 1)),
                bool(np.all(doubling[1:] > 1.3 * doubling[:-1])),
            ),
            Verdict(
                "the seconds of the exact program are polynomial in n at rank 2",
                f"{seconds[0]:.2g} (n = {at[0]}) to {seconds[-1]:.2g} (n = {at[-1]}), exponents "
                f"{' and '.join(f'{value:.1f}' for value in exponents)} below and above n = 8; for n = 6, {said}",
                exponents[-1] < exponents[0] + 1,
            ),
        ]

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 3, (13.0, 4.2))
        for color, (r, counts) in zip(PALETTE, data["first"].items(), strict=False):
            axes[0].plot(FIRST[int(r)], counts, "o-", color=color, label=f"rank {r}")
        for color, (m, counts) in zip(PALETTE, data["second"].items(), strict=False):
            axes[1].plot(SECOND, counts, "o-", color=color, label=f"$m_1$ = {m}")
        axes[1].plot(SECOND, [2**n for n in SECOND], "k--", lw=1, label="$2^n$")
        for key, at, label in (("seconds", "rows", "rank 2, against n"), ("rank_seconds", "ranks", "n = 6, against r")):
            each = np.array(data[key])
            lines = axes[2].plot(data[at], np.median(each, axis=1), "o-", label=label)
            axes[2].plot(data[at], each, ".", color=lines[0].get_color(), alpha=0.5)
        axes[0].set(xscale="log", yscale="log", xlabel="rows n", title="first-layer patterns $P_1$")
        axes[1].set(xscale="log", yscale="log", xlabel="rows n", title="second-layer patterns $P_2$, rank 2")
        axes[2].set(yscale="log", xlabel="n, or r", title="seconds of the exact program")
        for ax, ticks in zip(axes[:2], (FIRST[1], SECOND), strict=True):
            ax.set_xticks(ticks, map(str, ticks))
            ax.minorticks_off()
        for ax in axes:
            ax.grid(alpha=0.25)
            ax.legend(frameon=False)
        return figure


def _rows(n: int, r: int, features: int | None = None) -> Matrix:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, r))
    return X if features is None else X @ rng.standard_normal((r, features))


def _cells(n: int, r: int, features: int | None = None) -> int:
    return len(enumerate_cells(_rows(n, r, features)))


def _second(n: int, m: int, batches: int) -> list[int]:
    """Second-layer patterns of width m found after half of the draws, and after all."""
    rng, X = np.random.default_rng([n, m]), _rows(n, RANK)
    seen: set[int] = set()
    counts = []
    for _ in range(batches):
        W = rng.standard_normal((RANK, BATCH * m))
        w = rng.standard_normal((BATCH, m)) * np.exp(rng.standard_normal((BATCH, m)))
        opened = (np.maximum(X @ W, 0.0).reshape(n, BATCH, m) * w).sum(axis=2) > 0
        seen.update(np.unique((1 << np.arange(n)) @ opened).tolist())
        counts.append(len(seen))
    return [counts[batches // 2 - 1], counts[-1]]


def _seconds(n: int, r: int, draws: int, setting: Setting) -> list[float]:
    """CPU seconds of the exact three-layer optimum, for each draw."""
    setting.note(f"seconds, n = {n}, rank {r}")
    spent = []
    for seed in range(draws):
        toy, began = normal(seed, BETA, n, r), time.process_time()
        assert toy.three_layers.certificate.scope == "global"
        spent.append(time.process_time() - began)
    return spent


def _slope(rows: tuple[int, ...], counts: list[float]) -> float:
    """The exponent between two numbers of rows."""
    return float(np.diff(np.log(counts))[0] / np.diff(np.log(rows))[0])
