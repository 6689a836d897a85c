# One command for people, hooks and CI. `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
UV_VERSION := 0.9.0
VENV := .venv
BIN := $(VENV)/bin
# Python keeps what it read compiled, whatever the caller's shell says: each start is some seconds
# faster, and the tests start many processes.
export PYTHONDONTWRITEBYTECODE :=
UV := UV_LINK_MODE=copy VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv

.PHONY: help install dev heavy demo test check test-all bench bench-quality cases assets lock format clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ringfence needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "uv>=$(UV_VERSION)"

$(VENV)/.installed: $(BIN)/uv requirements.lock pyproject.toml
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m ringfence.engine.warm
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.heavy: $(VENV)/.dev requirements-heavy.lock
	$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements-heavy.lock
	@touch $@

install: $(VENV)/.installed ## set up .venv with what running needs
dev: $(VENV)/.dev ## … and with what developing needs
heavy: $(VENV)/.heavy ## … and with what benches and fuzzing need

demo: install ## run the whole platform with simulated wearers on http://127.0.0.1:$(PORT)
	$(BIN)/ringfence demo --port $(PORT)

test: dev ## the fast tests (three to four minutes on two cores)
	$(BIN)/pytest -m "not browser and not heavy" -n auto --dist loadfile --no-loadscope-reorder

check: dev ## format, lint, types, imports, house tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/house

format: dev ## let ruff format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-all: check test heavy ## everything: browser, killed processes, fuzzed codecs, without the compiler
	NUMBA_DISABLE_JIT=1 $(BIN)/pytest tests/engine tests/geo -m "not heavy" -n auto --dist loadfile
	tools/need-chromium
	# Apart: playwright keeps an event loop, in which tests of doors can't start their own.
	$(BIN)/pytest -m "heavy and not browser"
	$(BIN)/pytest -m browser

bench: heavy ## speed, as ratios to named peers in the same run
	$(BIN)/python -m bench

bench-quality: heavy ## how well the engine judges, against known truth (needs the real traces)
	$(BIN)/python -m bench.quality $(WEEKS)

cases: dev ## write docs/cases.md and its pictures anew, from the tests of the sixteen cases
	$(BIN)/python -m tests.spec.page

assets: ## build the front end (developers only; needs Node)
	tools/build-assets

lock: $(BIN)/uv ## renew the lock files: hashes, no host names
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group build -o requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group dev -o requirements-dev.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group heavy -o requirements-heavy.lock

clean: ## remove what the commands above made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache node_modules
