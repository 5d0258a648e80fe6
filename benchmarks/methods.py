"""Who takes part in the benchmark, and what each can solve."""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

from bidual.bench import Cell

HERE = Path(__file__).resolve().parent
PEERS, ENVIRONMENTS = HERE / "peers", HERE / ".environments"

MOST_ENTRIES = 2.5e8
"""Of the expanded matrix n x dP, for those that need it: 2 GB."""

METHODS = ("bidual", "adelie", "celer", "skglm", "pyscnn", "clarabel", "torch", "scikit-learn")
"""Folders under ``peers``, each with its ``solve.py``, and but for bidual with the packages of its environment."""

KINDS = {
    "bidual": ("gated", "cones", "network"),
    "adelie": ("gated", "cones"),
    "celer": ("gated",),
    "skglm": ("gated",),
    "pyscnn": ("gated", "cones"),
    "clarabel": ("gated", "cones"),
    "torch": ("gated", "network"),
    "scikit-learn": ("network",),
}
LOSSES = {
    "adelie": ("squared", "logistic"),
    "celer": ("squared",),
    "skglm": ("squared", "logistic"),
    "pyscnn": ("squared",),
    "clarabel": ("squared", "logistic"),
    "scikit-learn": ("squared", "logistic"),
}


def refusal(method: str, cell: Cell) -> str | None:
    """None, or why the method does not solve problems of this sort."""
    if cell.kind not in KINDS[method]:
        return f"{method} has no solver for kind {cell.kind!r}"
    if cell.loss not in LOSSES.get(method, (cell.loss,)):
        return f"{method} has no {cell.loss} loss with a group for each pattern and output"
    n, d, P, _ = cell.size
    if method in ("celer", "skglm", "clarabel") and n * d * P > MOST_ENTRIES:
        return f"{method} needs the expanded matrix of {n} x {d * P} numbers"
    return None


def python(method: str) -> Path:
    """The interpreter of the method's environment: this one for the library itself."""
    return Path(sys.executable) if method == "bidual" else ENVIRONMENTS / method / "bin" / "python"


def install(method: str) -> None:
    """Make the method's environment, or bring it up to date."""
    if method == "bidual":
        return
    if not python(method).exists():
        venv.create(ENVIRONMENTS / method, with_pip=True)
    for name, more in (("requirements.txt", ()), ("without_dependencies.txt", ("--no-deps",))):
        listed = PEERS / method / name
        if listed.exists():
            pip = [python(method), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *more, "-r", listed], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Install peers, each in an environment of its own.")
    parser.add_argument("methods", nargs="*", choices=(*METHODS, []), help="default: all")
    for method in parser.parse_args().methods or METHODS:
        print(f"{method} ...", flush=True)
        install(method)


if __name__ == "__main__":
    main()
