# Needs git, Python 3.11 or newer and make; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := test
.PHONY: demo test doctest lint mutants docs clean

demo: .venv/demo.stamp  ## train a small network and print its certificate
	$(BIN)/bidual demo

test: .venv/test.stamp  ## every test, the code blocks of the documents among them
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --durations 20

doctest: .venv/test.stamp  ## the code blocks of the documents alone
	$(BIN)/pytest -q tests/test_documents.py

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

mutants: .venv/test.stamp  ## deliberate bugs, each of which a test must notice
	$(BIN)/python tests/mutants.py

docs: .venv/docs.stamp
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf .venv build dist docs/_build docs/auto_examples
	find . -name .venv -prune -o -type d \( -name __pycache__ -o -name '.*_cache' -o -name .hypothesis \) -print \
	  | xargs rm -rf

# One stamp for each set of packages, so that a second call installs nothing.
.venv/bin/python:
	$(PYTHON) -m venv .venv

# All three are editable, so that none undoes what another installed.
.venv/demo.stamp: EXTRAS := plot,cli,data
# torch is pinned in the extra: left open, it can bring several GB of CUDA libraries.
.venv/test.stamp: EXTRAS := test
.venv/docs.stamp: EXTRAS := docs
.venv/%.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]'
	touch $@
