"""Running a paper's experiments and writing what they show: JSON, figures, and a page that joins them."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bidual.experiments.base import Experiment, Paper, Setting, Verdict
from bidual.files import replacing

PACKAGES = ("bidual", "numpy", "scipy", "scikit-learn", "torch")
Record = dict[str, Any]


@dataclass(frozen=True)
class Reproduced:
    """An experiment with its verdicts; ``missing`` says why it could not be run."""

    experiment: Experiment
    verdicts: tuple[Verdict, ...] = ()
    seconds: float = 0.0
    missing: str | None = None
    table: tuple[list[str], ...] = ()


def reproduce(
    experiments: Iterable[Experiment], setting: Setting, folder: Path, again: bool = False
) -> Iterator[Reproduced]:
    """Run the experiments one after the other, each written to the folder as it ends.

    One whose record of the same extent (``quick`` and ``full``) is there already is read and not run, unless ``again``.
    """
    for experiment in experiments:
        missing = experiment.missing(setting)
        if missing is not None:
            yield Reproduced(experiment, missing=missing)
            continue
        record = None if again else stored(folder, experiment, setting)
        if record is None:
            began = time.process_time()
            data = experiment.run(setting)
            record = _record(experiment, setting, json.loads(json.dumps(data)), time.process_time() - began)
            _draw(experiment, record["data"], folder / f"{experiment.name}.png")
            _write(folder / f"{experiment.name}.json", json.dumps(record, indent=1) + "\n")
        verdicts = tuple(Verdict(**each) for each in record["verdicts"])
        table = tuple(experiment.table(record["data"]))
        yield Reproduced(experiment, verdicts, record["cpu_seconds"], table=table)


def stored(folder: Path, experiment: Experiment, setting: Setting) -> Record | None:
    """The record of an earlier run of the same extent, with the verdicts of today's code; None if there is none."""
    try:
        record: Record = json.loads((folder / f"{experiment.name}.json").read_text(encoding="utf8"))
        same = (record["quick"], record.get("full", False)) == (setting.quick, setting.full)
        same = same and (folder / f"{experiment.name}.png").is_file()
        record["verdicts"] = [asdict(verdict) for verdict in experiment.verdicts(record["data"])]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if same else None


def write_page(paper: Paper, done: Iterable[Reproduced], folder: Path) -> Path:
    """``index.md``: each experiment's claim, verdicts and figure."""
    lines = [f"# {paper.citation}", ""]
    for each in done:
        experiment = each.experiment
        lines += [f"## {experiment.name.replace('-', ' ').capitalize()}", "", f"**Claim.** {experiment.claim}", ""]
        if experiment.assumed:
            lines += [f"**Assumed.** {experiment.assumed}", ""]
        if each.missing is not None:
            lines += [f"Not run: {each.missing}", ""]
            continue
        lines += ["| claim | measured | |", "|---|---|---|"]
        lines += [f"| {_cell(v.claim)} | {_cell(v.measured)} | {_word(v)} |" for v in each.verdicts]
        lines += _table(each.table)
        lines += ["", f"![{experiment.name}]({experiment.name}.png)", ""]
        lines += [f"{each.seconds:.0f} CPU seconds. Data: `{experiment.name}.json`.", ""]
    _write(folder / "index.md", "\n".join(lines))
    return folder / "index.md"


def said(each: Reproduced) -> str:
    """The verdicts in a few lines of text."""
    if each.missing is not None:
        return f"{each.experiment.name}: not run, {each.missing}"
    lines = [f"{each.experiment.name} ({each.seconds:.0f} CPU s): {each.experiment.claim}"]
    return "\n".join([*lines, *(f"  {_word(v):8} {v.claim}: {v.measured}" for v in each.verdicts)])


def _record(experiment: Experiment, setting: Setting, data: Record, seconds: float) -> Record:
    return {
        "experiment": experiment.name,
        "claim": experiment.claim,
        "assumed": experiment.assumed,
        "quick": setting.quick,
        "full": setting.full,
        "versions": {"python": platform.python_version(), **_versions()},
        "cpu_seconds": seconds,
        "verdicts": [asdict(verdict) for verdict in experiment.verdicts(data)],
        "data": data,
    }


def _draw(experiment: Experiment, data: Record, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure = experiment.plot(data)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _word(verdict: Verdict) -> str:
    return "agrees" if verdict.agrees else "differs"


def _table(rows: tuple[list[str], ...]) -> list[str]:
    if not rows:
        return []
    head, *others = ("| " + " | ".join(map(_cell, row)) + " |" for row in rows)
    return ["", head, "|---" * len(rows[0]) + "|", *others]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode("utf8"))
