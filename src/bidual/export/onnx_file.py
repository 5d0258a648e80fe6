"""Networks as ONNX files."""

from __future__ import annotations

import os
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.errors import InvalidParameterError, MissingDependencyError
from bidual.export.source import exported_network
from bidual.network import Layer, Network
from bidual.patches import Patches
from bidual.typing import Matrix

OPSET, IR_VERSION = 17, 8
"""The versions of the operators and of the file: of 2022, so that readers of any later year know them."""


def to_onnx(model: Any, path: str | os.PathLike[str], dtype: str = "float64") -> None:
    """Write ``network(X)`` as an ONNX model (opset 17) with the input "X" (n, d) and the output "F" (n, c).

    Every layer, with its gates and branches, becomes standard operators; ``onnx.checker`` has passed the model before
    it is written. The function is the network's own, expression by expression: equal up to rounding.

    Parameters
    ----------
    model : Network or fitted estimator
        An estimator's file takes raw features. A regressor's gives predictions, a classifier's *decision scores* and
        neither labels nor probabilities: those of ``decision_function``, for two classes as one column.
    path : where to write
    dtype : "float64" or "float32", of the weights, X and F

    Raises
    ------
    InvalidParameterError
        Neither a network nor a fitted estimator, another dtype, or weights too large for float32.
    MissingDependencyError
        onnx is not installed.
    """
    network = exported_network(model)
    if dtype not in ("float64", "float32"):
        raise InvalidParameterError(f"dtype must be 'float64' or 'float32', got {dtype!r}")
    onnx = _onnx()
    written = _model(network, np.dtype(dtype), onnx)
    onnx.checker.check_model(written, full_check=True)
    onnx.save(written, os.fspath(path))


def _model(network: Network, dtype: np.dtype[Any], onnx: Any) -> Any:
    graph, h = _Graph(dtype, onnx), "X"
    for layer in network.layers:
        h = _activated(graph, layer, h) if layer.patches is None else _pooled(graph, layer, layer.patches, h)
    if network.n_branches is None:
        graph.add("Identity", h, output="F")
    else:
        graph.add("ReduceSum", h, graph.whole([0]), output="F", keepdims=0)
    ends = [
        onnx.helper.make_tensor_value_info(name, graph.element, ["n", size])
        for name, size in (("X", network.n_inputs), ("F", network.n_outputs))
    ]
    made = onnx.helper.make_graph(graph.nodes, "bidual", ends[:1], ends[1:], graph.constants)
    opset = onnx.helper.make_opsetid("", OPSET)
    return onnx.helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION, producer_name="bidual")


def _pooled(graph: _Graph, layer: Layer, patches: Patches, h: str) -> str:
    """The name of what the units give for all patches, pooled. The patches are gathered, as the network does it: there
    are readers that know no Conv in double precision."""
    seen = graph.add("Gather", h, graph.whole(patches.index), axis=1)  # (n, N, q)
    each = _activated(graph, layer, seen)
    if patches.pooling == "mean":
        return graph.add("ReduceMean", each, axes=[-2], keepdims=0)
    return graph.add("ReduceSum", each, graph.whole([-2]), keepdims=0)


def _activated(graph: _Graph, layer: Layer, h: str) -> str:
    """The name of ``phi(h W + b)``, as in ``bidual.activations``.

    The slope is a tensor and not the attribute of LeakyRelu, which is float32.
    """
    z = graph.affine(h, layer.weight, layer.bias)
    match layer.activation:
        case "relu" if layer.slope == 0:
            return graph.add("Relu", z)
        case "relu":
            return graph.add(
                "Where", graph.add("Greater", z, graph.number(0.0)), z, graph.add("Mul", z, graph.number(layer.slope))
            )
        case "gated":
            open_ = graph.add("GreaterOrEqual", _gate(graph, layer, h), graph.number(0.0))
            return graph.add("Mul", z, graph.add("Cast", open_, to=graph.element))
        case "tanh":
            return graph.add("Tanh", z)
        case "sign":
            negative = graph.add("Where", graph.add("Less", z, graph.number(0.0)), graph.number(-1.0), z)
            return graph.add("Where", graph.add("GreaterOrEqual", z, graph.number(0.0)), graph.number(1.0), negative)
        case "linear":
            return z
    raise InvalidParameterError(f"activation {layer.activation!r} has no operators here; export another network")


def _gate(graph: _Graph, layer: Layer, h: str) -> str:
    """The name of what opens the units where it is not negative: a linear function, or the least along their paths."""
    if layer.gates is None or layer.paths is None:
        assert layer.gate is not None and layer.gate_bias is not None
        return graph.affine(h, layer.gate, layer.gate_bias)
    values = []
    for weight, bias, units in zip(layer.gates.weights, layer.gates.biases, layer.paths[1:], strict=True):
        z = graph.affine(h, weight, bias)  # (B, n, m)
        each = graph.add("Reshape", graph.add("Transpose", z, perm=[1, 0, 2]), graph.whole([0, -1]))
        values.append(graph.add("Gather", each, graph.whole(layer.paths[0] * weight.shape[2] + units), axis=1))
        h = graph.add("Relu", z)
    return graph.add("Min", *values)


@final
class _Graph:
    """Nodes and constants, each under a name of its own."""

    def __init__(self, dtype: np.dtype[Any], onnx: Any) -> None:
        self.dtype, self._onnx = dtype, onnx
        self.element: int = onnx.helper.np_dtype_to_tensor_dtype(dtype)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._numbers: dict[float, str] = {}

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """The name of the operator's output."""
        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, array: NDArray[Any], dtype: np.dtype[Any] | None = None) -> str:
        """The name of an array; InvalidParameterError if the dtype cannot hold it."""
        with np.errstate(over="ignore"):
            cast = np.ascontiguousarray(array, dtype=dtype or self.dtype).reshape(array.shape)
        if not np.isfinite(cast).all():
            raise InvalidParameterError(f"dtype {self.dtype.name!r} is too small for the weights; use 'float64'")
        name = f"constant_{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(cast, name))
        return name

    def number(self, value: float) -> str:
        """The name of a number, one for all its uses."""
        if value not in self._numbers:
            self._numbers[value] = self.constant(np.array(value))
        return self._numbers[value]

    def whole(self, values: ArrayLike) -> str:
        """The name of whole numbers."""
        return self.constant(np.asarray(values), np.dtype(np.int64))

    def affine(self, h: str, weight: Matrix, bias: Matrix) -> str:
        """``h W + b``, for every branch if the weight has a branch axis."""
        return self.add("Add", self.add("MatMul", h, self.constant(weight)), self.constant(bias[..., None, :]))


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingDependencyError("ONNX files need onnx: pip install 'bidual[onnx]'") from error
    return onnx
