"""
Losses and outliers
===================

Squared error lets a single wrong target pull the whole function. Huber's loss bounds the pull of every row. Both fits
are certified, each for its own loss: the certificate says that the training is done, not that the loss was the right
one.
"""

# %%
# Forty points, four of them far off
# ----------------------------------
import matplotlib.pyplot as plt
import numpy as np

from bidual import MLPRegressor
from bidual.architectures import ReLU
from bidual.losses import Huber
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet

rng = np.random.default_rng(1)
X = np.sort(rng.uniform(-2, 2, 40)).reshape(-1, 1)
truth = np.abs(X[:, 0]) - 1
y = truth + 0.1 * rng.standard_normal(40)
wrong = np.array([6, 13, 27, 34])
y[wrong] += 3


def fit(loss: str, y: np.ndarray) -> MLPRegressor:
    """The certified network of a loss."""
    return MLPRegressor(alpha=0.01, loss=loss, random_state=0).fit(X, y)


COLORS = {"squared_error": "#bd1f01", "huber": "#3f90da"}
models = {loss: fit(loss, y) for loss in COLORS}
for loss, model in models.items():
    print(f"{loss}: {model.status_}, relative gap {model.certificate_.relative_gap:.0e}")

grid = np.linspace(-2, 2, 401).reshape(-1, 1)
fig, ax = plt.subplots(layout="constrained")
ax.plot(grid, np.abs(grid) - 1, color="0.6", lw=5, alpha=0.4, label="truth")
ax.plot(X, y, "o", color="0.3", ms=4, label="data")
ax.plot(X[wrong], y[wrong], "o", mfc="none", mec="0.3", ms=10, label="3 added to the target")
for loss, model in models.items():
    ax.plot(grid, model.predict(grid), color=COLORS[loss], lw=2, label=loss)
ax.set(xlabel="x", ylabel="y", title="The same data, two losses, two certified optima")
ax.legend(frameon=False)
plt.show()

# %%
# How far can four rows pull?
# ---------------------------
# The four targets move up step by step. With the squared error the function follows as far as they go. With Huber's
# loss a residual beyond the threshold pulls with constant force.
#
# The threshold is 1.35 standard deviations of the targets, and the outliers take part in that deviation. It grows with
# them, so the protection is not perfect: far outliers make it wider. :class:`bidual.losses.Huber` in a
# :class:`bidual.problem.Problem` takes a threshold of your own.
shifts = np.linspace(0, 10, 11)
errors = {loss: [] for loss in COLORS}
for shift in shifts:
    moved = y.copy()
    moved[wrong] += shift - 3
    for loss in COLORS:
        predicted = fit(loss, moved).predict(grid)
        errors[loss].append(np.sqrt(np.mean((predicted - (np.abs(grid[:, 0]) - 1)) ** 2)))

fig, ax = plt.subplots(layout="constrained")
for loss, values in errors.items():
    ax.plot(shifts, values, "o-", color=COLORS[loss], label=loss)
ax.set(xlabel="added to four targets", ylabel="distance to the truth", title="The pull of four rows", ylim=(0, None))
ax.legend(frameon=False)
plt.show()

# %%
# A threshold of your own
# -----------------------
# The core takes every loss with its parameters. Here the threshold is three times the noise, in the units of the
# targets. Nothing is standardised, and the loss is a sum over the rows, so the strength is ``beta``.
problem = Problem(X, y.reshape(-1, 1), Huber(delta=0.3), ReLU(), Strength(0.3))
solution = WorkingSet().solve(problem, Stop(tol=1e-3))
solution.certificate.verify(problem, solution.network)
print(solution.status, solution.network)
print(f"distance to the truth {np.sqrt(np.mean((solution.network(X)[:, 0] - truth) ** 2)):.2f}", end=", ")
print(", ".join(f"{loss} {np.sqrt(np.mean((models[loss].predict(X) - truth) ** 2)):.2f}" for loss in COLORS))
