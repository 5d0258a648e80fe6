"""Model files of ``bidual fit``: those of the estimator, with what must be known of the table it was trained on.

``bidual.load_model`` reads them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.errors import ModelFileError
from bidual.estimators.files import KIND, load_model
from bidual.files import read_arrays, write_arrays
from bidual.tables import TableEncoding

TABLE, ROWS = "table", "table.rows"


@dataclass(frozen=True, eq=False)
class TableModel:
    """A fitted estimator, its table's encoding, and the fingerprints of its training rows."""

    estimator: Any
    encoding: TableEncoding
    rows: NDArray[np.uint64]

    def write(self, path: Path) -> None:
        """Write all of it to one file."""
        self.estimator.save(path)
        header, arrays = read_arrays(path, KIND)
        write_arrays(path, KIND, {**header, TABLE: self.encoding.to_json()}, {**arrays, ROWS: self.rows})

    @classmethod
    def read(cls, path: Path) -> TableModel:
        """What ``write`` wrote.

        Raises
        ------
        ModelFileError
            The file is damaged, or its model was not trained by ``bidual fit``.
        """
        estimator = load_model(path)
        header, arrays = read_arrays(path, KIND)
        if TABLE not in header or ROWS not in arrays:
            raise ModelFileError(
                f"{path} holds a model that was not trained on a table; use bidual.load_model({str(path)!r}) in Python"
            )
        try:
            return cls(estimator, TableEncoding.from_json(header[TABLE]), arrays[ROWS])
        except (KeyError, TypeError) as error:
            raise ModelFileError(f"{path} does not describe its table ({error}); fit it again") from error
