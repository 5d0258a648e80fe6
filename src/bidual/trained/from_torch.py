"""PyTorch modules, state dicts, and networks with PyTorch's conventions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bidual.errors import InvalidParameterError
from bidual.export import from_torch
from bidual.network import Layer, Network
from bidual.trained.objective import Objective
from bidual.trained.targets import array, rows
from bidual.trained.torch_losses import torch_loss
from bidual.trained.trained import Trained

PARAMETERS = ("hidden", "hidden_bias", "output", "output_bias")
"""The parameters of a network, in the order of ``parameters()``."""

Charges = dict[str, float | None]


def read_network(
    kind: str,
    network: Network,
    absent: tuple[str, ...],
    X: Any,
    y: Any,
    loss: Any,
    weight_decay: Any,
    objective: Objective | None,
    rebuild: Callable[[Network], tuple[Any, Network]],
    parameters: Mapping[str, Any] | None = None,
) -> Trained:
    """A network trained by PyTorch's conventions, or on a stated objective.

    ``absent`` names the biases it does not have, ``parameters`` its tensors, by which an optimiser knows them.
    """
    X, c = rows(X, network.n_inputs), network.n_outputs
    if objective is None:
        if loss is None or weight_decay is None:
            raise InvalidParameterError(
                f"loss and weight_decay must be given: a {kind} does not know what it was trained on; "
                "for example loss='mse', weight_decay=1e-3"
            )
        found, row_weight, encode = torch_loss(loss, len(X), c)
        charges = _charges(weight_decay, parameters) | dict.fromkeys(absent)
        own = Objective(found, row_weight, **charges)
        return Trained(kind, network, own, X, encode(y, len(X), c), rebuild)
    if loss is not None or weight_decay is not None:
        raise InvalidParameterError("objective states loss and weight decay: leave loss and weight_decay out")
    Y = array("y", y)
    return Trained(kind, network, objective, X, Y.reshape(-1, 1) if Y.ndim == 1 else Y, rebuild)


def read_module(module: Any, X: Any, y: Any, loss: Any, weight_decay: Any, objective: Objective | None) -> Trained:
    """A ``nn.Sequential`` of two Linear with a ReLU between."""
    network = from_torch(module)
    linears = _linears(module)
    parameters = dict(zip(PARAMETERS, [p for part in linears for p in (part.weight, part.bias)], strict=False))
    absent = tuple(name for name, tensor in parameters.items() if tensor is None)

    def rebuild(other: Network) -> tuple[Any, Network]:
        copied = copy.deepcopy(module)
        for part, layer in zip(_linears(copied), other.layers, strict=True):
            part.in_features, part.out_features = layer.weight.shape
            _put(part, "weight", layer.weight.T)
            if part.bias is not None:
                _put(part, "bias", layer.bias)
        return copied, from_torch(copied)

    kind = "PyTorch module"
    return read_network(kind, network, absent, X, y, loss, weight_decay, objective, rebuild, parameters)


def read_state_dict(
    state: Mapping[str, Any], X: Any, y: Any, loss: Any, weight_decay: Any, objective: Objective | None
) -> Trained:
    """The tensors of such a module, by name; the activation, which they do not tell, is taken to be ReLU."""
    weights = [name for name, tensor in state.items() if name.endswith("weight") and len(tensor.shape) == 2]
    biases = [name.removesuffix("weight") + "bias" for name in weights]
    if len(weights) != 2 or {*state} - {*weights, *biases}:
        raise InvalidParameterError(
            f"the state_dict must be that of two Linear layers, with two weights and their biases, got {[*state]}"
        )

    def network_of(state: Mapping[str, Any]) -> Network:
        layers = []
        for name, bias, activation in zip(weights, biases, ("relu", "linear"), strict=True):
            weight = array(name, state[name]).T
            zeros = np.zeros(weight.shape[1])
            layers.append(Layer(weight, array(bias, state[bias]) if bias in state else zeros, activation))
        return Network(tuple(layers))

    absent = tuple(p for p, bias in zip(PARAMETERS[1::2], biases, strict=True) if bias not in state)

    def rebuild(other: Network) -> tuple[Any, Network]:
        copied = copy.copy(state)
        for name, bias, layer in zip(weights, biases, other.layers, strict=True):
            copied[name] = _like(state[name], layer.weight.T)  # type: ignore[index]
            if bias in state:
                copied[bias] = _like(state[bias], layer.bias)  # type: ignore[index]
        return copied, network_of(copied)

    network = network_of(state)
    return read_network("state_dict", network, absent, X, y, loss, weight_decay, objective, rebuild)


def _charges(weight_decay: Any, parameters: Mapping[str, Any] | None) -> Charges:
    """The weight decay of each parameter: of all alike, or as an optimiser has them."""
    if not hasattr(weight_decay, "param_groups"):
        return dict.fromkeys(PARAMETERS, _positive(weight_decay))
    if parameters is None:
        raise InvalidParameterError("weight_decay must be a number here: the optimiser's tensors are those of a module")
    groups = {id(tensor): group for group in weight_decay.param_groups for tensor in group["params"]}
    charges: Charges = {}
    for name, tensor in parameters.items():
        group = groups.get(id(tensor))
        if tensor is not None and group is None:
            raise InvalidParameterError(f"weight_decay: the optimiser does not train the module's {name}; pass its own")
        charges[name] = None if group is None else _coupled(weight_decay, group)
    for name in PARAMETERS[::2]:
        _positive(charges[name])
    return charges


def _coupled(optimiser: Any, group: Mapping[str, Any]) -> float:
    """The group's weight decay, refused where no objective has its gradient."""
    name = type(optimiser).__name__
    if name in ("AdamW", "Muon") or group.get("decoupled_weight_decay"):
        raise InvalidParameterError(
            f"{name} shrinks the weights outside the gradient (decoupled weight decay), so where it ends minimises no "
            "objective that could be bounded; train with Adam(weight_decay=...) or SGD, or give weight_decay as the "
            "number of the objective you mean"
        )
    if group.get("maximize"):
        raise InvalidParameterError(f"{name}(maximize=True) makes the loss large; there is nothing to bound")
    return float(group.get("weight_decay", 0.0))


def _positive(weight_decay: Any) -> float:
    if not isinstance(weight_decay, int | float) or isinstance(weight_decay, bool) or not weight_decay > 0:
        raise InvalidParameterError(
            f"weight_decay must be a positive number or an optimiser that has one, got {weight_decay!r}: where weights "
            "cost nothing, a network that is wide enough fits any targets, and there is nothing to bound"
        )
    return float(weight_decay)


def _linears(module: Any) -> list[Any]:
    from torch import nn

    return [part for part in module.modules() if type(part) is nn.Linear]


def _put(part: Any, name: str, values: Any) -> None:
    from torch import nn

    old = getattr(part, name)
    setattr(part, name, nn.Parameter(_like(old, values), requires_grad=old.requires_grad))


def _like(old: Any, values: Any) -> Any:
    """The values as what the old tensor, or array, was."""
    if not hasattr(old, "detach"):
        return np.asarray(values, dtype=old.dtype)
    import torch

    return torch.tensor(np.ascontiguousarray(values), dtype=old.dtype, device=old.device)
