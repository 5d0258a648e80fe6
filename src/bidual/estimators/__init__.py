"""scikit-learn estimators: they translate, validate and encode, and leave the computing to the core."""

from bidual.estimators.certificate import FittedCertificate
from bidual.estimators.classifier import MLPClassifier
from bidual.estimators.classifier_cv import MLPClassifierCV
from bidual.estimators.deep_linear import DeepLinearRegressor
from bidual.estimators.fitted_path import FittedPath, path
from bidual.estimators.linear_certificate import LinearCertificate
from bidual.estimators.rashomon import RashomonInterval
from bidual.estimators.regressor import MLPRegressor
from bidual.estimators.regressor_cv import MLPRegressorCV

__all__ = [
    "DeepLinearRegressor",
    "FittedCertificate",
    "FittedPath",
    "LinearCertificate",
    "MLPClassifier",
    "MLPClassifierCV",
    "MLPRegressor",
    "MLPRegressorCV",
    "RashomonInterval",
    "path",
]
