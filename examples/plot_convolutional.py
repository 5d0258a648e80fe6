"""
Filters that are optimal
========================

A convolutional network for handwritten digits, trained to a certified optimum: every unit is a filter that slides over
the image, and what it gives for the patches is averaged. The data come with scikit-learn: 1797 images of 8 x 8 pixels.
"""

# %%
# Fit
# ---
# ``image_shape`` says that the rows of X are images. A filter of 4 x 4 pixels sees the 25 patches of an image. The
# gates of ``"gated_relu"`` filters are sampled; for these, the least objective is a convex program, and it is solved.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from bidual import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

gated = {"activation": "gated_relu", "n_patterns": 100, "random_state": 0}
filters = MLPClassifier(alpha=3e-4, image_shape=(8, 8), filter_size=4, stride=1, **gated).fit(X_train, y_train)
print(f"{filters.status_}: {filters.network_}")

# %%
# What was proven
# ---------------
# No choice of the filters' weights on these gates has an objective below ``dual``. The bound for every network of any
# width and gates is loose.
print(filters.certificate_)
filters.certificate_.verify(X_train, y_train)

# %%
# Of what use filters are
# -----------------------
# The same units, each on the whole image, are trained on as many gates.
whole = MLPClassifier(alpha=3e-4, solver="fixed_patterns", **gated).fit(X_train, y_train)
for name, model in (("filters", filters), ("whole images", whole)):
    wrong = int(np.sum(model.predict(X_test) != y_test))
    numbers = model.coefs_[0].size + model.coefs_[1].size
    print(f"{name:12}  {wrong:2} of {len(y_test)} new digits wrong, {numbers:6} weights, {model.status_}")

# %%
# The filters
# -----------
# Row by row: the four largest filters that speak for a digit. Red pixels add to what the filter gives where its gate is
# open, blue ones take away.
inner, outer = filters.coefs_
size = np.linalg.norm(inner, axis=0)[:, None] * outer
figure, axes = plt.subplots(4, 10, figsize=(8, 3.6), layout="constrained")
for digit in range(10):
    axes[0, digit].set_title(filters.classes_[digit])
    for axis, unit in zip(axes[:, digit], np.argsort(-size[:, digit]), strict=False):
        weights = inner[:, unit].reshape(4, 4)
        axis.imshow(weights, cmap="RdBu_r", vmin=-np.abs(weights).max(), vmax=np.abs(weights).max())
        axis.set_axis_off()
