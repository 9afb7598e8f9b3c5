# Everything on a fresh machine: `make demo`, `make test`. Python 3.11 or newer is all it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo ui test soak bench lint clean

demo: $(STAMP)
	@HARNESS_HOME=.harness $(BIN)/harness demo

# The web app, on this machine alone: http://127.0.0.1:8501
ui: $(STAMP)
	@HARNESS_HOME=.harness $(BIN)/harness ui

test: $(STAMP) lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder --cov --cov-report=term:skip-covered -q

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Kill and simulation tests at full count; results stay in .cache/soak as JSON.
soak: $(STAMP) .cache/inspect-env
	HARNESS_SOAK=1 $(BIN)/python -m pytest -m soak -q --durations=10

# Inspect reads the logs that we write for it; beside chromadb it can't be installed.
.cache/inspect-env:
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet inspect_ai

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks

$(STAMP): pyproject.toml .ci/constraints.txt
ifneq ($(UV),)
	test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV)
	uv pip install --quiet --python $(BIN)/python --constraint .ci/constraints.txt --editable . --group dev
else
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable . --group dev
endif
	@touch $(STAMP)

clean:
	rm -rf $(VENV) .cache .coverage* .mypy_cache .pytest_cache .ruff_cache build dist
