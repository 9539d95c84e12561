# On a fresh machine: `make run` and `make test` need Python 3.11 or later and make, nothing else.
# Without PostgreSQL, `make test` skips what needs it and says so.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(sort $(wildcard plugins/*/pyproject.toml))
INSTALLED := $(VENV)/installed
DOCS_INSTALLED := $(VENV)/docs-installed

.PHONY: run test lint types tests e2e docs bench install clean

run: install
	$(BIN)/python -m tornado_cc --conf conf/dev.ini

test: lint types tests

install: $(INSTALLED)

$(INSTALLED): pyproject.toml $(PLUGINS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "tornado_cc needs Python 3.11 or later; name one: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "setuptools>=77"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		--editable ".[test]" $(patsubst %/pyproject.toml,--editable ./%,$(PLUGINS))
	touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

tests: install
	$(BIN)/python -m pytest -q --numprocesses=auto --dist=loadfile

e2e: install
	sh tests/e2e/setup.sh
	$(BIN)/python -m pytest -q tests/e2e

docs: $(DOCS_INSTALLED)
	$(BIN)/python -m docs.settings_tables
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs docs/_build

$(DOCS_INSTALLED): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		--editable ".[docs]"
	touch $@

bench: install
	$(BIN)/python benchmarks/webhook.py
	$(BIN)/python benchmarks/store.py

clean:
	rm -rf $(VENV) docs/_build .e2e .mypy_cache .ruff_cache .pytest_cache .hypothesis
