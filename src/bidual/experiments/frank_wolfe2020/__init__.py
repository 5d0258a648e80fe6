"""d'Aspremont & Pilanci (2020): Frank-Wolfe on a ball of two-layer networks, and what width has to do with it."""

from bidual.experiments.base import Paper
from bidual.experiments.frank_wolfe2020.real_data import RealData
from bidual.experiments.frank_wolfe2020.stochastic import Stochastic
from bidual.experiments.frank_wolfe2020.variants import Variants
from bidual.experiments.frank_wolfe2020.widths import Widths

FRANK_WOLFE2020 = Paper(
    "d'Aspremont & Pilanci (2020), Global convergence of Frank Wolfe on one hidden layer networks, arXiv:2002.02208",
    (Variants(), Stochastic(), Widths(), RealData()),
)
