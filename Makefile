# Two commands matter: `make demo` and `make test`. Both set up all that they need below .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint docs bench performance soak clean

# The one place that installs: plain venv and pip, versions pinned by constraints.txt.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --group dev --editable .
	touch $(READY)

demo: $(READY)
	$(BIN)/aftercall demo

test: $(READY) lint
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone

lint: $(READY)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

docs: $(READY)
	$(BIN)/python docs/generate.py

# ARGS are flags of it, such as ARGS="--only pace --rounds 1"; ARGS=--help lists them.
bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

# All figures, the picture and the tables of docs/performance.md anew, on a machine at rest.
performance: $(READY)
	$(BIN)/python -m benchmarks --record docs
	$(BIN)/python docs/generate.py

# HISTORIES simulated histories from SEED on, DEATHS of real processes, FUZZ_SECONDS of rubbish for
# each of five targets, then the long tests.
HISTORIES ?= 100000
DEATHS ?= 2000
SEED ?= 0
FUZZ_SECONDS ?= 300
FACTOR ?= 50
soak: $(READY)
	$(BIN)/python -m tests.simulation $(SEED) --count $(HISTORIES) --processes 2
	$(BIN)/python -m tests.fault.deaths $(SEED) --deaths $(DEATHS) --processes 2
	for target in source config profile answer command; do \
		$(BIN)/python -m tests.rubbish.fuzzing $$target --seconds $(FUZZ_SECONDS) || exit 1; done
	$(BIN)/python -m pytest tests/fault tests/rubbish --soak --soak-factor $(FACTOR)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis demo
