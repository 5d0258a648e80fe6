"""How a command ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes of every command."""

    SUCCESS = 0
    LIMIT = 1
    """A limit was reached before the certificate met the tolerance; the model is written all the same."""
    USAGE = 2
    """Bad usage or bad input."""
    MISSING = 3
    """An optional package is not installed."""
    UNPROVEN = 4
    """``verify``: a number of the certificate does not follow from the data."""
    INTERRUPTED = 130
    """Ctrl-C; ``fit`` writes the best network so far."""


EXIT_CODES = """exit codes:
  0    success
  1    a limit was reached before the certificate met the tolerance (what was asked for is still written)
  2    bad usage or bad input
  3    an optional package is missing
  4    verify: the certificate does not follow from the data
  130  interrupted (fit and demo write the best network so far)
"""


class InputError(Exception):
    """What the user gave cannot be used; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What a command has to say: on stdout the text, or with ``--json`` the result."""

    code: Exit
    text: str
    result: dict[str, Any] = field(default_factory=dict)
