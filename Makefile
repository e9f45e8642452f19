# Every target sees to its own set-up; 'make help' lists them.

PYTHON ?= python3
# Where packages come from is pip's own configuration's business.
PIP = .venv/bin/python -m pip --quiet --disable-pip-version-check
NATIVE = $(wildcard src/linkspan/sim/native/*.[ch] src/linkspan/runtime/native/*.[ch])
PURE = plan emit formats

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint format docs package lock clean

## show this list
help:
	@awk '/^## / {text = substr($$0, 4)} /^[a-z]+:/ && text {printf "make %-8s %s\n", substr($$1, 1, length($$1) - 1), text; text = ""}' Makefile

## start the guide's four containers, on real or simulated GPUs
demo: setup
	@.venv/bin/linkspan demo

## run every test: units, linters, real containers; ends with pytest's closing line
test: setup
	.venv/bin/python -m pytest -n 2 --dist loadgroup --cov --cov-report=
	@for part in $(PURE); do .venv/bin/python -m coverage report --include="src/linkspan/$$part/*" --fail-under=95 \
	  >.make/coverage-$$part || { cat .make/coverage-$$part; echo "linkspan.$$part: covered below 95 %" >&2; exit 1; }; done

## check style, types, layers and the lock file
lint: setup
	.venv/bin/python -m pytest -q tests/test_linters.py

## format the source
format: setup
	.venv/bin/ruff check --quiet --fix .
	.venv/bin/ruff format .

## measure container starts, spec generation and the reading of an image, into docs/benchmarks
bench: setup
	.venv/bin/python -m tests.bench
	.venv/bin/python -m tests.bench.images

## write the pages that commands, catalogue and rules tell, and draw docs/chain.svg
docs: setup
	.venv/bin/python .ci/cli-reference >docs/reference/cli.md
	.venv/bin/python .ci/failure-modes >docs/reference/failure-modes.md
	.venv/bin/python .ci/image-rules >docs/reference/image-rules.md
	.venv/bin/python .ci/dockerfile-rules >docs/reference/dockerfile-rules.md
	.venv/bin/python -m tests.unit.explain.example >docs/chain.svg

## build the .deb, the .rpm and the archive, into dist
package: setup
	@.venv/bin/python -m packages dist

## pin every dependency anew, with hashes, in requirements.lock
lock: .make/pip-tools
	.make/pip-tools/bin/python .ci/lock pyproject.toml requirements.lock

## do the set-up alone: Debian packages, virtual environment, the package in it
setup: .make/package

## remove what the other targets made, the virtual environment too
clean:
	rm -rf .venv .make build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -prune -exec rm -rf {} +

.make/packages: .ci/packages
	@mkdir -p .make
	@PYTHON=$(PYTHON) .ci/packages
	@touch $@

.make/venv: requirements.lock | .make/packages
	@echo 'making the virtual environment .venv'
	@$(PYTHON) -m venv --clear .venv
	@# The lock names every package, so nothing is left to resolve: a later release of one cannot change what is taken.
	@$(PIP) install --no-deps --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) check >/dev/null
	@touch $@

.make/package: .make/venv pyproject.toml hatch_build.py $(NATIVE)
	@echo 'building linkspan'
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.make/pip-tools: | .make/packages
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet 'pip-tools>=7.4'
