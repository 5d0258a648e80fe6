r"""
Audit and polish a trained network
==================================

A network was trained with scikit-learn, and the loss stopped falling. Is it as good as it gets? :func:`bidual.audit`
proves how much better any network, of any width, could be; :func:`bidual.polish` gives a better one, of the same kind
and with fewer neurons.
"""

# %%
# The usual training
# ------------------
# One feature of the diabetes data, a hundred neurons, and Adam until scikit-learn sees no more progress.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

import bidual
from bidual.trained import AuditDisplay

data = load_diabetes(as_frame=True).frame
X = StandardScaler().fit_transform(data[["bmi"]])
y = StandardScaler().fit_transform(data[["target"]])[:, 0]

mlp = MLPRegressor(hidden_layer_sizes=(100,), alpha=10.0, batch_size=len(X), max_iter=2000, random_state=0)
mlp.fit(X, y)
print(f"{mlp.n_iter_} epochs, loss {mlp.loss_:.5f}")

# %%
# The audit
# ---------
# The estimator knows what it minimised: the mean loss and ``alpha / (2 n)`` times its squared weights, biases free of
# charge. ``dual`` is a proven lower bound: no network of any width has a lower objective.
report = bidual.audit(mlp, X, y)
print(report)

# %%
# The picture has a line for each network. Nothing can be in the hatched part; the optimum is where it ends.
AuditDisplay.from_report(report)

# %%
# The proof is checked from the model and the data alone.
report.verify(mlp, X, y)

# %%
# The polish
# ----------
# The result is an ``MLPRegressor`` again. It is never worse, and no neuron of it can be dropped or merged.
polished = bidual.polish(mlp, X, y)
print(polished)
print(polished.model)

# %%
# A few neurons draw nearly the function that took a hundred.
grid = np.linspace(X.min(), X.max(), 400)[:, None]
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.scatter(X[:, 0], y, s=8, color="0.75", label="rows")
ax.plot(grid, mlp.predict(grid), color="#bd1f01", label=f"as trained: 100 neurons, objective {polished.before:.5f}")
label = f"polished: {polished.neurons_after} neurons, objective {polished.after:.5f}"
ax.plot(grid, polished.model.predict(grid), color="#3f90da", label=label)
ax.set(xlabel="body mass index, standardised", ylabel="disease progression, standardised")
ax.legend(frameon=False)
plt.show()
