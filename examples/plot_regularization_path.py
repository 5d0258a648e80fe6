"""
Every strength of the penalty, certified
========================================

How strong should the penalty be? A grid answers at its points. A path answers everywhere: a few fits, and between two
of them their weighted means, with a proven gap.
"""

# %%
# Sixty points
# ------------
import matplotlib.pyplot as plt
import numpy as np

import bidual

rng = np.random.default_rng(3)
X = np.sort(rng.uniform(-2, 2, 60)).reshape(-1, 1)
truth = np.abs(X[:, 0]) - 0.8 * np.maximum(X[:, 0] - 1.0, 0.0)
y = truth + 0.4 * rng.standard_normal(60)

# %%
# The path
# --------
# From where no neuron pays down to a hundredth of that strength, nowhere more than two percent from the optimum.
path = bidual.path(bidual.MLPRegressor(random_state=0), X, y, eps=0.02)
print(f"{len(path.alphas)} fits, neurons {path.n_neurons}")
print(f"every alpha within {path.worst:.2%}, scope {path.scope}")

# %%
# A hundred random strengths, none of which was fitted: each model is proven again from the data.
largest = 0.0
for alpha in path.alpha_min * (path.alpha_max / path.alpha_min) ** rng.uniform(size=100):
    certificate = path.at(alpha).certificate_
    certificate.verify(X, y)
    largest = max(largest, certificate.relative_gap)
print(f"largest gap of 100 random alphas {largest:.2%}")

# %%
# From a constant to a wiggle
# ---------------------------
fig, ax = plt.subplots(layout="constrained")
grid = np.linspace(-2.2, 2.2, 401).reshape(-1, 1)
shares = np.linspace(0.0, 1.0, 9)
for share, color in zip(shares, plt.colormaps["viridis"](shares), strict=True):
    alpha = path.alpha_max ** (1 - share) * path.alpha_min**share
    label = f"alpha {alpha:.2g}" if share in (0.0, 0.5, 1.0) else None
    ax.plot(grid, path.at(alpha).predict(grid), color=color, lw=1.5, label=label)
ax.plot(X, y, "o", color="0.3", ms=3.5, label="data")
ax.set(xlabel="x", ylabel="y", title="Models of the path")
ax.legend(frameon=False)
plt.show()

# %%
# Which strength?
# ---------------
# Leave-one-out predictions cost one Newton step for each row and fit. They score a hundred alphas of the path, and the
# best one is fitted to the end.
model = bidual.MLPRegressorCV(bidual.MLPRegressor(random_state=0), eps=0.02).fit(X, y)
print(f"best alpha {model.alpha_:.3g}: {model.n_neurons_} neurons, {model.status_}")
bidual.RegularizationPathDisplay.from_estimator(model)
plt.show()

# %%
fig, ax = plt.subplots(layout="constrained")
ax.plot(X, y, "o", color="0.3", ms=3.5, label="data")
ax.plot(X, truth, color="0.6", lw=1, ls="--", label="without noise")
ax.plot(grid, model.predict(grid), color="#3f90da", lw=2, label=f"alpha {model.alpha_:.2g}, chosen by leave-one-out")
ax.set(xlabel="x", ylabel="y")
ax.legend(frameon=False)
plt.show()
