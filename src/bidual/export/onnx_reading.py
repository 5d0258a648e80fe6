"""Chains of layers in ONNX files as networks."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np

from bidual.errors import InvalidParameterError, MissingDependencyError, ModelFileError
from bidual.network import Layer, Network
from bidual.typing import Matrix

Constants = dict[str, Matrix]


def from_onnx(path: str | os.PathLike[str]) -> Network:
    """The network that an ONNX file computes, in float64.

    Its graph must be a chain of Gemm, or MatMul and Add, with Relu, LeakyRelu, Tanh and Identity between, as PyTorch's
    exporter and :func:`to_onnx` write such networks.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ModelFileError
        It is no ONNX file.
    InvalidParameterError
        The model is no such chain.
    MissingDependencyError
        onnx is not installed.
    """
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingDependencyError("ONNX files need onnx: pip install 'bidual[onnx]'") from error
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r}")
    try:
        graph = onnx.load(os.fspath(path)).graph
        constants = {c.name: onnx.numpy_helper.to_array(c).astype(np.float64) for c in graph.initializer}
    except Exception as error:  # protobuf, onnx and NumPy raise types of their own
        raise ModelFileError(f"{os.fspath(path)} is no ONNX model ({error}); export it again") from error
    layers: list[Layer] = []
    given = [value.name for value in graph.input if value.name not in constants]
    if len(given) != 1:
        raise InvalidParameterError(f"the model must have one input, got {given}")
    h = given[0]
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t).astype(np.float64)
        elif h not in node.input:
            raise _other(node.op_type)
        else:
            settings = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            others = [constants[name] for name in node.input if name != h and name in constants]
            if len(others) != len(node.input) - 1:
                raise _other(node.op_type)
            _take(layers, node.op_type, settings, others, node.input[0] == h)
            h = node.output[0]
    if [value.name for value in graph.output] != [h] or not layers:
        raise InvalidParameterError("the model must have one output, that of its last layer")
    return Network(tuple(layers))


def _take(layers: list[Layer], operator: str, settings: dict[str, Any], others: list[Matrix], first: bool) -> None:
    """Add the operator to the chain; ``others`` are the constants that it takes besides the chain's value."""
    open_end = bool(layers) and layers[-1].activation == "linear"
    match operator:
        case "Gemm" if first and not settings.get("transA"):
            weight = settings.get("alpha", 1.0) * (others[0].T if settings.get("transB") else others[0])
            bias = settings.get("beta", 1.0) * others[1] if len(others) > 1 else np.zeros(1)
            layers.append(Layer(weight, np.broadcast_to(bias.reshape(-1), weight.shape[1:])))
        case "MatMul" if first and others[0].ndim == 2:
            layers.append(Layer(others[0], np.zeros(others[0].shape[1])))
        case "Add" if open_end and others[0].size in (1, layers[-1].bias.size):
            layers[-1] = replace(layers[-1], bias=layers[-1].bias + others[0].reshape(-1))
        case "Relu" if open_end:
            layers[-1] = replace(layers[-1], activation="relu")
        case "LeakyRelu" if open_end:
            layers[-1] = replace(layers[-1], activation="relu", slope=settings.get("alpha", 0.01))
        case "Tanh" if open_end:
            layers[-1] = replace(layers[-1], activation="tanh")
        case "Identity":
            pass
        case _:
            raise _other(operator)


def _other(operator: str) -> InvalidParameterError:
    return InvalidParameterError(
        "the model must be a chain of Gemm, MatMul, Add, Relu, LeakyRelu, Tanh and Identity, got "
        f"{operator} where it does not fit; read the weights yourself and give a Network"
    )
