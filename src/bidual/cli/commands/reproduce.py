"""``bidual reproduce``: the figures and tables of a paper, run again and judged."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidual.cli.arguments import add_common, writable_folder
from bidual.cli.console import note
from bidual.cli.exits import Exit, InputError, Outcome

if TYPE_CHECKING:
    from bidual.experiments import Experiment, Paper

IMAGES = "BIDUAL_IMAGES"
"""Environment variable: the default of ``--images``."""


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "reproduce",
        help="run the experiments of a paper again",
        description="Run the experiments of a paper again and say of each claim whether it holds. Each experiment "
        "writes NAME.json (all that was measured) and NAME.png into the folder, and index.md joins them. What is there "
        "already is not run again. Without a paper: the list of papers and their experiments.",
    )
    parser.add_argument("paper", nargs="?", help="the paper, e.g. duality2020")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these experiments of the paper")
    parser.add_argument("--quick", action="store_true", help="fewer seeds and smaller sizes; under two minutes")
    parser.add_argument("--full", action="store_true", help="the papers' sizes; hours, and a GPU for images")
    parser.add_argument("--device", default="cpu", help="where to train what can be: cpu or, with torch, cuda")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: reproduced/PAPER)")
    parser.add_argument("--again", action="store_true", help="run what is there already too")
    images = "folder of image sets that do not come with the library (default: the environment variable " + IMAGES + ")"
    parser.add_argument("--images", type=Path, metavar="FOLDER", help=images)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Run, judge, and write a page."""
    from bidual.experiments import PAPERS, Setting, reproduce, said, write_page

    if args.paper is None:
        return _listed(PAPERS)
    if args.paper not in PAPERS:
        raise InputError(f"paper must be one of {[*PAPERS]}, got {args.paper!r}")
    paper = PAPERS[args.paper]
    experiments = _chosen(paper, args.only)
    images = args.images or (Path(os.environ[IMAGES]) if IMAGES in os.environ else None)
    if images is not None and not images.is_dir():
        raise InputError(f"--images {str(images)!r}: there is no such folder")
    if args.quick and args.full:
        raise InputError("--quick and --full exclude each other; choose one")
    folder = writable_folder(args.out or Path("reproduced") / args.paper)
    tell = (lambda text: None) if args.quiet else note
    done = []
    setting = Setting(args.quick, images, tell, args.full, args.device)
    for each in reproduce(experiments, setting, folder, args.again):
        tell(f"{each.experiment.name}: done" if each.missing is None else f"{each.experiment.name}: not run")
        done.append(each)
    page = write_page(paper, done, folder)
    result = {
        "command": "reproduce",
        "paper": args.paper,
        "page": str(page),
        "experiments": [
            {
                "experiment": each.experiment.name,
                "missing": each.missing,
                "cpu_seconds": each.seconds,
                "verdicts": [asdict(verdict) for verdict in each.verdicts],
            }
            for each in done
        ],
    }
    return Outcome(Exit.SUCCESS, "\n\n".join([paper.citation, *map(said, done), f"written: {page}"]), result)


def _chosen(paper: Paper, only: list[str] | None) -> list[Experiment]:
    named = {experiment.name: experiment for experiment in paper.experiments}
    for name in only or ():
        if name not in named:
            raise InputError(f"--only must name experiments of the paper, {[*named]}, got {name!r}")
    return [named[name] for name in only or named]


def _listed(papers: dict[str, Paper]) -> Outcome:
    lines = []
    for name, paper in papers.items():
        lines += [f"{name}: {paper.citation}", *(f"  {each.name}: {each.claim}" for each in paper.experiments)]
    names = {name: [each.name for each in paper.experiments] for name, paper in papers.items()}
    return Outcome(Exit.SUCCESS, "\n".join(lines), {"command": "reproduce", "papers": names})
