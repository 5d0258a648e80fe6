"""Who hears of a fit while it runs: the terminal, the user's function, scikit-learn's callbacks.

scikit-learn's callback protocol is experimental in 1.9; this is the only module that imports it, and estimators do
without where it is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, final

from bidual.network import Network
from bidual.problem import Problem
from bidual.solvers import Budget, Iterate, Record, Solver
from bidual.solvers.base import Callback

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # pragma: no cover

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Without scikit-learn's protocol: no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """Without scikit-learn's protocol: the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Listeners", "Watched", "with_callbacks"]


@final
class Watched(Solver):
    """The solver inside, remembering the network it proposed last."""

    def __init__(self, inner: Solver):
        self.inner = inner
        self.latest: Network | None = None

    def accepts(self, problem: Problem) -> str | None:
        return self.inner.accepts(problem)

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        for iterate in self.inner.iterates(problem, start, budget):
            self.latest = iterate.network
            yield iterate


class Listeners:
    """A callback of the core that passes each record on; any listener may stop the fit.

    ``fitted`` gives the attributes of the estimator as if fit had stopped with the given network and history.
    """

    def __init__(
        self,
        estimator: Any,
        data: dict[str, Any],
        watched: Watched,
        fitted: Callable[[Network, tuple[Record, ...]], dict[str, Any]],
    ):
        self.estimator, self.data, self.watched, self.fitted = estimator, data, watched, fitted
        self.history: list[Record] = []
        self.context = None
        if hasattr(estimator, "_init_callback_context"):
            self.context = estimator._init_callback_context(max_subtasks=None)
            self.context.call_on_fit_task_begin(estimator=estimator, **data)

    def __call__(self, record: Record) -> bool:
        self.history.append(record)
        if self.estimator.verbose:
            print(_line(record), file=sys.stderr)
        function: Callback | None = self.estimator.callback
        stop = bool(function is not None and function(record))
        return bool(self._task(record)) or stop

    def _task(self, record: Record) -> bool:
        """One iteration as scikit-learn's callbacks see it; the network without neurons is none."""
        network = self.watched.latest
        if self.context is None or network is None:
            return False
        task = self.context.subcontext(task_name=f"iteration {record.iteration}")
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.fitted(network, tuple(self.history)),
            **self.data,
        )

    def close(self) -> None:
        """The fit is over and its attributes are set."""
        if self.context is not None:
            self.context.call_on_fit_task_end(estimator=self.estimator, reconstruction_attributes={}, **self.data)


def _line(record: Record) -> str:
    return (
        f"[bidual] {record.iteration:4d}  {record.seconds:8.2f} s  primal {record.primal:.6e}  "
        f"dual {record.dual:.6e}  priced {record.priced_dual:.6e}  neurons {record.n_neurons}"
    )
