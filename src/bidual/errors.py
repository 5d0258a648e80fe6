"""The library's exceptions and warnings. Every message names the parameter, its value and the remedy."""

from __future__ import annotations


class BidualError(Exception):
    """Base class of every error raised on purpose by this library."""


class InvalidParameterError(BidualError, ValueError):
    """A parameter is outside its domain."""


class InvalidDataError(BidualError, ValueError):
    """The data cannot be used as it is (shape, type, NaN, labels)."""


class RefusedError(BidualError, ValueError):
    """A part does not accept the problem it was given; the message is its reason and the remedy."""


class InfeasibleError(RefusedError):
    """No network fits the targets exactly; a price on the weights in place of the constraint always has a solution."""


class MemoryLimitError(RefusedError):
    """The problem does not fit in the memory that it may use; the message has the estimate."""


class CertificateError(BidualError):
    """A certificate does not prove what it states."""


class ModelFileError(BidualError, ValueError):
    """A model file is not readable, is damaged, or was not written by this library."""


class MissingDependencyError(BidualError, ImportError):
    """An optional package is needed; the message says which command installs it."""
