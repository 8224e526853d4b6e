# Fresh machine: `make demo` and `make test` need Python 3.11, pip and make, and set up everything else themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types floors fresh generate coverage bench mutants torture clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@$(BIN)/python -m compileall -q qase_iac
	@touch $@

demo: $(READY) ## plan and apply examples/web-shop against the emulator, then a one-line change
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash examples/demo.sh

test: check ## everything that CI runs

check: lint types floors fresh coverage ## ruff, mypy, import-linter, generated files, tests

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

floors: $(READY)
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

fresh: $(READY) ## fails when generated files are stale
	@$(BIN)/python -m qase_iac schema --write $(VENV)/schemas 2>/dev/null
	@diff -r $(VENV)/schemas schemas || { echo "schemas/ is stale: run make generate"; exit 1; }
	@$(BIN)/python docs/generate.py --check || { echo "docs/ are stale: run make generate"; exit 1; }

generate: $(READY) ## write schemas/ and the generated parts of docs/ from the tables
	@$(BIN)/python -m qase_iac schema --write schemas
	@$(BIN)/python docs/generate.py

coverage: $(READY)
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup --cov --cov-report=term:skip-covered --cov-fail-under=95

bench: $(READY) ## speed and memory on the real collection (docs/performance.md)
	@$(BIN)/python benchmarks/run.py

mutants: $(READY) ## mutation testing of plan/, the codec and the executor
	@$(BIN)/python benchmarks/mutants.py

torture: $(READY) ## the full fault matrix (docs/reliability.md); ONLY=kill,lost for parts, JOBS=4 for more at a time
	@PYTHONPATH="$(CURDIR):$(CURDIR)/tests" nice -n 5 $(BIN)/python -m torture --only "$(ONLY)" --point "$(POINT)" --stride $(or $(STRIDE),1) \
	  --jobs $(or $(JOBS),2)

clean: ## remove everything that was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov .coverage*
