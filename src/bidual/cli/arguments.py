"""The parser's parts: types of arguments with sentences for errors, and the options that commands share."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, NoReturn

from bidual.cli.exits import EXIT_CODES, InputError


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, as every other error of the command."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **kwargs
        )

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def add_common(parser: argparse.ArgumentParser) -> None:
    """What every command has."""
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")


def positive(text: str) -> float:
    """A finite number above 0."""
    value = _number(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return value


def share(text: str) -> float:
    """A number from 0 to below 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1, got {text!r}")
    return value


def count(text: str) -> int:
    """A whole number from 1."""
    value = seed(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return value


def seed(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def writable_folder(folder: Path) -> Path:
    """The folder, made if it is not there; InputError unless files can be written in it."""
    probe = folder / ".bidual-probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write in {str(folder)!r} ({error.strerror or error}); choose another --out"
        ) from error
    return folder
