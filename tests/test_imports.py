"""The front door is light, and every name on it leads somewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bidual

HEAVY = ("sklearn", "scipy", "torch", "onnx", "matplotlib", "pandas", "cvxpy", "rich")


def loaded(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after running the code."""
    code += f"\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("code", ["import bidual", "import bidual; bidual.Network", "import bidual.files"])
def test_numpy_is_enough_until_more_is_used(code: str) -> None:
    assert loaded(code) == set()


@pytest.mark.parametrize("name", bidual.__all__)
def test_public_name(name: str) -> None:
    assert getattr(bidual, name) is not None
    assert name in dir(bidual)


def test_other_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="'bidual' has no attribute 'missing'"):
        bidual.missing  # noqa: B018
