"""PyTorch on the network itself: full-batch Adam at three learning rates, with cosine restarts of doubling length
(Loshchilov & Hutter 2017), and L-BFGS with a strong Wolfe search, in float32 and float64.

Gated: weights u_jk and a_jk for each pattern and output, ``U_jk = a_jk u_jk``. Whole networks: as many ReLU neurons as
there are patterns, for each output. Both minimise the sum of the losses plus ``strength / 2`` times the squared
weights: by the inequality of the means the least of it over all splits of U_jk is the objective.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from protocol import Answer, Task, trajectory


class Model:
    """Weights, the predictions they make, and the answer they are."""

    def __init__(self, task: Task, kind: torch.dtype):
        torch.manual_seed(0)
        p, c, P = task.X.shape[1], task.Y.shape[1], task.n_patterns
        self.task, self.X, self.Y = task, torch.tensor(task.X, dtype=kind), torch.tensor(task.Y, dtype=kind)
        self.gated = task.kind == "gated"
        self.D = torch.tensor(task.masks, dtype=kind) if self.gated else None
        self.u = (torch.randn(P, p, c, dtype=kind) / (P * p) ** 0.5).requires_grad_()
        self.a = (torch.randn(P, 1, c, dtype=kind) / P**0.5).requires_grad_()
        self.free = [] if self.gated else [torch.zeros(s, dtype=kind, requires_grad=True) for s in ((P, c), (c,))]
        self.weights = [self.u, self.a, *self.free]

    def predictions(self) -> torch.Tensor:
        P, p, c = self.u.shape
        if self.gated:
            blocks = (self.D @ (self.a * self.u).reshape(P, p * c)).reshape(-1, p, c)
            return (self.X[:, :, None] * blocks).sum(dim=1)
        hidden = (self.X @ self.u.permute(1, 0, 2).reshape(p, P * c)).reshape(-1, P, c) + self.free[0]
        return (torch.relu(hidden) * self.a[:, 0]).sum(dim=1) + self.free[1]

    def objective(self) -> torch.Tensor:
        F, Y = self.predictions(), self.Y
        if self.task.loss == "squared":
            loss = 0.5 * ((F - Y) ** 2).sum()
        elif self.task.loss == "logistic":
            loss = torch.nn.functional.softplus(-Y * F).sum()
        else:
            loss = torch.logsumexp(F, dim=1).sum() - (Y * F).sum()
        return loss + 0.5 * self.task.strength * ((self.u**2).sum() + (self.a**2).sum())

    def answer(self) -> Answer:
        u, a = (w.detach().double().numpy() for w in (self.u, self.a))
        if self.gated:
            return {"U": a * u, "converted": lambda: self._converted(a, u)}
        P, p, c = u.shape
        outputs = (np.eye(c)[None] * a[:, 0, :, None]).reshape(P * c, c)
        biases, intercept = (w.detach().double().numpy() for w in self.free)
        weights = u.transpose(1, 0, 2).reshape(p, P * c)
        answer = {"weights": weights, "biases": biases.reshape(-1), "outputs": outputs, "intercept": intercept}
        return answer | {"converted": lambda: self._converted(a, u)}

    def _converted(self, a: np.ndarray, u: np.ndarray) -> float:
        """The objective in double precision, with the weights of a unit balanced."""
        exact = Model(self.task, torch.float64)
        with torch.no_grad():
            for mine, theirs in zip(exact.weights, self.weights, strict=True):
                mine.copy_(theirs)
        own = float(exact.objective())
        surplus = 0.5 * (np.linalg.norm(u, axis=1) - np.abs(a[:, 0])) ** 2
        return own - self.task.strength * float(surplus.sum())


def adam(rate: float) -> Callable[[Task], Iterator[Callable[[], Answer]]]:
    def descend(task: Task) -> Iterator[Callable[[], Answer]]:
        model = Model(task, torch.float32)
        optimiser = torch.optim.Adam(model.weights, lr=rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, T_0=100, T_mult=2)
        while True:
            optimiser.zero_grad()
            model.objective().backward()
            optimiser.step()
            schedule.step()
            yield model.answer

    return descend


def lbfgs(task: Task) -> Iterator[Callable[[], Answer]]:
    model = Model(task, torch.float64)
    optimiser = torch.optim.LBFGS(model.weights, max_iter=5, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = model.objective()
        value.backward()
        return value

    before = np.inf
    while (value := float(optimiser.step(closure))) < before:
        before = value
        yield model.answer


if __name__ == "__main__":
    torch.set_num_threads(1)
    trajectory({"L-BFGS": lbfgs} | {f"Adam {rate:g}": adam(rate) for rate in (0.1, 0.01, 0.001)})
