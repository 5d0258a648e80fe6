"""Small tables, and a way to run commands on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidual.cli import main

from .cases import Command, Ran, small_table


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``bidual`` with the arguments."""

    def command(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return command


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``small.csv`` and ``small.parquet``."""
    folder = tmp_path_factory.mktemp("tables")
    small_table().to_csv(folder / "small.csv", index=False)
    small_table().to_parquet(folder / "small.parquet")
    return folder


@pytest.fixture(scope="session")
def fitted(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of ``price`` and its report."""
    folder = tmp_path_factory.mktemp("fitted")
    assert main(["fit", str(tables / "small.csv"), "--target", "price", "--drop", "sick", "--out", str(folder)]) == 0
    return folder
