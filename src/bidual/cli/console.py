"""What goes to stderr: notes, and the progress of a fit. Rich draws it if it is installed and stderr is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bidual.solvers import Record

    Listener = Callable[[Record], None]

EVERY = 2.0
"""Seconds between two lines of progress where nothing can be redrawn."""


def note(text: str) -> None:
    """One line for the user."""
    print(f"bidual: {' '.join(text.split())}", file=sys.stderr)


@contextmanager
def progress(title: str, quiet: bool) -> Iterator[Listener]:
    """A listener for the records of one fit."""
    if quiet:
        yield lambda record: None
        return
    status = _rich_status(title)
    if status is None:
        yield _lines(title)
    else:
        with status:
            yield lambda record: status.update(f"[bold]{_escape(title)}[/bold]  {line(record)}")


def line(record: Record) -> str:
    """A record in one line."""
    scale = abs(record.primal) or 1.0
    gap, found = (max(record.primal - bound, 0.0) / scale for bound in (record.dual, record.priced_dual))
    return (
        f"{record.seconds:6.1f} s   objective {record.primal:.6g}   neurons {record.n_neurons}   "
        f"gap to the best neuron found {found:.1e}   to the global bound {gap:.1e}"
    )


def _lines(title: str) -> Listener:
    last = -EVERY

    def show(record: Record) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY:
            last = now
            print(f"{title}  {line(record)}", file=sys.stderr)

    return show


def _rich_status(title: str) -> Any:
    """Rich's spinner with a line of text, None where it cannot be had."""
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(stderr=True).status(f"[bold]{_escape(title)}[/bold]")


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
