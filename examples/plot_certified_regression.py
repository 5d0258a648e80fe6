"""
Regression with a certificate
=============================

A network for the progression of diabetes: one fit, what was proven about it, and what it learned. The data come with
scikit-learn: 442 patients, ten measurements.
"""

# %%
# Fit
# ---
# The estimator is used like any other of scikit-learn. There is no learning rate and no width to choose: ``alpha`` is
# the strength of weight decay, and the number of neurons follows from it. ``tol`` is how much of a gap may be left.
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

from bidual import MLPRegressor
from bidual.display import ArchitectureDisplay, ConvergenceDisplay, FunctionDisplay, NeuronDisplay

data = load_diabetes(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(data.data, data.target, random_state=0)

model = MLPRegressor(alpha=0.1, tol=1e-5, random_state=0).fit(X_train, y_train)
print(f"{model.status_}, {model.n_neurons_} neurons")
print(f"R2 on new patients: network {model.score(X_test, y_test):.2f}, ", end="")
print(f"least squares {LinearRegression().fit(X_train, y_train).score(X_test, y_test):.2f}")

# %%
# What was proven
# ---------------
# Three statements. On the activation patterns it uses, the network is optimal up to ``tol``. For networks of any width,
# the bound is valid and loose. And a search found no neuron that would improve the network: evidence, not proof.
print(model.certificate_)

# %%
# The proof can be repeated from the raw data. It raises an error if any number does not follow.
model.certificate_.verify(X_train, y_train)

# %%
# How the fit went
# ----------------
# The objective comes down, the proven bound comes up. The optimum over all networks lies in the shaded band. The dashed
# line is what the bound would be if the best neuron found were the best there is.
display = ConvergenceDisplay.from_estimator(model, x="iteration")

# %%
# What it learned
# ---------------
# The prediction over body mass and blood pressure, other measurements at their medians. Points are patients, in the
# colour of what was measured; at each thin line a neuron switches.
display = FunctionDisplay.from_estimator(model, X_train, ["bmi", "bp"], y=y_train)

# %%
# Each neuron reads all measurements. The rows of this picture are neurons, the columns what they read. The bars are the
# sizes of the neurons; the penalty charges their sum.
display = NeuronDisplay.from_estimator(model)

# %%
# The same as a network.
display = ArchitectureDisplay.from_estimator(model)
