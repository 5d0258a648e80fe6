"""The trained network: layers of weights, and nothing of how they were found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.activations import ACTIVATIONS
from bidual.errors import BidualError, InvalidDataError, InvalidParameterError, ModelFileError
from bidual.files import Arrays, read_arrays, write_arrays
from bidual.gates import GateNetwork, Paths
from bidual.operators.blocks import row_blocks
from bidual.operators.frozen import frozen, frozen_places
from bidual.patches import Patches
from bidual.typing import Matrix, Outputs

KIND = "network"
_FIELDS = ("weight", "bias", "gate", "gate_bias", "paths")


@final
@dataclass(frozen=True, eq=False, repr=False)
class Layer:
    """``phi(x'W + b)``, one column of W per neuron; with a leading branch axis, B such layers side by side.

    With ``patches`` it is a convolutional layer and its pooling: p is the length of a patch, a neuron sees every patch
    x of an image, and what it gives for them is pooled. Such a layer is the first of a network, and has no branches.

    Arrays are copied as read-only float64. Two layers are equal when they are so bit for bit.

    Parameters
    ----------
    weight : (p, m) or (B, p, m)
    bias : (m,) or (B, m)
    activation : "linear", "relu", "gated", "tanh" or "sign"
    slope : slope of "relu" below zero: 0 is ReLU, 0.01 leaky ReLU, -1 the absolute value
    gate : as weight, for "gated" only: neuron j is open where ``x'gate_j + gate_bias_j >= 0``
    gate_bias : as bias, zero if not given
    gates, paths : in place of a gate, for "gated" without branches: neuron j is open where path j, a column of
        ``paths`` (q, m), is open in the network ``gates``
    patches : of the images that are its inputs, or None

    Raises
    ------
    InvalidParameterError
        Shapes that do not fit together, an unknown activation, a slope or gate that the activation has no use for.
    InvalidDataError
        A weight that is not finite.
    """

    weight: Matrix
    bias: Matrix
    activation: str = "linear"
    slope: float = 0.0
    gate: Matrix | None = None
    gate_bias: Matrix | None = None
    gates: GateNetwork | None = None
    paths: Paths | None = None
    patches: Patches | None = None

    def __post_init__(self) -> None:
        self._check_activation()
        weight = frozen("weight", self.weight)
        if weight.ndim not in (2, 3):
            raise InvalidParameterError(f"weight must have shape (p, m) or (B, p, m), got {weight.shape}")
        if self.patches is not None and (weight.ndim, weight.shape[0]) != (2, self.patches.length):
            raise InvalidParameterError(
                f"weight must have shape ({self.patches.length}, m), a row for each entry of a patch: {weight.shape}"
            )
        bias_shape = weight.shape[:-2] + weight.shape[-1:]
        _set(self, slope=float(self.slope), weight=weight, bias=frozen("bias", self.bias, bias_shape))
        if self.gate is not None:
            gate_bias = np.zeros(bias_shape) if self.gate_bias is None else self.gate_bias
            _set(self, gate=frozen("gate", self.gate, weight.shape))
            _set(self, gate_bias=frozen("gate_bias", gate_bias, bias_shape))
        if self.gates is not None and self.paths is not None:
            _set(self, paths=frozen_places("paths", self.paths, (self.gates.length, *bias_shape)))
            if self.gates.n_inputs != weight.shape[0] or not self.gates.has(self.paths):
                raise InvalidParameterError(f"the paths or the {weight.shape[0]} inputs are not those of {self.gates}")

    def _check_activation(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise InvalidParameterError(f"activation must be one of {[*ACTIVATIONS]}, got {self.activation!r}")
        needs = ACTIVATIONS[self.activation]
        if not np.isfinite(self.slope):
            raise InvalidParameterError(f"slope must be finite, got {self.slope!r}")
        if self.slope != 0 and not needs.has_slope:
            raise InvalidParameterError(f"activation {self.activation!r} has no slope; leave it at 0")
        if (self.gates is None) != (self.paths is None):
            raise InvalidParameterError("gates and paths belong together; give both or neither")
        if needs.has_gate and (self.gate is None) == (self.gates is None):
            raise InvalidParameterError(f"activation {self.activation!r} needs a gate, or gates and paths")
        if not needs.has_gate and not (self.gate is None and self.gate_bias is None and self.gates is None):
            raise InvalidParameterError(f"activation {self.activation!r} has no gate; leave gate and gate_bias out")

    def __call__(self, H: Matrix) -> Matrix:
        """(n, m) or (B, n, m): the layer's outputs for H (n, p) or (B, n, p); with patches, for images (n, d)."""
        H = H if self.patches is None else self.patches(H)
        z = H @ self.weight + self.bias[..., None, :]
        gate = None
        if self.gate is not None and self.gate_bias is not None:
            gate = H @ self.gate + self.gate_bias[..., None, :]
        elif self.gates is not None and self.paths is not None:
            gate = self.gates(H, self.paths)
        outputs = ACTIVATIONS[self.activation].function(z, self.slope, gate)
        return outputs if self.patches is None else self.patches.pool(outputs)

    @property
    def arrays(self) -> Arrays:
        """The arrays the layer has, by field name."""
        return {name: getattr(self, name) for name in _FIELDS if getattr(self, name) is not None}

    @property
    def n_branches(self) -> int | None:
        """B, or None without a branch axis."""
        return self.weight.shape[0] if self.weight.ndim == 3 else None

    @property
    def n_inputs(self) -> int:
        """p, or d with patches."""
        return self.weight.shape[-2] if self.patches is None else self.patches.n_inputs

    def _key(self) -> tuple[Any, ...]:
        arrays = ((k, a.shape, a.tobytes()) for k, a in self.arrays.items())
        return self.activation, self.slope, self.gates, self.patches, *arrays

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Layer) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        slope = f", slope={self.slope:g}" if self.slope else ""
        seen = f" by {self.gates}" if self.gates else ""
        seen += f", pooled over {self.patches.count} patches" if self.patches else ""
        return f"Layer({' x '.join(map(str, self.weight.shape))}, {self.activation}{slope}{seen})"


@final
@dataclass(frozen=True, repr=False)
class Network:
    """Layers applied one after the other; the outputs of parallel branches are summed at the end.

    Either no layer has a branch axis, or all have one of the same length.

    Raises
    ------
    InvalidParameterError
        No layers, or neighbours whose sizes or branches do not fit together.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        _set(self, layers=tuple(self.layers))
        if not self.layers:
            raise InvalidParameterError("a network needs at least one layer")
        if any(layer.patches is not None for layer in self.layers[1:]):
            raise InvalidParameterError("patches are of images, the inputs of the first layer; give them to that layer")
        for i, (a, b) in enumerate(pairwise(self.layers)):
            if a.n_branches != b.n_branches or a.weight.shape[-1] != b.weight.shape[-2]:
                raise InvalidParameterError(
                    f"layer {i} has weights of shape {a.weight.shape}, which does not fit "
                    f"those of layer {i + 1}, {b.weight.shape}"
                )

    def __call__(self, X: ArrayLike) -> Outputs:
        """(n, c): predictions of the rows of X (n, d), block of rows by block of rows.

        Raises
        ------
        InvalidDataError
            X is not a matrix with ``n_inputs`` columns.
        """
        given: Matrix = np.asarray(X)
        if given.ndim != 2 or given.shape[1] != self.n_inputs:
            raise InvalidDataError(f"X must have shape (n, {self.n_inputs}) for this network, got {given.shape}")
        patches = self.layers[0].patches
        first = 1 if patches is None else patches.count
        widest = max(self.n_inputs, first * max(self.layers[0].weight.shape[-2:]), *(L.bias.size for L in self.layers))
        F = np.empty((given.shape[0], self.n_outputs))
        for rows in row_blocks(given.shape[0], widest):
            H = np.asarray(given[rows], dtype=np.float64)
            for layer in self.layers:
                H = layer(H)
            F[rows] = H if self.n_branches is None else H.sum(axis=0)
        return F

    @property
    def n_branches(self) -> int | None:
        """B, or None without a branch axis."""
        return self.layers[0].n_branches

    @property
    def n_inputs(self) -> int:
        """d, the columns that X must have."""
        return self.layers[0].n_inputs

    @property
    def n_outputs(self) -> int:
        """c, the columns of a prediction."""
        return self.layers[-1].weight.shape[-1]

    @property
    def n_neurons(self) -> int:
        """Hidden neurons, over all hidden layers and branches, without those of zero weights that fill up a branch."""
        return sum(int(np.count_nonzero(_used(layer))) for layer in self.layers[:-1])

    def prune(self) -> Network:
        """The same function without the hidden neurons, and branches, that contribute exactly nothing.

        A neuron goes when all its outgoing weights are zero, or when its incoming weights and bias are all zero and
        its activation then gives zero (every one but "sign"); weights from and to neurons that go do not count. With
        branches, a neuron goes when this holds in every branch. A neuron that is constant but not zero stays: turned
        into a bias it could leave the architecture.
        """
        layers, alive = list(self.layers), _alive(self.layers)
        if self.n_branches is not None:
            branches = alive[-1].any(axis=-1)
            layers = [_replace(layer, {k: a[branches] for k, a in layer.arrays.items()}) for layer in layers]
            alive = [np.any(a[branches], axis=0) for a in alive]
        everything = slice(None)
        keep = [everything, *alive[:-1], everything]
        return Network(tuple(_take(layer, *ends) for layer, ends in zip(layers, pairwise(keep), strict=True)))

    def to_arrays(self) -> tuple[list[dict[str, Any]], Arrays]:
        """A JSON description of each layer, and the arrays as ``"i.field"``, for ``bidual.files.write_arrays``."""
        described: list[dict[str, Any]] = [{"activation": L.activation, "slope": L.slope} for L in self.layers]
        if self.layers[0].patches is not None:
            described[0]["patches"] = self.layers[0].patches.to_dict()
        arrays: Arrays = {}
        for i, layer in enumerate(self.layers):
            gates = {} if layer.gates is None else {f"gates.{k}": a for k, a in layer.gates.arrays.items()}
            arrays |= {f"{i}.{k}": a for k, a in (layer.arrays | gates).items()}
        return described, arrays

    @classmethod
    def from_arrays(cls, described: list[dict[str, Any]], arrays: Mapping[str, Any]) -> Network:
        """The network that ``to_arrays`` described."""
        layers = []
        for i, d in enumerate(described):
            own = {k.removeprefix(f"{i}."): a for k, a in arrays.items() if k.startswith(f"{i}.")}
            gates = {k.removeprefix("gates."): own.pop(k) for k in [*own] if k.startswith("gates.")}
            own["gates"] = GateNetwork.from_arrays(gates) if gates else None
            own["patches"] = Patches(**d["patches"]) if "patches" in d else None
            layers.append(Layer(**(d | own)))
        return cls(tuple(layers))

    def save(self, path: str | os.PathLike[str], **header: Any) -> None:
        """Write the network to ``path``, with notes for its reader in the file's header (anything JSON can hold)."""
        described, arrays = self.to_arrays()
        write_arrays(path, KIND, {"layers": described, "notes": header}, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """The network that ``save`` wrote, bit for bit; FileNotFoundError or ModelFileError if there is none."""
        header, arrays = read_arrays(path, KIND)
        try:
            return cls.from_arrays(header["layers"], arrays)
        except (BidualError, KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path} does not describe a network ({error}); save it again") from error

    def __repr__(self) -> str:
        sizes = [str(self.n_inputs), *(str(layer.weight.shape[-1]) for layer in self.layers)]
        gates = next((f" by {layer.gates}" for layer in self.layers if layer.gates), "")
        activations = ", ".join(dict.fromkeys(layer.activation for layer in self.layers[:-1])) or "linear"
        branches = "" if self.n_branches is None else f"{self.n_branches} branches of "
        branches += "" if self.layers[0].patches is None else "convolutional "
        return f"Network({branches}{' -> '.join(sizes)}, {activations}{gates})"


def _set(value: Any, **fields: Any) -> None:
    for name, field in fields.items():
        object.__setattr__(value, name, field)


def _used(layer: Layer) -> NDArray[np.bool_]:
    """(m,) or (B, m): the neurons that are no padding of a branch."""
    if layer.n_branches is None or not ACTIVATIONS[layer.activation].zero_at_zero:
        return np.ones(layer.bias.shape, dtype=bool)
    return np.any(layer.weight, axis=-2) | layer.bias.astype(bool)


def _alive(layers: tuple[Layer, ...]) -> list[NDArray[np.bool_]]:
    """(m,) or (B, m) for each layer: the neurons that contribute to the output, if only for some inputs.

    Forward, a neuron can differ from zero if a bias or such a neuron feeds it; backward, it matters if it feeds a
    neuron that matters, by its weight or its gate.
    """
    nonzero: list[NDArray[np.bool_]] = [np.ones(layers[0].weight.shape[:-1], dtype=bool)]
    for layer in layers:
        fed = (layer.weight.astype(bool) & nonzero[-1][..., None]).any(axis=-2) | layer.bias.astype(bool)
        nonzero.append(fed | (not ACTIVATIONS[layer.activation].zero_at_zero))
    alive = [nonzero[-1]]
    for layer, able in zip(layers[:0:-1], nonzero[-2:0:-1], strict=True):
        reads = layer.weight.astype(bool)
        if layer.gate is not None:
            reads = reads | layer.gate.astype(bool)
        if layer.gates is not None:
            reads = np.ones_like(reads)
        alive.append((reads & alive[-1][..., None, :]).any(axis=-1) & able)
    return alive[::-1]


def _take(layer: Layer, inputs: Any, outputs: Any) -> Layer:
    """The layer between some of its inputs and some of its neurons."""
    columns = {k: a[..., outputs] for k, a in layer.arrays.items()}
    taken: dict[str, Any] = {k: a[..., inputs, :] if k in ("weight", "gate") else a for k, a in columns.items()}
    if layer.gates is not None and not isinstance(inputs, slice):
        taken["gates"] = layer.gates.begun_by(layer.gates.weights[0][:, inputs], layer.gates.biases[0])
    return _replace(layer, taken)


def _replace(layer: Layer, arrays: Mapping[str, Any]) -> Layer:
    return replace(layer, **arrays)
