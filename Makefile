# The front door. `make` alone says what there is.
SHELL := /bin/bash
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
.PHONY: help env repro test lint pins recipe runs results search

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

env: .venv/.installed  ## make the environment in .venv with the pinned packages

.venv/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet uv==0.13.8
	.venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python -r requirements.txt
	@touch $@

repro: env  ## run whatever stages are out of date: dvc repro
	@python -m tools.check
	dvc repro

test: env  ## run the tests
	pytest -n auto

lint: env  ## check style
	ruff check .

pins:  ## resolve requirements.txt anew from pyproject.toml
	.venv/bin/uv pip compile --universal --python-version 3.11 --group dev pyproject.toml -o requirements.txt \
		--no-emit-index-url --no-annotate --upgrade

recipe: env  ## run recipes/NAME.yaml as one experiment; SET="key=value ..." changes more
	@test -n "$(NAME)" || { echo "error: name a recipe: make recipe NAME=$$(cd recipes && ls *.yaml | head -1 | cut -d. -f1)"; exit 1; }
	@set +B -f; python -m tools.recipe $(NAME) $(SET)  # values may hold [0,1] and {}

runs: env  ## run what recipes/runs/SIZE.yaml lists and has no result yet
	@test -n "$(SIZE)" || { echo "error: name a size: make runs SIZE=$$(cd recipes/runs && ls *.yaml | head -1 | cut -d. -f1)"; exit 1; }
	@python -m tools.runs $(SIZE)

results: env  ## write the tables of the comparisons into reports/
	@python -m tools.results

search: env  ## search parameters of one model by experiments: MODEL=age TRIALS=20
	@test -n "$(MODEL)" || { echo "error: name a model: make search MODEL=age"; exit 1; }
	@python -m tools.search $(MODEL) $(if $(TRIALS),--trials $(TRIALS)) $(if $(SPACE),--space $(SPACE))
