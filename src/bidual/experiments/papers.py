"""The papers, by the name the command line knows them by."""

from __future__ import annotations

from bidual.experiments.base import Paper
from bidual.experiments.bengio2006 import BENGIO2006
from bidual.experiments.duality2020 import DUALITY2020
from bidual.experiments.frank_wolfe2020 import FRANK_WOLFE2020
from bidual.experiments.shallow2019 import SHALLOW2019
from bidual.experiments.three_layer2021 import THREE_LAYER2021

PAPERS: dict[str, Paper] = {
    "bengio2006": BENGIO2006,
    "frank-wolfe2020": FRANK_WOLFE2020,
    "shallow2019": SHALLOW2019,
    "duality2020": DUALITY2020,
    "three-layer2021": THREE_LAYER2021,
}
