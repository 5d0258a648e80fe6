"""The seconds that a method has had."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def clock(device: str) -> Callable[[], float]:
    """CPU seconds of all threads, which other work on the machine does not prolong; on a GPU, those of the wall."""
    return time.process_time if device == "cpu" else time.monotonic


class Stopwatch:
    """Seconds since it was made, but for those spent inside :meth:`paused`."""

    def __init__(self, device: str) -> None:
        self._clock = clock(device)
        self._began = self._clock()

    @property
    def seconds(self) -> float:
        return self._clock() - self._began

    @contextmanager
    def paused(self) -> Iterator[None]:
        stopped = self._clock()
        yield
        self._began += self._clock() - stopped
