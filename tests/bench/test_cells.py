"""The benchmark's problems."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bidual.bench import LARGE, SETS, SMALL, TOLERANCES, Cell, grid, measure, pose, sets
from bidual.bench.data import FASHION, data
from bidual.errors import InvalidDataError
from bidual.operators.masked import MaskedData


def test_the_grid() -> None:
    cells = list(grid())
    assert len({cell.name for cell in cells}) == len(cells)
    assert len(cells) == 2 * 3 * 2 * 2 * (2 * 3) + 3 * 3 * 2 * 2
    assert [cell.size for cell in cells] == sorted((cell.size for cell in cells), key=(SMALL + LARGE).index)
    assert {cell.loss for cell in cells if cell.size[3] == 10} == {"squared", "multinomial"}
    assert {cell.size for cell in cells if cell.kind == "cones"} == set(SMALL)


@pytest.mark.parametrize("name", [name for name in SETS if name != "fashion_mnist"])
def test_sets_have_their_size(name: str) -> None:
    (n, d, _, c), loss = SETS[name]
    X, Y = data(Cell("gated", loss, name, SETS[name][0], 0.1))
    assert (X.shape, Y.shape) == ((n, d), (n, c)) and (X[:, -1] == 1).all()
    assert np.allclose(X[:, :-1].mean(axis=0), 0.0, atol=1e-9)
    if name == "a9a_like":
        assert (np.abs(np.diff(np.sort(X[:, :-1], axis=0), axis=0) > 1e-9).sum(axis=0) == 1).all()  # two values each


def test_whole_networks_have_biases_of_their_own() -> None:
    cell = next(cell for cell in sets() if cell.kind == "network")
    posed = pose(cell)
    assert posed.problem.X.shape[1] == cell.size[1] - 1
    assert posed.problem.intercept and posed.problem.architecture.bias == "free"


def test_fashion_mnist_is_read_from_files_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("gated", "multinomial", "fashion_mnist", SETS["fashion_mnist"][0], 0.1)
    monkeypatch.setenv(FASHION, str(tmp_path))
    with pytest.raises(InvalidDataError, match="t10k-images-idx3-ubyte.gz"):
        data(cell)
    images = np.arange(20 * 784).astype(np.uint8)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + images.tobytes()))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + bytes(range(10)) * 2))
    X, Y = data(cell)
    assert X.shape == (20, 785) and (Y.argmax(axis=1) == np.tile(np.arange(10), 2)).all()


def test_strength_is_a_share_of_the_least_without_neurons() -> None:
    size = (60, 4, 12, 1)
    empty, some = (pose(Cell("gated", "logistic", "iid", size, share)) for share in (1.001, 0.9))
    assert measure(empty, 1e-4, 10.0).solution.network.n_neurons == 0
    assert measure(some, 1e-4, 10.0).solution.network.n_neurons > 0


def test_measured_work_is_that_of_every_product() -> None:
    """The slow twin: the flops of all masked data, from a list of them."""
    posed = pose(Cell("gated", "squared", "iid", (60, 4, 12, 1), 0.1))
    made: list[MaskedData] = []
    begin = MaskedData.__init__

    def listed(self: MaskedData, *args: object) -> None:
        begin(self, *args)  # type: ignore[arg-type]
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MaskedData, "__init__", listed)
        measured = measure(posed, TOLERANCES[-1], 10.0)
    assert measured.certified and measured.cpu > 0
    runs = 3  # so short a solve is repeated
    assert measured.passes * posed.pass_flops * runs == pytest.approx(sum(data.flops for data in made))
    assert MaskedData(np.ones((2, 1)), np.ones((2, 1), bool)).flops == 0.0
