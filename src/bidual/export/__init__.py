"""Networks for other programs, and from them: PyTorch modules and ONNX files; torch and onnx are imported when they are
used."""

from __future__ import annotations

from bidual.export.onnx_file import to_onnx
from bidual.export.onnx_reading import from_onnx
from bidual.export.pytorch import from_torch, to_torch

__all__ = ["from_onnx", "from_torch", "to_onnx", "to_torch"]
