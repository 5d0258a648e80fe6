"""Regression."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Self, final

import numpy as np
from sklearn.base import RegressorMixin

from bidual.errors import InvalidDataError
from bidual.estimators.callbacks import with_callbacks
from bidual.estimators.intervals import OneFitRegression
from bidual.estimators.scaling import Scaling
from bidual.estimators.targets import RealTargets, Targets
from bidual.losses import LOSSES, Loss
from bidual.solvers import Record
from bidual.typing import Outputs, Weights

_CORE_LOSS = {"squared_error": "squared", "huber": "huber"}


@final
class MLPRegressor(RegressorMixin, OneFitRegression):  # type: ignore[misc]
    """Neural network for regression, of two layers or more, trained to a certified global optimum.

    With weights ``s`` that add up to 1, minimises over networks ``f`` of any width

        ``sum_i s_i l(f(x_i), y_i) + alpha * size(f)``,    ``size(f) = sum_j ||u_j|| ||a_j||``

    over the hidden units j with input weights ``u_j`` and output weights ``a_j``. At the minimum this is weight decay,
    ``alpha / 2`` times the sum of all squared weights. ``l`` is ``(f - y)^2 / 2`` or the Huber loss. The columns of X
    and the targets are standardised first (``standardize``), and the objective is that of the standardised data.

    The problem has an equivalent convex program, and that program a dual: every dual point bounds the objective of
    every network from below. ``certificate_`` holds the objective of the network found and the best proven bound.

    With ``n_layers=3``, ``f`` is a sum of branches ``((x'W_k)_+ w_k)_+ a_k``, any number of any widths, with
    ``size(f) = sum_k ||a_k|| sum_j ||W_kj|| |w_kj|``. Gated networks have any depth. Their gates are fixed, and every
    path through these opens one unit.

    Parameters
    ----------
    alpha : float, default=0.03
        Strength of the penalty, in units of the mean loss, as in Lasso. The width of the network follows from it.
    activation : {"relu", "leaky_relu", "abs", "gated_relu", "linear", "identity", "sign", "tanh"}, default="relu"
        "leaky_relu" has slope 0.01; "gated_relu" decides by a fixed linear gate when a unit is active. Of "sign" and
        "tanh" units only the output weights are priced: ``||u_j||`` counts as 1.
    n_layers : int, default=2
        Layers of weights: 2; 3 with "relu", exactly for up to a dozen rows, else on sampled activation patterns, by an
        interior-point method for a few dozen (needs cvxpy); any number with "gated_relu".
    n_branches : int, default=10
        With three layers or more. Of "gated_relu": the gates are random ReLU networks side by side, so many of them. Of
        "relu": the sampled activation patterns of the second layer, where they are sampled.
    branch_width : int, default=20
        With "gated_relu" and three layers or more: units of the hidden layers of a branch, which ends in one unit. Each
        path through it opens a unit of the network, where all its gates are open.
    loss : {"squared_error", "huber"}, default="squared_error"
        "huber" turns linear at residuals of 1.35 (standard deviations of y, if ``standardize``).
    solver : {"auto", "working_set", "fixed_patterns", "conic", "incremental", "frank_wolfe", \
"stochastic_frank_wolfe", "wide_program"}, default="auto"
        "auto" is "working_set", which finds its own neurons; for "sign" and "tanh" units it is "incremental", which
        adds units until none improves, and for filters (``image_shape``) of "gated_relu" units "fixed_patterns".
        "fixed_patterns" solves the convex program on ``n_patterns`` sampled activation patterns. "conic" hands all
        patterns of a small problem to an interior-point solver (needs cvxpy). "frank_wolfe" and
        "stochastic_frank_wolfe" need a ``radius``, the latter ``fit_intercept=False``. "wide_program" is
        that of ReLU networks with three layers.
    oracle : {"auto", "enumerated", "local_search", "branch_and_bound", "spike_free", "swept", "line_search", \
"mixed_integer", "logistic", "svm", "perceptron", "tanh_ascent"}, default="auto"
        How the next neuron is found; "auto" is the strongest that is affordable. "enumerated" looks at every activation
        pattern; "local_search", "branch_and_bound" and "spike_free" are for units with a kink, the others for sign and
        tanh units. Only "enumerated", "branch_and_bound" (up to a hundred rows or so, or eight features), "swept"
        and, with few rows, "tanh_ascent" prove that nothing better was missed.
    outputs : {"separate", "shared"}, default="separate"
        With several targets: ``||a_j||`` is the 1-norm (each unit serves one target) or the 2-norm.
    fit_intercept : bool, default=True
        Whether the output has an unpenalised intercept; without, the targets are scaled but not centered.
    bias : {"penalized", "free", "none"}, default="penalized"
        Whether the bias of a hidden unit counts in ``||u_j||``, does not count, or is absent. Without, the columns of X
        are scaled but not centered.
    standardize : bool, default=True
        Whether to bring the columns of X and the targets to mean 0 and variance 1.
    image_shape : tuple, default=None
        (height, width) or (height, width, channels), where the rows of X are images, pixel by pixel in C order: the
        units are then filters, which see every patch of an image. Standardised are the channels, not the columns.
        None: every unit sees the whole row, and the three parameters that follow are not used.
    filter_size : int or (int, int), default=5
        The pixels of a filter, or (height, width).
    stride : int or (int, int), default=2
        The pixels from one patch to the next, or (down, right); there is no padding.
    pooling : {"mean", "sum"}, default="mean"
        What a unit's outputs on the patches of an image become.
    interaction_cst : {"pairwise", "no_interactions"} or sequence of sets of int, default=None
        Which columns of X may interact, as in scikit-learn's HistGradientBoosting: a ReLU unit sees the columns of one
        of the sets only, "pairwise" being all pairs and "no_interactions" each column alone. Columns in no set are one
        more set together. With sets of up to three columns the certificate is global for any number of columns.
        None: every unit sees all columns.
    radius : float, default=None
        If given, ``size(f) <= radius`` takes the place of the penalty, and ``alpha`` is ignored.
    n_patterns : int, default=200
        Sampled activation patterns, where patterns are sampled: of deep gated networks those of paths, of three-layer
        ReLU networks those of the first layer.
    max_neurons : int, default=None
        Limit on the hidden units. The best network within it need not be optimal among all.
    restarts : int, default=0
        Where neurons are searched for: how often to search on from the best network joined with random neurons, before
        the end. Each takes about as long as a fit without, and may find a slightly better network.
    tol : float, default=1e-3
        Relative certified gap at which to stop.
    max_iter : int, default=1000
        Limit on the rounds of the solver.
    time_limit : float, default=None
        Limit in seconds.
    random_state : int, RandomState instance or None, default=None
        Seeds the search for neurons and the sampled patterns. The same integer gives the same network bit for bit.
    warm_start : bool, default=False
        Whether to start from the network of the last fit.
    device : {"cpu", "cuda", "auto"}, default="cpu"
        Where the search for neurons and ``solver="fixed_patterns"`` multiply. "auto" is "cuda" where torch finds one.
        Certificates are computed on the CPU.
    memory_limit : float, default=None
        Bytes that fit may use beside the data it is given; for ``solver="fixed_patterns"`` with gated or linear units.
        What does not fit is computed again whenever it is needed; MemoryLimitError where that is not enough.
    verbose : int, default=0
        Whether to print a line for each iteration to stderr.
    callback : callable, default=None
        Called with each :class:`bidual.solvers.Record`; returning True stops the fit. scikit-learn's own callbacks are
        set by ``set_callbacks``; they find the records in the ``history_`` of the fitted estimator they are given.

    Attributes
    ----------
    certificate_ : FittedCertificate
        ``primal``, ``dual``, ``gap``, ``relative_gap``, their ``scope`` and ``method``, and
        ``verify(X, y, sample_weight=None)``, which proves them again from the data. Scope "global" compares with every
        network of any width, scope "patterns" with those on the listed activation patterns; ``global_dual`` is always
        global, and loose where the scope is not.
    status_ : str
        "optimal" (scope global) and "optimal_on_patterns" (scope patterns, and no better neuron was found) met
        ``tol``; any other names the limit that ended the fit, and warns.
    network_ : Network
        The network in standard units.
    encoding_ : Encoding
        The standardisation; ``encoding_.fold(network_)`` is the network on raw data.
    history_ : tuple of Record
        Time, objective and bounds of each iteration.
    coefs_ : list of two arrays, (n_features, n_neurons) and (n_neurons, n_outputs)
        The weights, on raw data. ReLU networks of three layers have three arrays, with the branch as first axis. Gated
        networks of any depth have two: once their gates are known, they are linear in one unit for each path.
    intercepts_ : list of two arrays, (n_neurons,) and (n_outputs,)
        The biases, on raw data; with a branch axis as ``coefs_``.
    gates_ : tuple of two arrays, (n_features, n_neurons) and (n_neurons,), or None
        Weights and biases of the gates of "gated_relu", on raw data. With three layers or more, the
        :class:`bidual.gates.GateNetwork` and each unit's path through it, a branch and a unit of each layer.
    n_neurons_ : int
        Hidden units.
    n_iter_ : int
        Rounds of the solver, at least 1.
    loss_, best_loss_ : float
        The training objective, the penalty included.
    loss_curve_ : list of float
        The training objective after each iteration.
    n_layers_ : int
        Counts the input, too: ``n_layers + 1``.
    n_outputs_ : int
        Number of targets.
    out_activation_ : str
        "identity".
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : (n_features_in_,) array of str
        Column names, if X has names that are all strings.

    Examples
    --------
    >>> import numpy as np
    >>> from bidual import MLPRegressor
    >>> X = np.linspace(-2, 2, 20)[:, None]
    >>> y = np.abs(X[:, 0])
    >>> model = MLPRegressor(alpha=0.01, random_state=0).fit(X, y)
    >>> model.status_
    'optimal'
    >>> model.certificate_.relative_gap < 1e-3
    True
    >>> model.certificate_.verify(X, y)
    """

    _losses = tuple(_CORE_LOSS)
    _y_is = {"multi_output": True, "y_numeric": True}

    def __init__(
        self,
        alpha: float = 0.03,
        *,
        activation: str = "relu",
        n_layers: int = 2,
        n_branches: int = 10,
        branch_width: int = 20,
        loss: str = "squared_error",
        solver: str = "auto",
        oracle: str = "auto",
        outputs: str = "separate",
        fit_intercept: bool = True,
        bias: str = "penalized",
        standardize: bool = True,
        image_shape: tuple[int, ...] | None = None,
        filter_size: int | tuple[int, int] = 5,
        stride: int | tuple[int, int] = 2,
        pooling: str = "mean",
        interaction_cst: str | Sequence[Collection[int]] | None = None,
        radius: float | None = None,
        n_patterns: int = 200,
        max_neurons: int | None = None,
        restarts: int = 0,
        tol: float = 1e-3,
        max_iter: int = 1000,
        time_limit: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        device: str = "cpu",
        memory_limit: float | None = None,
        verbose: int = 0,
        callback: Callable[[Record], bool | None] | None = None,
    ) -> None:
        self.alpha = alpha
        self.activation = activation
        self.n_layers = n_layers
        self.n_branches = n_branches
        self.branch_width = branch_width
        self.loss = loss
        self.solver = solver
        self.oracle = oracle
        self.outputs = outputs
        self.fit_intercept = fit_intercept
        self.bias = bias
        self.standardize = standardize
        self.image_shape = image_shape
        self.filter_size = filter_size
        self.stride = stride
        self.pooling = pooling
        self.interaction_cst = interaction_cst
        self.radius = radius
        self.n_patterns = n_patterns
        self.max_neurons = max_neurons
        self.restarts = restarts
        self.tol = tol
        self.max_iter = max_iter
        self.time_limit = time_limit
        self.random_state = random_state
        self.warm_start = warm_start
        self.device = device
        self.memory_limit = memory_limit
        self.verbose = verbose
        self.callback = callback

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train to the certified optimum.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Weight 0 is the same as leaving the row out, weight k as repeating it k times.

        Returns
        -------
        self : MLPRegressor

        Warns
        -----
        ConvergenceWarning
            A limit was reached before ``tol``. The best network is kept, with its certificate.
        """
        return self._fit(X, y, sample_weight)

    def predict(self, X: Any) -> Outputs:
        """The outputs of the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs), as in ``fit``
        """
        F = self._outputs(X)
        return self.encoding_.targets.decode(F)

    def _check_y(self, y: Any) -> Outputs:
        if not isinstance(y, np.ndarray) or y.ndim > 2 or y.dtype.kind not in "biuf":
            raise InvalidDataError("y must be a dense array of numbers, (n_samples,) or (n_samples, n_outputs)")
        y = y.astype(np.float64)
        if not np.isfinite(y).all():
            raise InvalidDataError("y has NaN or infinite entries; remove these rows, or impute them")
        return y

    def _make_targets(self, y: Outputs, weights: Weights) -> Targets:
        return RealTargets(Scaling.none(1 if y.ndim == 1 else y.shape[1]), y.ndim == 1)

    def _make_loss(self, targets: Targets) -> Loss:
        return LOSSES[_CORE_LOSS[self.loss]]()

    def _final_activation(self, targets: Targets) -> str:
        return "identity"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
