# Everything on a fresh machine: `make demo`, `make test`. Python 3.11 or newer is all it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(shell command -v uv 2>/dev/null)

INSPECT := .cache/inspect-env/.installed

# Half of the time that a process takes to start is compiling, where bytecode is not kept.
unexport PYTHONDONTWRITEBYTECODE

# $(call install,FOLDER,WHAT): an environment with what is named in it; with uv where it is there.
ifneq ($(UV),)
install = test -x $(1)/bin/python || uv venv --quiet --python $(PYTHON) $(1); \
	uv pip install --quiet --python $(1)/bin/python $(2)
else
install = test -x $(1)/bin/python || $(PYTHON) -m venv $(1); \
	$(1)/bin/python -m pip install --quiet --upgrade "pip>=25.1"; \
	$(1)/bin/python -m pip install --quiet $(2)
endif

.PHONY: demo ui test pytest soak bench lint vectors clean

demo: $(STAMP)
	@HARNESS_HOME=.harness $(BIN)/harness demo

# The web app, on this machine alone: http://127.0.0.1:8501
ui: $(STAMP)
	@HARNESS_HOME=.harness $(BIN)/harness ui

# `make test coverage=yes` also measures branch coverage, as CI does; it takes half as long again.
coverage :=
test: $(STAMP) $(INSPECT)
	@$(MAKE) --no-print-directory -j2 lint pytest

# mypy keeps one core busy, and the tests wait for a browser now and then: `test` runs both at once.
pytest: $(STAMP) $(INSPECT)
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -q \
	  $(if $(coverage),--cov --cov-report=term:skip-covered)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Kill and simulation tests at full count; results stay in .cache/soak as JSON.
soak: $(STAMP) $(INSPECT)
	HARNESS_SOAK=1 $(BIN)/python -m pytest -m soak -q --durations=10

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks

# Embed the shipped domains' texts, after one of them has changed.
vectors: $(STAMP)
	$(BIN)/python -m tests.packaging.vectors

$(STAMP): pyproject.toml .ci/constraints.txt
	$(call install,$(VENV),--constraint .ci/constraints.txt --editable . --group dev)
	@touch $@

# Inspect reads the logs that we write for it; it does not go into one environment with chromadb.
$(INSPECT):
	$(call install,$(@D),inspect_ai==0.3.285)
	@touch $@

clean:
	rm -rf $(VENV) .cache .coverage* .mypy_cache .pytest_cache .ruff_cache build dist
