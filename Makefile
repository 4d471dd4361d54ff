# robo-poet: `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PROFILE ?= local
RUNNER ?= process
CORPUS ?=
MODEL ?=
BENCH ?=
ARGS ?=
PORT ?= 8080
CLI := .venv/bin/robo-poet
PROFILE_GIVEN := $(filter command line environment,$(origin PROFILE))

# A `$` in these values is not expanded, so that CORPUS='po$ems' means the same before and after the word `make`. They reach the program
# through the environment, so that blanks, quotes and braces are safe. ARGS and BENCH are words for the shell.
AS_TYPED := PROFILE RUNNER CORPUS MODEL PORT
$(foreach name,$(AS_TYPED) ARGS BENCH,$(eval override $(name) := $$(value $(name))))
export $(AS_TYPED)

.PHONY: help setup run-pipeline serve replay compile images check test soak bench lock clean

help: ## Show this list of targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo "  PROFILE=local|auto|ci|rtx  CORPUS=<folder, .zip, .txt, .md, .jsonl, .csv, .parquet or gs://…>  MODEL=<name>  ARGS='--set train.epochs=2' or --explain"

setup: ## Install both environments from the lock files, if they have changed
	@infra/setup.sh

run-pipeline: setup ## Train, evaluate, gate and register a model: PROFILE=local CORPUS=… RUNNER=process|docker|cluster
	@$(CLI) run --profile "$$PROFILE" --runner "$$RUNNER" --corpus "$$CORPUS" --model "$$MODEL" $(ARGS)

serve: setup ## Serve the champion on http://127.0.0.1:8080: web page, API and metrics. PORT=0 takes a free port
	@$(CLI) serve --profile "$$PROFILE" --port "$$PORT" --model "$$MODEL" $(ARGS)

replay: setup ## Show the whole loop in 10 to 12 minutes: release, canary, roll-back, drift, alert, retraining; ends with a page
	@$(CLI) replay $(ARGS)

compile: setup ## Compile the pipelines to build/pipelines/*.yaml for Kubeflow Pipelines
	@$(CLI) compile --profile $(if $(PROFILE_GIVEN),"$$PROFILE",rtx) $(ARGS)

images: setup ## Build the Docker images of the steps and of serving that have changed. BASE_IMAGE=name@sha256:… sets the base
	@$(CLI) images --profile "$$PROFILE" $(ARGS)

check: setup ## Run the linter, the type checker and the import rules, and compare the lock files with pyproject.toml
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache
	@.venv/bin/pytest -q -p no:cacheprovider tests/repository
	@infra/lock.sh --check

test: setup ## Run all tests except the soak tests
	@.venv/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not soak" $(ARGS)

soak: setup ## Run all tests with full counts: 1,000 examples per property, hundreds of races and kills
	@ROBO_POET_SOAK=1 .venv/bin/pytest -n 2 --dist loadfile -m "soak or not soak" --timeout 3000 $(ARGS)

bench: setup ## Run benchmarks: BENCH=train|learn|decode|edge|serve|overload|shadow|soak|containers|pii|near_duplicates|scale|drift, default all; writes build/bench/<name>.json
	@.venv/bin/python -m tests.bench $(BENCH)

lock: ## Rebuild the lock files requirements/*.txt from pyproject.toml
	@infra/lock.sh

clean: ## Remove the cache, the runs and the build files. The registry is kept
	@rm -rf .store runs build
