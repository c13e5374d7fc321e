# Everything this repository does, each target doing all of its own set-up. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WHEEL_VENV := build/wheel-venv
WHEEL_STAMP := $(WHEEL_VENV)/.installed
SOURCES := $(shell find tracer collectors analysis -type f -not -name '*.pyc' -not -name '*.so' 2>/dev/null)

.PHONY: help demo test check bench truth soak lock format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(STAMP): locks/dev.txt pyproject.toml hatch_build.py tracer/msgtrace/_native.c $(wildcard tracer/msgtrace/compiled/*.c)
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "msgtrace needs Python 3.11 or later")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo 'no venv module: apt-get install python3-venv' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r locks/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

# Tests run against what users install: the built wheel, in an environment of its own.
$(WHEEL_STAMP): $(STAMP) $(SOURCES) README.md LICENSE
	rm -rf build/dist
	$(BIN)/uv build --quiet --wheel --python $(BIN)/python --out-dir build/dist .
	test -x $(WHEEL_VENV)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(WHEEL_VENV)
	$(BIN)/uv pip install --quiet --python $(WHEEL_VENV)/bin/python --require-hashes -r locks/dev.txt
	$(BIN)/uv pip install --quiet --python $(WHEEL_VENV)/bin/python --no-deps --reinstall-package msgtrace build/dist/*.whl
	touch $@

demo: $(STAMP) ## record the example shop and show its messaging guide; BROKERS=1 with real brokers
	$(if $(BROKERS),$(BIN)/python -m integration.brokers install rabbitmq redis kafka)
	$(BIN)/python -m examples.demo $(if $(BROKERS),--brokers)

# Programs with older libraries, and msgtrace as users would have it there.
OLDER_VENV := build/older-venv
OLDER_STAMP := $(OLDER_VENV)/.installed
OLDER := $(CURDIR)/$(OLDER_VENV)/bin/python
$(OLDER_STAMP): $(WHEEL_STAMP) locks/older.txt
	test -x $(OLDER) || $(BIN)/uv venv --quiet --python $(BIN)/python $(OLDER_VENV)
	$(BIN)/uv pip install --quiet --python $(OLDER) --require-hashes -r locks/older.txt
	$(BIN)/uv pip install --quiet --python $(OLDER) --no-deps --reinstall-package msgtrace build/dist/*.whl
	touch $@
export MSGTRACE_TEST_PYTHON_OLD := $(OLDER)
export MSGTRACE_TEST_PYTHON_KAFKA2 := $(OLDER)
export MSGTRACE_TEST_PYTHON_REDIS := $(OLDER)

test: $(WHEEL_STAMP) $(OLDER_STAMP) ## all tests, real brokers included, against the built wheel
	$(WHEEL_VENV)/bin/python -m integration.brokers install
	$(WHEEL_VENV)/bin/python -m integration.debugger
	$(WHEEL_VENV)/bin/python -m integration.node_packages
	$(WHEEL_VENV)/bin/python -m integration.chromium
	$(WHEEL_VENV)/bin/python -m integration.other_interpreters
	# What fails beside others, for want of a processor, is tried once more by itself, and then decides.
	$(WHEEL_VENV)/bin/python -m pytest -m "not soak" --numprocesses 2 --dist loadfile $(ARGS) || \
	$(WHEEL_VENV)/bin/python -m pytest -m "not soak" --last-failed --last-failed-no-failures none $(ARGS)

check: $(STAMP) ## lint, types, layering, documents in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m integration.documents

soak: $(WHEEL_STAMP) $(OLDER_STAMP) ## long fault and load runs
	$(WHEEL_VENV)/bin/python -m integration.brokers install
	$(WHEEL_VENV)/bin/python -m integration.debugger
	$(WHEEL_VENV)/bin/python -m pytest -m soak --timeout=3600 $(ARGS)

bench: $(WHEEL_STAMP) ## what recording costs, beside what users would pick instead; real brokers
	test -x build/bench-venv/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python build/bench-venv
	$(BIN)/uv pip install --quiet --python build/bench-venv/bin/python --require-hashes -r locks/bench.txt
	$(BIN)/uv pip install --quiet --python build/bench-venv/bin/python --no-deps --reinstall-package msgtrace build/dist/*.whl
	build/bench-venv/bin/python -m integration.brokers install
	build/bench-venv/bin/python -m bench $(ARGS)

truth: $(STAMP) ## how true the analysis is, on generated systems whose answers are known; ARGS="--set test" to report
	$(BIN)/python -m bench.truth $(ARGS)

lock: ## lock the newest releases that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml --all-extras --group dev -o locks/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml --all-extras --group bench -o locks/bench.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group older -o locks/older.txt

format: $(STAMP) ## format the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what was built
	rm -rf build dist .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
