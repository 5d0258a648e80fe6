"""
Intervals from one fit
======================

How far off will a prediction be? Which rows made it what it is? Could an equally good network say something else? One
certified fit answers all three; nothing is trained again.
"""

# %%
# Forty points
# ------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import r2_score

from bidual import MLPRegressor

rng = np.random.default_rng(0)
X = np.sort(rng.uniform(-2, 2, 40)).reshape(-1, 1)
y = np.abs(X[:, 0]) + 0.3 * rng.standard_normal(40)
model = MLPRegressor(alpha=0.05, tol=1e-5, random_state=0).fit(X, y)
print(f"{model.status_} ({model.certificate_.scope}), gap {model.certificate_.relative_gap:.0e}")

# %%
# Errors on rows that were not seen
# ---------------------------------
# Leave-one-out predictions cost one matrix and a Newton step for each row.
own = model.leave_one_out_predictions(X, y)
print(f"R2 on the training rows {model.score(X, y):.3f}, without the row itself {r2_score(y, own):.3f}")

# %%
# An interval for new targets
# ---------------------------
# The jackknife+ turns these errors into an interval. Fresh rows of the same kind tell how often it is right.
grid = np.linspace(-3, 3, 301).reshape(-1, 1)
lower, upper = model.predict_interval(grid, X, y, coverage=0.9)

X_new = rng.uniform(-2, 2, size=(2000, 1))
y_new = np.abs(X_new[:, 0]) + 0.3 * rng.standard_normal(2000)
low, high = model.predict_interval(X_new, X, y, coverage=0.9)
print(f"{np.mean((low <= y_new) & (y_new <= high)):.3f} of 2000 new targets are inside")

fig, ax = plt.subplots(layout="constrained")
ax.fill_between(grid[:, 0], lower, upper, color="#3f90da", alpha=0.25, lw=0, label="90 % interval (jackknife+)")
ax.plot(grid, model.predict(grid), color="#3f90da", lw=2, label="network")
ax.plot(X, y, "o", color="0.3", ms=4, label="data")
ax.set(xlabel="x", ylabel="y", title="Where a new target is expected")
ax.legend(frameon=False)
plt.show()

# %%
# Which rows matter
# -----------------
# The influence of a row on a prediction: with the row, minus without it. Rows at the ends of the data decide what is
# beyond.
influence = model.influence(X, y, grid)
size = np.abs(influence).max()

fig, ax = plt.subplots(layout="constrained")
image = ax.pcolormesh(X[:, 0], grid[:, 0], influence, cmap="RdBu_r", vmin=-size, vmax=size, shading="nearest")
ax.set(xlabel="x of the training row", ylabel="x of the prediction", title="What each row does to each prediction")
fig.colorbar(image, label="with the row, minus without it")
plt.show()

# %%
# Equally good networks
# ---------------------
# All networks, of any width, whose training objective is within one percent of this one's: how low and how high can
# they predict? The inner ends are attained by networks, two of which are drawn; the outer ends are proven.
places = np.linspace(-3, 3, 13).reshape(-1, 1)
interval = model.rashomon_interval(places, X, y, eps=0.01)
interval.verify()
print(f"scope {interval.scope}, by {', '.join(interval.methods)}")
print(f"attained widths {np.round(interval.upper - interval.lower, 2)}")
print(f"proven widths   {np.round(interval.certified_upper - interval.certified_lower, 2)}")

fig, ax = plt.subplots(layout="constrained")
ax.vlines(places[:, 0], interval.certified_lower, interval.certified_upper, color="0.75", lw=7, label="certified range")
ax.vlines(places[:, 0], interval.lower, interval.upper, color="#3f90da", lw=3, label="attained range")
for end, color in ((interval.lower_ends[-1], "#bd1f01"), (interval.upper_ends[-1], "#832db6")):
    ax.plot(grid, model.encoding_.fold(end.network)(grid), color=color, lw=1, label="a network within 1 %")
ax.plot(X, y, "o", color="0.3", ms=3, label="data")
ax.set(xlabel="x", ylabel="y", title="What networks within one percent of the optimum predict")
ax.legend(frameon=False)
plt.show()
