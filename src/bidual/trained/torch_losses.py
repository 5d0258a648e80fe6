"""The losses of PyTorch in the terms of this library; torch itself is not imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bidual.errors import InvalidParameterError
from bidual.losses import Huber, Logistic, Loss, Multinomial, Squared
from bidual.trained.targets import one_hot, real, signs
from bidual.typing import Outputs

MODULES = {
    "MSELoss": "mse",
    "HuberLoss": "huber",
    "SmoothL1Loss": "smooth_l1",
    "CrossEntropyLoss": "cross_entropy",
    "BCEWithLogitsLoss": "bce_with_logits",
    "SoftMarginLoss": "soft_margin",
}
"""Class of a loss module -> its name here, that of the function in torch.nn.functional without "loss"."""

REFUSED = ("weight", "pos_weight", "label_smoothing")
"""Settings whose losses this library has not."""

Encode = Callable[[Any, int, int], Outputs]


def torch_loss(loss: Any, n: int, c: int) -> tuple[Loss, float, Encode]:
    """(loss, weight of each row, how y is encoded) for n rows and c outputs.

    ``loss`` is a name or a module of torch.nn. PyTorch takes means over all entries of its argument, of the
    cross-entropy over the rows, and has no half before squares: ``MSELoss`` is ``2 / (n c)`` times the sum of half
    squares.

    Raises
    ------
    InvalidParameterError
        Another loss, one without reduction, or with class weights or smoothed labels.
    """
    name = MODULES.get(type(loss).__name__, loss)
    reduction = getattr(loss, "reduction", "mean")
    if name not in MODULES.values():
        raise InvalidParameterError(
            f"loss must be one of {[*MODULES.values()]} or such a module of torch.nn, got {loss!r}; or give objective="
        )
    if reduction not in ("mean", "sum"):
        raise InvalidParameterError(f"loss must have reduction 'mean' or 'sum', got {reduction!r}")
    for setting in REFUSED:
        if getattr(loss, setting, None) not in (None, 0.0):
            raise InvalidParameterError(f"loss must have no {setting}: its bound is not known here; leave it out")
    found, scale, encode = _found(name, loss)
    terms = n if name == "cross_entropy" else n * c
    return found, scale if reduction == "sum" else scale / terms, encode


def _found(name: str, loss: Any) -> tuple[Loss, float, Encode]:
    """The loss, its factor for a sum, and the encoding."""
    match name:
        case "mse":
            return Squared(), 2.0, real
        case "huber":
            return Huber(float(getattr(loss, "delta", 1.0))), 1.0, real
        case "smooth_l1":
            beta = float(getattr(loss, "beta", 1.0))
            if not beta > 0:
                raise InvalidParameterError("loss SmoothL1Loss(beta=0) has a kink; use a positive beta")
            return Huber(beta), 1.0 / beta, real
        case "cross_entropy":
            return Multinomial(), 1.0, one_hot
        case "bce_with_logits":
            return Logistic(), 1.0, lambda y, n, c: signs(y, n, c, (0.0, 1.0))
    return Logistic(), 1.0, lambda y, n, c: signs(y, n, c, (-1.0, 1.0))
