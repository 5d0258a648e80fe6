"""Small trained models of every kind."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sklearn.neural_network as sklearn
import torch
from torch import nn

import bidual
from bidual.network import Layer, Network

LOSSES: dict[str, Any] = {
    "mse": nn.MSELoss(),
    "mse sum": nn.MSELoss(reduction="sum"),
    "huber": nn.HuberLoss(delta=0.7),
    "smooth_l1": nn.SmoothL1Loss(beta=0.5),
    "cross_entropy": nn.CrossEntropyLoss(),
    "bce_with_logits": nn.BCEWithLogitsLoss(),
    "soft_margin": nn.SoftMarginLoss(),
}


@dataclass(frozen=True)
class Model:
    """A model with its data, and what ``audit`` must be told."""

    model: Any
    X: Any
    y: Any
    settings: dict[str, Any]


def rows(seed: int, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows, and a target with two kinks and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, np.abs(X[:, 0]) + X[:, -1] + 0.3 + 0.2 * rng.normal(size=n)


def targets(name: str, y: np.ndarray, c: int) -> torch.Tensor:
    """y as the loss of PyTorch takes it."""
    several = torch.tensor(np.column_stack([np.roll(y, k) for k in range(c)]))
    match name:
        case "cross_entropy":
            return torch.tensor(np.argsort(np.argsort(y)) * c // y.size)
        case "bce_with_logits":
            return (several > 0.8).to(torch.float64)
        case "soft_margin":
            return torch.where(several > 0.8, 1.0, -1.0).to(torch.float64)
    return several


def module(seed: int, d: int, width: int, c: int, bias: bool = True, slope: float = 0.0) -> nn.Sequential:
    """A random network in double precision."""
    torch.manual_seed(seed)
    unit = nn.LeakyReLU(slope) if slope else nn.ReLU()
    return nn.Sequential(nn.Linear(d, width, bias=bias), unit, nn.Linear(width, c, bias=bias)).double()


def train(net: nn.Module, X: np.ndarray, y: torch.Tensor, loss: Any, decay: float, steps: int) -> nn.Module:
    """Full-batch Adam with L2 decay."""
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02, weight_decay=decay)
    Xt = torch.tensor(X, dtype=next(net.parameters()).dtype)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(net(Xt), y.to(Xt.dtype) if y.is_floating_point() else y).backward()
        optimiser.step()
    return net


@cache
def trained(kind: str, n: int = 14, d: int = 2) -> Model:
    """A model that was trained, though not to its optimum."""
    X, y = rows(0, n, d)
    torch_settings = {"loss": "mse", "weight_decay": 0.05}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge
        match kind:
            case "module" | "float32" | "state_dict":
                net = module(0, d, 12, 1)
                net = train(net.float() if kind == "float32" else net, X, targets("mse", y, 1), nn.MSELoss(), 0.05, 150)
                return Model(net.state_dict() if kind == "state_dict" else net, X, y, torch_settings)
            case "classes":
                net = train(module(1, d, 9, 3), X, targets("cross_entropy", y, 3), nn.CrossEntropyLoss(), 0.02, 150)
                settings = {"loss": nn.CrossEntropyLoss(), "weight_decay": 0.02}
                return Model(net, X, targets("cross_entropy", y, 3), settings)
            case "regressor":
                mlp = sklearn.MLPRegressor(hidden_layer_sizes=(12,), alpha=0.5, max_iter=300, random_state=0)
                return Model(mlp.fit(X, y), X, y, {})
            case "classifier":
                labels = np.array(["low", "high", "top"])[np.argsort(np.argsort(y)) * 3 // y.size]
                mlp = sklearn.MLPClassifier(hidden_layer_sizes=(9,), alpha=0.5, max_iter=300, random_state=0)
                return Model(mlp.fit(X, labels), X, labels, {})
            case "own":
                return Model(bidual.MLPRegressor(alpha=0.02, tol=0.1, random_state=0).fit(X, y), X, y, {})
    rng = np.random.default_rng(0)
    network = Network(
        (Layer(rng.normal(size=(d, 5)), rng.normal(size=5), "relu", 0.1), Layer(rng.normal(size=(5, 1)), np.zeros(1)))
    )
    return Model(network, X, y, {"loss": "huber", "weight_decay": 0.05})


def seconds(c: int) -> float:
    """A limit that one output never reaches, as its gap closes, and that several always do."""
    return 60.0 if c == 1 else 2.0


KINDS = ("module", "float32", "state_dict", "classes", "regressor", "classifier", "own", "network")
