# On a fresh machine: `make run` and `make test` need Python 3.11 or later and make, nothing else.
# Without PostgreSQL, strace or nginx, `make test` skips what needs them and says so.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(sort $(wildcard plugins/*/pyproject.toml))
INSTALLED := $(VENV)/installed
DOCS_INSTALLED := $(VENV)/docs-installed

.PHONY: run test lint types tests chaos unshaken mutations fuzz siege e2e docs bench install clean

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

# Servers killed in the middle, with the figures that docs/reliability.md publishes. .ci/run has 5
# rounds of it, which take about a minute and a half.
ROUNDS ?= 50
chaos: install
	TORNADO_CC_CHAOS_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -q -s tests/chaos

# Stops, reloads and kills under load, with the figures that docs/reliability.md publishes: about ten
# minutes. `make test` has a small round of it.
unshaken: install
	TORNADO_CC_UNSHAKEN=1 $(BIN)/python -m pytest -q -s tests/workers/test_unshaken.py

# A hundred thousand mutated signatures: about ten seconds.
mutations: install
	TORNADO_CC_MUTATIONS=100000 $(BIN)/python -m pytest -q tests/dialects/sources/test_mutated.py

# A hundred thousand requests that went wrong on the way: half a minute.
fuzz: install
	TORNADO_CC_FUZZ_COUNT=100000 $(BIN)/python -m pytest -q -k own-llhttp \
		tests/server/wire/test_mutants.py

# 2,200 callers that are slow on purpose, with the figures that docs/reliability.md publishes.
siege: install
	$(BIN)/python -m tests.server.wire.siege

e2e: install
	sh tests/e2e/setup.sh
	$(BIN)/python -m pytest -q tests/e2e

docs: $(DOCS_INSTALLED)
	$(BIN)/python -m docs.settings_tables
	$(BIN)/python -m docs.wire_table
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs docs/_build

$(DOCS_INSTALLED): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		--editable ".[docs]"
	touch $@

# What an answered request costs beside that of others, into benchmarks/RESULTS.md, then the store and
# the outbox. setup.sh gets wrk, and the peers into .bench.
bench: install
	PYTHON=$(BIN)/python sh benchmarks/setup.sh
	$(BIN)/python benchmarks/wire.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/deliveries.py

clean:
	rm -rf $(VENV) docs/_build .bench .e2e .mypy_cache .ruff_cache .pytest_cache .hypothesis
