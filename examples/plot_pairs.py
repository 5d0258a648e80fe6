"""
A network that you can read
===========================

Neurons that see at most two features add up to curves and maps. They can be plotted, and the proof that no such network
of any width is better takes seconds, whatever the number of features.
"""

# %%
# Ten features, forty-five pairs
# ------------------------------
# ``interaction_cst`` means what it means in scikit-learn's HistGradientBoosting. The certificate is global: it compares
# with every network whose neurons see at most two features.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_val_score

from bidual import EffectsDisplay, MLPRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
model = MLPRegressor(alpha=0.03, interaction_cst="pairwise", tol=5e-3, random_state=0).fit(X, y)
print(model.certificate_)
model.certificate_.verify(X, y)

# %%
# What it says
# ------------
# Each feature and each pair has a mean of zero over the data, so that the importances are those of what they add. A
# pair holds only what no functions of its two features alone can say.
effects = model.effects(X)
for term, size in zip(effects.terms[:6], effects.importances[:6, 0], strict=True):
    print(f"{' x '.join(X.columns[j] for j in term):12s} {size:5.1f}")

EffectsDisplay.from_estimator(model, X)
plt.show()

# %%
# Nothing is left out: constant, curves and maps add up to the prediction.
total = effects.constant + sum(effects.contribution(term, X) for term in effects.terms)
print(f"largest difference {np.abs(total[:, 0] - model.predict(X)).max():.0e}")

# %%
# What the restriction costs
# --------------------------
# Single features, pairs, or neurons that see everything: five-fold cross-validation.
for given in ("no_interactions", "pairwise", None):
    other = MLPRegressor(alpha=0.03, interaction_cst=given, tol=1e-2, time_limit=20, random_state=0)
    print(f"{given!s:16s} R2 {cross_val_score(other, X, y, cv=5).mean():.3f}")
