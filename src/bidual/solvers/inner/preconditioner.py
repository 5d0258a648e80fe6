"""An approximate inverse of the Newton matrix of a program over patterns, in the space of the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from bidual.operators.masked import MaskedData
from bidual.typing import Matrix, Outputs


class MeanField:
    """The inverse of ``diag(h) + sum_j a_j D_j X X'D_j + sum_j r_j e_j e_j' + w 1 1'``, ``e_j = D_j X u_j``, for each
    output, with the masks of the first sum replaced by their weighted mean and, on the diagonal, their variance:

        ``sum_j a_j D_j X X'D_j  ~  (sum a) M X X'M + diag(||x_i||^2 (sum a) m_i (1 - m_i))``,

    ``m = sum_j a_j d_j / sum a`` and M = diag(m).

    What remains is a diagonal and few columns, for which Woodbury's identity needs a matrix of their number. If
    ``centred``, the inverse is that on the R whose rows sum to 0, where the outputs meet in one such matrix; else each
    output has its own.

    h (n, c), a (k, c) and r (k, c) nonnegative, U (k, p, c) on the patterns ``which`` (k,).
    """

    def __init__(
        self,
        data: MaskedData,
        which: NDArray[np.intp],
        h: Outputs,
        a: Matrix,
        r: Matrix,
        U: Matrix,
        constant: float,
        centred: bool = False,
    ):
        X, rows = data.rows(np.float32), data.squared_lengths()
        masks = data.mask_sum(a.astype(np.float32), which)
        total = a.sum(axis=0)
        mean = masks / np.where(total > 0.0, total, 1.0).astype(np.float32)
        root = (1.0 / np.sqrt(h + rows[:, None] * masks * (1.0 - mean))).astype(np.float32)
        columns = []
        for k in range(h.shape[1]):
            active = np.flatnonzero(a[:, k] > 0.0)
            radial = data.columns(np.ascontiguousarray(U[active, :, k], dtype=np.float32), which[active])
            parts = [np.sqrt(total[k]) * mean[:, k : k + 1] * X, radial * np.sqrt(r[active, k])]
            if constant > 0.0:
                parts.append(np.full((X.shape[0], 1), np.sqrt(constant)))
            columns.append(root[:, k : k + 1] * np.hstack(parts).astype(np.float32))
        groups = [slice(0, h.shape[1])] if centred else [slice(k, k + 1) for k in range(h.shape[1])]
        self.parts = [(group, _Woodbury(root[:, group], columns[group], centred)) for group in groups]
        data.flops += sum(X.shape[0] * part.size**2 for _, part in self.parts)

    def __call__(self, R: Outputs) -> Outputs:
        """(n, c): the approximate inverse times R, in single precision."""
        return np.hstack([part(R[:, group]) for group, part in self.parts])


class _Woodbury:
    """The inverse of ``root^-1 (I + blockdiag(C_k C_k')) root^-1``: one matrix of the columns C_k (n, m_k) for each of
    the outputs that root (n, g) has; if ``centred``, that on vectors whose rows sum to 0, which in the scaled space is
    the projection off ``root / ||root||`` of each row."""

    def __init__(self, root: Outputs, columns: list[Matrix], centred: bool):
        self.root, self.columns = root, columns
        self.normal = root / np.linalg.norm(root, axis=1, keepdims=True) if centred else None
        ends = np.cumsum([0] + [C.shape[1] for C in columns])
        self.places = [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        self.size = int(ends[-1])
        G = np.zeros((self.size, self.size), np.float32)
        for place, C in zip(self.places, columns, strict=True):
            G[place, place] = C.T @ C
        if self.normal is not None:
            coupled = np.hstack([self.normal[:, k : k + 1] * C for k, C in enumerate(columns)])
            G -= coupled.T @ coupled
        self.factor = cho_factor(np.eye(self.size) + G)

    def __call__(self, R: Outputs) -> Outputs:
        Y = self._project(self.root * R)
        t = np.concatenate([C.T @ Y[:, k] for k, C in enumerate(self.columns)])
        t = cho_solve(self.factor, t, check_finite=False).astype(np.float32)
        C_t = np.column_stack([C @ t[place] for place, C in zip(self.places, self.columns, strict=True)])
        return self.root * (Y - self._project(C_t))

    def _project(self, Y: Outputs) -> Outputs:
        return Y if self.normal is None else Y - self.normal * np.sum(self.normal * Y, axis=1, keepdims=True)
