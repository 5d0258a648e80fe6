"""What an experiment is: one figure or table of a paper, run again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Data = dict[str, Any]
"""What an experiment measured, as JSON can hold it."""


@dataclass(frozen=True)
class Verdict:
    """One claim beside what was measured: ``agrees`` says whether the measurement supports the claim."""

    claim: str
    measured: str
    agrees: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "agrees", bool(self.agrees))  # NumPy's bool is none to JSON


@dataclass(frozen=True)
class Setting:
    """How an experiment is run.

    quick : fewer seeds and smaller sizes, for a run of seconds. full : the paper's sizes where an experiment is smaller
    otherwise, for a run of hours. device : where those that can train on a GPU do, a name that torch knows.
    images : the folder of image data sets that do not come with the library, None if there is none.
    note : is told of progress, a line at a time.
    """

    quick: bool = False
    images: Path | None = None
    note: Callable[[str], None] = lambda text: None
    full: bool = False
    device: str = "cpu"


class Experiment(ABC):
    """One figure or table. Everything random in it has a fixed seed, so that running it again gives the same data.

    name : of its files. claim : what the paper says, with the number of its figure, table or theorem. assumed : what
    the paper leaves open and how it was chosen here, and where the run differs from the paper's; empty if nothing.
    """

    name: ClassVar[str]
    claim: ClassVar[str]
    assumed: ClassVar[str] = ""

    def missing(self, setting: Setting) -> str | None:
        """None, or the sentence that says what the experiment needs and where to get it."""
        return None

    @abstractmethod
    def run(self, setting: Setting) -> Data:
        """Measure."""

    @abstractmethod
    def verdicts(self, data: Data) -> list[Verdict]:
        """What the measurements say of the claims."""

    def table(self, data: Data) -> list[list[str]]:
        """Rows of numbers for the reader, the first of headings; none where verdicts and figure say it all."""
        return []

    @abstractmethod
    def plot(self, data: Data) -> Figure:
        """The figure of the measurements."""


@dataclass(frozen=True)
class Paper:
    """A paper and the experiments that reproduce it."""

    citation: str
    experiments: tuple[Experiment, ...]
