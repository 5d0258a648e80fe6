"""The papers' figures and tables, run again: ``bidual reproduce``."""

from bidual.experiments.base import Data, Experiment, Paper, Setting, Verdict
from bidual.experiments.papers import PAPERS
from bidual.experiments.record import Reproduced, reproduce, said, write_page

__all__ = [
    "PAPERS",
    "Data",
    "Experiment",
    "Paper",
    "Reproduced",
    "Setting",
    "Verdict",
    "reproduce",
    "said",
    "write_page",
]
