r"""
Three layers
============

Networks of three layers, trained to a proven optimum in two ways: ReLU networks of parallel branches on a handful of
rows, where the optimum is that of all of them, and gated networks on images, where it is that of given gates. Depth
helps in the first case, and does harm in the second.
"""

# %%
# A spike
# -------
# Five points, one of them up. A ReLU network of two layers pays for every kink. Of three layers, one branch
# :math:`((x'W)_+ w)_+ a` can build a roof before the second ReLU, which cuts it off on both sides.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bidual import MLPClassifier, MLPRegressor
from bidual.display import ActivationPatternDisplay, ArchitectureDisplay, FunctionDisplay, NeuronDisplay

x = np.arange(-2.0, 3.0).reshape(-1, 1)
spike = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
beta = 0.05
common = {"alpha": beta / 5, "standardize": False, "fit_intercept": False, "tol": 1e-6}
models = {n_layers: MLPRegressor(n_layers=n_layers, **common).fit(x, spike) for n_layers in (2, 3)}
for n_layers, model in models.items():
    proof = model.certificate_
    print(f"{n_layers} layers: {5 * proof.primal:.8f}, and no network below {5 * proof.dual:.8f} ({proof.scope})")

# %%
# Both certificates are global: no network of two layers is below the first number, none of this class of three layers
# below the second. For :math:`\beta \le 1/5` the latter is known, :math:`3 \beta - 11 \beta^2 / 2`.
assert abs(5 * models[3].certificate_.primal - (3 * beta - 5.5 * beta**2)) < 1e-6

fig, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained", sharey=True)
for ax, (n_layers, model) in zip(axes, models.items(), strict=True):
    FunctionDisplay.from_estimator(model, x, y=spike, ax=ax)
    ax.set_title(f"{n_layers} layers")
plt.show()

# %%
# The network of three layers, and where its neurons are active. A path is a neuron of the first layer with the one
# neuron of the second in its branch; it adds to the output where both are active.
display = ArchitectureDisplay.from_estimator(models[3])
plt.show()

# %%
display = ActivationPatternDisplay.from_estimator(models[3], x, spike)
plt.show()

# %%
# Gated networks
# --------------
# With more rows the patterns of both layers are too many. Gated networks of any depth take the patterns of random
# branches as they come, and only their weights are trained. Here are digits of 8 by 8 pixels, with as many patterns for
# two layers as for three.
digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.data, digits.target, train_size=600, random_state=0, stratify=digits.target
)
gated = {
    n_layers: MLPClassifier(
        activation="gated_relu",
        n_layers=n_layers,
        n_branches=10,
        branch_width=10,
        n_patterns=100,
        loss="squared_error",
        solver="fixed_patterns",
        random_state=0,
    ).fit(X, y)
    for n_layers in (2, 3)
}
for n_layers, model in gated.items():
    print(f"{n_layers} layers: objective {model.loss_:.4f}, test accuracy {model.score(X_test, y_test):.3f}")

# %%
# The third layer does not help. A path is active at fewer rows than the gates on it, and its gates were drawn, not
# found.
display = ActivationPatternDisplay.from_estimator(gated[3], X, y, max_paths=30)
plt.show()

# %%
# The filters of the largest neurons, by the branch of their gates: what each digit's neurons look at while open.
display = NeuronDisplay.from_estimator(gated[3], image_shape=(8, 8), max_neurons=30)
plt.show()
