"""The command ``bidual``. Nothing heavier than argparse is imported until a command runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from bidual import __version__
from bidual.cli.arguments import Parser
from bidual.cli.commands import audit, bench, demo, export, fit, path, predict, reproduce, verify
from bidual.cli.exits import Exit, InputError, Outcome
from bidual.errors import BidualError, MissingDependencyError

COMMANDS = (demo, fit, path, predict, verify, audit, export, bench, reproduce)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; results go to stdout, all else to stderr."""
    argv = sys.argv[1:] if argv is None else [*argv]
    try:
        args = build_parser().parse_args(argv)
        outcome: Outcome = args.run(args)
    except KeyboardInterrupt:
        return _fail("interrupted", Exit.INTERRUPTED, argv)
    except MissingDependencyError as error:
        return _fail(str(error), Exit.MISSING, argv)
    except (InputError, BidualError) as error:
        return _fail(str(error), Exit.USAGE, argv)
    except OSError as error:
        named = error.strerror and error.filename
        return _fail(f"{error.strerror}: {str(error.filename)!r}" if named else str(error), Exit.USAGE, argv)
    return _show(outcome, args.json)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = Parser(
        prog="bidual",
        description="Train two-layer neural networks by convex optimisation, with a certificate of how far each is "
        "from the global optimum.",
    )
    parser.add_argument("--version", action="version", version=f"bidual {__version__}")
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for command in COMMANDS:
        command.add(subparsers)
    return parser


def _show(outcome: Outcome, as_json: bool) -> int:
    text = outcome.text
    if as_json:
        from bidual.cli.jsons import to_json

        text = to_json({**outcome.result, "exit_code": int(outcome.code)})
    try:
        if text:
            print(text, flush=True)
    except BrokenPipeError:  # the reader has seen enough; what is still in the buffer goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(outcome.code)


def _fail(message: str, code: Exit, argv: Sequence[str]) -> int:
    """One line on stderr, and with ``--json`` an object on stdout."""
    message = " ".join(message.split())
    print(f"bidual: error: {message}", file=sys.stderr)
    if "--json" in argv:
        from bidual.cli.jsons import to_json

        print(to_json({"error": message, "exit_code": int(code)}))
    return int(code)
