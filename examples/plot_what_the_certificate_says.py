r"""
What the certificate says
=========================

A data set small enough to see everything: twenty points on a line. All activation patterns can be listed here, so the
certificate is **global**: it speaks of every network of any width. Gradient descent on the same objective shows what
that is worth.
"""

# %%
# The fit
# -------
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

from bidual import MLPRegressor, certify
from bidual.architectures import ReLU
from bidual.display import FunctionDisplay
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(-1, 1, 20)).reshape(-1, 1)
y = np.sin(4 * X[:, 0]) + 0.15 * rng.standard_normal(20)

alpha = 0.003
model = MLPRegressor(alpha=alpha, tol=1e-6, random_state=0).fit(X, y)
print(model.status_)
print(model.certificate_)

# %%
# The learned function is piecewise linear. It bends where a neuron switches, marked by circles.
display = FunctionDisplay.from_estimator(model, X, y=y)

# %%
# No network is better
# --------------------
# The same training objective, minimised the usual way: all weights at once, from random starts, for several widths.
# Each dot is where one descent ended. The line is the certified bound.
#
# The certificate is about standardised data, so the descent gets the same.
Z = np.column_stack([(X - X.mean()) / X.std(), np.ones(20)])
target = (y - y.mean()) / y.std()


def objective(weights: np.ndarray, width: int) -> tuple[float, np.ndarray]:
    """Mean squared error / 2 plus alpha / 2 times all squared weights but the intercept, and its gradient."""
    W, a, b = weights[: 2 * width].reshape(2, width), weights[2 * width : -1], weights[-1]
    H = np.maximum(Z @ W, 0)
    residual = (H @ a + b - target) / 20
    gradient_W = Z.T @ ((H > 0) * np.outer(residual, a)) + alpha * W
    gradient_a = H.T @ residual + alpha * a
    value = 10 * residual @ residual + alpha / 2 * (np.sum(W**2) + a @ a)
    return value, np.concatenate([gradient_W.ravel(), gradient_a, [residual.sum()]])


def descend(width: int) -> float:
    """The objective that L-BFGS reaches from a random start."""
    start = np.append(rng.standard_normal(3 * width) / np.sqrt(width), 0.0)
    found = minimize(objective, start, args=(width,), jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    return found.fun


widths = [2, 4, 8, 16, 32, 64]
ends = [[descend(width) for _ in range(15)] for width in widths]
best = min(map(min, ends))
print(f"best of {15 * len(widths)} descents {best:.6f}, certified bound {model.certificate_.dual:.6f}")
assert best >= model.certificate_.dual

fig, ax = plt.subplots(layout="constrained")
for place, values in enumerate(ends):
    ax.plot(place + rng.uniform(-0.15, 0.15, len(values)), values, "o", color="#bd1f01", ms=4, alpha=0.6)
ax.axhline(model.certificate_.dual, color="#3f90da", lw=2)
ax.annotate(
    "proven: no network of any width is below this line",
    (0.02, model.certificate_.dual),
    (0, -6),
    ("axes fraction", "data"),
    "offset points",
    va="top",
    color="#3f90da",
)
ax.set_xticks(range(len(widths)), widths)
ax.set_ylim(bottom=model.certificate_.dual - 0.15 * (max(map(max, ends)) - model.certificate_.dual))
ax.set(xlabel="neurons of the random start", ylabel="training objective", title="Where gradient descent ends")
plt.show()

# %%
# Wide networks come close and narrow ones often get stuck. None goes below the line, and a descent alone cannot tell
# how close it is.
#
# The same network, a weaker proof
# --------------------------------
# With more features the patterns cannot be listed and the global bound comes from a semidefinite relaxation. For these
# points both proofs are available, so we can see how loose it is. The network is the same, and optimal, throughout.
alphas = np.geomspace(0.003, 0.5, 10)
tight, loose = [], []
for strength in alphas:
    weights = np.full(20, 1 / 20)  # a mean over the rows, as in the estimators
    problem = Problem(Z[:, :1], target.reshape(-1, 1), Squared(), ReLU(), Strength(strength), weights)
    solution = WorkingSet().solve(problem, Stop(tol=1e-6))
    tight.append((solution.certificate.primal, solution.certificate.dual))
    loose.append(certify(problem, solution.network).global_dual)

fig, ax = plt.subplots(layout="constrained")
primal, dual = np.array(tight).T
ax.fill_between(alphas, loose, dual, color="#3f90da", alpha=0.15)
ax.plot(alphas, primal, "o-", color="#bd1f01", label="objective of the network")
ax.plot(alphas, dual, color="#3f90da", lw=2, label="bound by enumeration")
ax.plot(alphas, loose, "--", color="#3f90da", label="bound by relaxation, same network")
ax.set(xscale="log", xlabel="alpha", ylabel="training objective", title="Two proofs about the same networks")
ax.legend(frameon=False)
plt.show()

# %%
# The shaded band is what the relaxation leaves open. It is a property of the proof: the networks have no room for
# improvement.
