"""Parallel gated networks at the size of Ergen & Pilanci 2021: ``python benchmarks/parallel.py IMAGES [options]``.

Reads ``cifar10.npz`` (or another set) from the folder IMAGES, standardises the columns of n images, draws K gate
branches of m_1 units, and solves the gated three-layer program on all of their distinct masks. Prints the seconds to
each relative gap, and adds to ``results/parallel.json`` and the table of ``docs/benchmarks.md``: the gap, verified, and
the peak of the resident memory beyond what the imports take, next to twice the data and packed masks plus six times the
coefficients (all blocks, in double precision). The images are prepared in a process of their own, whose memory does not
count. Set OMP_NUM_THREADS=1 for CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from documents import replace_between

from bidual.architectures import ParallelGated
from bidual.datasets.images import load_images
from bidual.gates import GateNetwork
from bidual.losses import LOSSES
from bidual.operators.masked import MaskedData
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Stop
from bidual.solvers.base import Record
from bidual.solvers.inner.master import intercept_only

MIB = 2**20
ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "parallel.json"


def prepare(images: Path, name: str, n: int, path: Path) -> None:
    """Write X (n, d), standardised, and Y (n, c), one-hot."""
    loaded = load_images(name, images)
    some = np.random.default_rng(0).permutation(len(loaded.X))[:n]
    X = loaded.X[some] / 255.0
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    np.savez(path, X=X, Y=np.eye(int(loaded.y.max()) + 1)[loaded.y[some]])


def peak() -> float:
    """MiB of resident memory at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def solve(path: Path, args: argparse.Namespace, baseline: float) -> None:
    with np.load(path) as arrays:
        X, Y = arrays["X"], arrays["Y"]
    (n, d), c = X.shape, Y.shape[1]
    began, cpu = time.perf_counter(), time.process_time()
    gates = GateNetwork.sample(X, args.branches, args.widths, args.seed)
    unit = Problem(X, Y, LOSSES[args.loss](), ParallelGated(gates), Strength(1.0))
    patterns = unit.architecture.sample(unit.lifted, args.paths, args.seed)
    V = unit.dual_vector(intercept_only(unit)[1])
    most = float(MaskedData(unit.lifted, patterns.bits).lengths(V.astype(np.float32)).max())
    problem = Problem(X, Y, unit.loss, unit.architecture, Strength(args.share * most))
    print(
        f"{args.set} n={n} d={d}, {gates}: {len(patterns)} distinct masks, {args.loss}, strength {args.share:g} of the "
        f"least without neurons; posed in {time.process_time() - cpu:.0f} CPU s",
        flush=True,
    )

    began, cpu = time.perf_counter(), time.process_time()

    def watch(record: Record) -> None:
        gap = (record.primal - record.priced_dual) / abs(record.primal)
        print(
            f"  {time.process_time() - cpu:7.1f} CPU s: gap {gap:.1e}, primal {record.primal:.6g}, "
            f"{record.n_neurons} neurons",
            flush=True,
        )

    solution = FixedPatterns(patterns).solve(problem, Stop(args.tol, time_limit=args.seconds), watch)
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    print(f"{solution.status}: {solution.certificate}\n{solution.network!r}: {seconds:.0f} s, {spent:.0f} CPU s")
    solution.certificate.verify(problem, solution.network)
    data, masks, weights = X.nbytes / MIB, patterns.bits.packed.nbytes / MIB, len(patterns) * (d + 1) * c * 8 / MIB
    certificate = solution.certificate
    add(
        {
            **{"set": args.set, "n": n, "d": d, "loss": args.loss, "share": args.share, "masks": len(patterns)},
            **{"gates": repr(gates), "status": solution.status, "neurons": solution.network.n_neurons},
            **{"primal": certificate.primal, "dual": certificate.dual, "gap": certificate.relative_gap},
            **{"scope": certificate.scope, "seconds": spent, "wall_seconds": seconds, "peak": peak() - baseline},
            **{"bound": 2 * (data + masks) + 6 * weights, "data": data, "packed_masks": masks, "coefficients": weights},
        }
    )


def add(found: dict[str, Any]) -> None:
    """To the results, in place of the same problem's; and the table anew."""
    print(json.dumps(found), flush=True)
    same = ("set", "n", "loss", "share", "masks")
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    rows = [row for row in rows if any(row[key] != found[key] for key in same)] + [found]
    rows.sort(key=lambda row: [row[key] for key in same])
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    replace_between(ROOT / "docs" / "benchmarks.md", "parallel", table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| images | n, d | loss | strength | masks | neurons | gap | CPU s | peak, MiB | 2 (data + masks) + 6 w, MiB |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row['set']} | {row['n']}, {row['d']} | {row['loss']} | {row['share']:g} | {row['masks']} "
            f"| {row['neurons']} | {row['gap']:.1e} | {row['seconds']:.0f} | {row['peak']:.0f} | {row['bound']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--set", default="cifar10")
    parser.add_argument("-n", type=int, default=5000)
    parser.add_argument("--loss", default="squared", choices=["squared", "multinomial"])
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--branches", type=int, default=40)
    parser.add_argument("--widths", type=int, nargs="+", default=[100])
    parser.add_argument("--paths", type=int, default=4000, help="at most so many, drawn")
    parser.add_argument("--tol", type=float, default=1e-3)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prepared", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.prepared is not None:
        solve(args.prepared, args, peak())
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        prepare(args.images, args.set, args.n, path)
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--prepared", str(path)], check=True)


if __name__ == "__main__":
    main()
