"""Networks as PyTorch modules, and chains of torch.nn back as networks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bidual.errors import InvalidParameterError, MissingDependencyError
from bidual.export.source import exported_network
from bidual.network import Layer, Network
from bidual.patches import Patches
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    import torch
    from torch import nn


def to_torch(model: Any, dtype: torch.dtype | None = None) -> nn.Sequential:
    """The module that computes ``network(X)`` for a tensor X (n, d) of its dtype: (n, c).

    ``nn.Linear`` (``nn.Conv2d`` for filters) with ``nn.ReLU``, ``nn.LeakyReLU`` or ``nn.Tanh`` where the network is
    such a chain; gates, signs, images, pooling and parallel branches have small modules of this library. Its parameters
    can be trained further.

    Parameters
    ----------
    model : Network or fitted estimator
        An estimator's module takes raw features. A regressor's gives predictions, a classifier's *decision scores*
        and neither labels nor probabilities: those of ``decision_function``, for two classes as one column.
    dtype : floating torch dtype, default torch.float64
        In float64 it predicts as the network does, up to rounding.

    Raises
    ------
    InvalidParameterError
        Neither a network nor a fitted estimator, a dtype that is not floating, or one too small for the weights.
    MissingDependencyError
        torch is not installed.
    """
    network, torch = exported_network(model), _torch()
    dtype = torch.float64 if dtype is None else dtype
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise InvalidParameterError(f"dtype must be a floating dtype of torch, such as torch.float32, got {dtype!r}")
    if network.n_branches is None:
        module = _chain(network.layers, dtype)
    else:
        from bidual.export.torch_modules import Branches

        branches = (_chain([_branch(layer, i) for layer in network.layers], dtype) for i in range(network.n_branches))
        module = torch.nn.Sequential(Branches(branches, network.n_outputs))
    if not all(torch.isfinite(parameter).all() for parameter in module.parameters()):
        raise InvalidParameterError(f"dtype {dtype} is too small for the weights; use torch.float64")
    return module


def from_torch(module: nn.Module) -> Network:
    """The network that a ``nn.Sequential`` of Linear, ReLU, LeakyReLU, Tanh and Identity computes, in float64.

    Sequentials within it are read through. ``from_torch(to_torch(network)) == network`` for networks of such layers.

    Raises
    ------
    InvalidParameterError
        Another module, or an activation that does not follow a Linear.
    MissingDependencyError
        torch is not installed.
    """
    nn = _torch().nn
    layers: list[Layer] = []
    open_end = False  # whether the last layer is still without an activation
    for part in _flat(module, nn):
        if type(part) is nn.Linear:
            weight, bias = _array(part.weight).T, part.bias
            layers.append(Layer(weight, np.zeros(weight.shape[1]) if bias is None else _array(bias)))
            open_end = True
        elif type(part) is not nn.Identity:
            name, slope = _activation(part, nn)
            if not open_end:
                raise InvalidParameterError(f"{part} does not follow a Linear; put a Linear before each activation")
            layers[-1] = replace(layers[-1], activation=name, slope=slope)
            open_end = False
    return Network(tuple(layers))


def _chain(layers: Iterable[Layer], dtype: torch.dtype) -> nn.Sequential:
    return _torch().nn.Sequential(*(part for layer in layers for part in _parts(layer, dtype)))


def _parts(layer: Layer, dtype: torch.dtype) -> list[Any]:
    """The layer's modules, in order."""
    from bidual.export.torch_modules import Images, Pooling

    if layer.patches is None:
        return _units(layer, _linear, dtype)
    if layer.bias.size == 0:  # which Conv2d refuses
        none = np.zeros((layer.n_inputs, 0))
        return _units(
            replace(layer, weight=none, gate=None if layer.gate is None else none, patches=None), _linear, dtype
        )
    patches = layer.patches

    def conv(weight: Matrix, bias: Vector, dtype: torch.dtype) -> nn.Conv2d:
        return _conv(patches, weight, bias, dtype)

    return [Images(patches.image_shape), *_units(layer, conv, dtype), Pooling(patches.pooling)]


def _units(layer: Layer, affine: Callable[[Matrix, Vector, torch.dtype], nn.Module], dtype: torch.dtype) -> list[Any]:
    """``affine`` of the weights, and the activation."""
    from bidual.export.torch_modules import Gated, PathValues, Sign

    nn, linear = _torch().nn, affine(layer.weight, layer.bias, dtype)
    match layer.activation:
        case "linear":
            return [linear]
        case "relu":
            return [linear, nn.LeakyReLU(layer.slope) if layer.slope else nn.ReLU()]
        case "tanh":
            return [linear, nn.Tanh()]
        case "sign":
            return [linear, Sign()]
        case "gated" if layer.gates is not None:
            layers = list(zip(layer.gates.weights, layer.gates.biases, strict=True))
            branches = ([_linear(W[k], b[k], dtype) for W, b in layers] for k in range(layer.gates.n_branches))
            return [Gated(linear, PathValues(branches, _torch().tensor(layer.paths)))]
        case "gated":
            assert layer.gate is not None and layer.gate_bias is not None
            return [Gated(linear, affine(layer.gate, layer.gate_bias, dtype))]
    raise InvalidParameterError(f"activation {layer.activation!r} has no module here; export another network")


def _linear(weight: Matrix, bias: Vector, dtype: torch.dtype) -> nn.Linear:
    torch = _torch()
    with warnings.catch_warnings():  # a network may have no neurons, of which torch warns
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        linear = torch.nn.utils.skip_init(torch.nn.Linear, *weight.shape, dtype=dtype)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(weight.T))
        linear.bias.copy_(torch.tensor(bias))
    return linear


def _conv(patches: Patches, weight: Matrix, bias: Vector, dtype: torch.dtype) -> nn.Conv2d:
    torch, m = _torch(), weight.shape[1]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        conv = torch.nn.utils.skip_init(
            torch.nn.Conv2d, patches.channels, m, patches.filter_size, patches.stride, dtype=dtype
        )
    filters = weight.T.reshape(m, *patches.filter_size, patches.channels).transpose(0, 3, 1, 2)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor(filters.copy()))
        conv.bias.copy_(torch.tensor(bias))
    return conv


def _branch(layer: Layer, i: int) -> Layer:
    arrays: dict[str, Any] = {name: array[i] for name, array in layer.arrays.items()}
    return replace(layer, **arrays)


def _flat(module: Any, nn: Any) -> Iterator[Any]:
    if type(module) is not nn.Sequential:
        yield module
        return
    for part in module:
        yield from _flat(part, nn)


def _activation(part: Any, nn: Any) -> tuple[str, float]:
    if type(part) is nn.ReLU:
        return "relu", 0.0
    if type(part) is nn.LeakyReLU:
        return "relu", float(part.negative_slope)
    if type(part) is nn.Tanh:
        return "tanh", 0.0
    raise InvalidParameterError(
        f"module must be a Sequential of Linear, ReLU, LeakyReLU, Tanh and Identity, got {type(part).__name__} in it; "
        "take it out or replace it"
    )


def _array(tensor: torch.Tensor) -> Matrix:
    return tensor.detach().cpu().double().numpy()


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("PyTorch modules need torch: pip install 'bidual[torch]'") from error
    return torch
