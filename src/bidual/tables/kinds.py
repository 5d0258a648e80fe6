"""What a pandas column holds, whether a network can use it, and its values as plain numbers or text."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np

from bidual.errors import InvalidDataError
from bidual.typing import Vector

Kind = Literal["number", "boolean", "category"]

MISSING = "(missing)"
MAX_LEVELS = 50
"""Levels that a category may have by default."""
FEW = 10
"""So few different values are never taken for text, nor so few different whole numbers for quantities."""

_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_ROW_NAME = re.compile(r"unnamed: \d+|(.*[ _.-])?(id|index|idx|key|row|rows|rownames|nr)")
_WORDS = {"true": 1.0, "false": 0.0}


def kind_of(values: Any) -> Kind:
    """Numbers, booleans, or else categories."""
    from pandas import CategoricalDtype
    from pandas.api import types

    if isinstance(values.dtype, CategoricalDtype):
        return "category"
    present = values.dropna()
    if types.is_bool_dtype(values.dtype) or (len(present) > 0 and all(isinstance(v, bool | np.bool_) for v in present)):
        return "boolean"
    return "number" if types.is_numeric_dtype(values.dtype) else "category"


def unusable(values: Any, max_levels: int = MAX_LEVELS) -> str | None:
    """None, or why the column cannot be used: dates, nested values, free text, row numbers."""
    from pandas.api import types

    present = values.dropna()
    if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
        return "holds dates or times"
    if types.is_complex_dtype(values.dtype):
        return "holds complex numbers"
    if kind_of(values) != "category":
        whole = types.is_integer_dtype(values.dtype) and len(present) > 2 and present.is_unique
        return "numbers the rows" if whole and _names_rows(str(values.name)) else None
    odd = next((v for v in present if not isinstance(v, str | bool | int | float | np.generic)), None)
    if odd is not None:
        dated = hasattr(odd, "year") or hasattr(odd, "hour")
        return "holds dates or times" if dated else f"holds values of type {type(odd).__name__}"
    words = texts(present)
    count = len(set(words))
    if words and all(_DATE.fullmatch(word.strip()) for word in words):
        return "holds dates or times"
    if count > max_levels or count > max(FEW, len(words) / 2):
        return f"looks like text or names ({count} different values in {len(words)} rows)"
    return None


def _names_rows(name: str) -> bool:
    return _ROW_NAME.fullmatch(name.lower()) is not None or name.endswith(("Id", "ID"))


def numbers(values: Any) -> Vector:
    """(n,): the column as float64, true and false as 1 and 0, missing values as NaN.

    Raises
    ------
    InvalidDataError
        A value is not a number, or is infinite.
    """
    x = np.array([_number(v, values) for v in values.tolist()], dtype=np.float64)
    if np.isinf(x).any():
        raise InvalidDataError(f"column {values.name!r} has infinite values; correct them or leave the column out")
    return x


def _number(value: Any, values: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        from pandas import isna

        if isna(value):
            return np.nan
        word = _WORDS.get(str(value).strip().lower())
        if word is None:
            raise InvalidDataError(f"column {values.name!r} must hold numbers, but has {value!r}") from None
        return word


def texts(values: Any) -> list[str]:
    """The column as text, whole numbers without a decimal point, missing values as ``MISSING``."""
    return [MISSING if gone else _text(v) for v, gone in zip(values.tolist(), values.isna(), strict=True)]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
