# Two commands do everything on a machine that has Python 3.11+ and make:
#   make run    sets up, runs the whole pipeline on the embedded market, says where to look
#   make test   sets up, runs all tests
PYTHON ?= python3
BIN := .venv/bin
# float results must not depend on how many threads a BLAS happens to find
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 2

.PHONY: help run ui dashboard test check bench prove docs lock clean

help:  ## Show these commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.venv/product: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/development: .venv/product requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: .venv/product  ## Run the whole pipeline (ETF_PROVIDER=files ETF_FILES_ROOT=... for your own data)
	$(BIN)/etf run

ui: .venv/product  ## Open the Dagster UI
	$(BIN)/etf ui

dashboard: .venv/product  ## Look at weights, performance, risk and runs; every number back to its raw rows
	$(BIN)/etf dashboard

test: .venv/development  ## Run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/development  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/development  ## Ours beside the peers, in one run; writes data/benchmarks.json
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks

prove: .venv/development  ## Long statistical studies; writes data/studies.json
	$(BIN)/python -m etf_pipeline_tests.prove

docs: .venv/development  ## Regenerate docs/tables.md
	$(BIN)/python -m etf_pipeline.schemas.dictionary > docs/tables.md

lock:  ## Pin every package anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-strip-extras \
		pyproject.toml build-requirements.in -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-strip-extras \
		--extra dev pyproject.toml build-requirements.in -c requirements.lock -o requirements-dev.lock

clean:  ## Remove what runs made; the environment stays
	rm -rf data/warehouse data/dagster data/reports .pytest_cache .mypy_cache .ruff_cache
