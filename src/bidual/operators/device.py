"""Where array products run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from bidual.errors import MissingDependencyError


@final
@dataclass(frozen=True)
class Device:
    """``"cpu"`` is NumPy, any other name a torch device: ``"cuda"``, ``"cuda:1"``, ``"cpu:0"``."""

    name: str = "cpu"

    @cached_property
    def xp(self) -> Any:
        """The namespace of its arrays, after the array API standard."""
        if self.name == "cpu":
            return np
        try:
            import array_api_compat.torch as torch
        except ImportError as error:
            raise MissingDependencyError(
                f"device={self.name!r} needs torch: pip install 'bidual[torch]', or set device='cpu'"
            ) from error
        return torch

    def put(self, values: NDArray[Any], dtype: Any = None) -> Any:
        """The values on the device, of the given type; not to be assigned to, as they may be the same memory."""
        values = np.asarray(values, dtype=dtype)
        if self.name == "cpu":
            return values
        # A copy: torch would share the memory of a NumPy array, which it refuses where that is read-only.
        return self.xp.asarray(np.array(values), device=self.name)

    def get(self, values: Any) -> NDArray[Any]:
        """The values as a NumPy array."""
        return values.cpu().numpy() if hasattr(values, "cpu") else np.asarray(values)
