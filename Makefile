# robo-poet: `make help` lists what can be asked for.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PROFILE ?= local
RUNNER ?= process
CORPUS ?=
BENCH ?=
ARGS ?=
CLI := .venv/bin/robo-poet
export PROFILE RUNNER CORPUS  # reach the recipes through the environment, so that any name of a folder is safe

PORT ?= 8080
export PORT

.PHONY: help setup run-pipeline serve compile images check test soak bench lock clean

help: ## Show this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo "  PROFILE=local|ci|rtx  CORPUS=<folder, .txt, .md, .jsonl, .csv, .parquet or gs://…>  ARGS='--set train.epochs=2' or --explain"

setup: ## Install both environments from the locks; nothing to do when nothing changed
	@infra/setup.sh

run-pipeline: setup ## Train, evaluate, gate, register: PROFILE=local CORPUS=… RUNNER=process|docker|cluster
	@$(CLI) run --profile "$$PROFILE" --runner "$$RUNNER" --corpus "$$CORPUS" $(ARGS)

serve: setup ## Put the champion in front of readers on 127.0.0.1:8080: a page, the API, metrics. PORT=0 takes a free port
	@$(CLI) serve --profile "$$PROFILE" --port "$$PORT" $(ARGS)

compile: setup ## Compile the pipelines to build/pipelines/*.yaml, as Kubeflow takes them
	@$(CLI) compile --profile $(if $(filter command line environment,$(origin PROFILE)),"$$PROFILE",rtx) $(ARGS)

images: setup ## Every image, of steps and of what serves, in the Docker engine: what has not changed is found, not built. BASE_IMAGE=python:3.11-slim
	@$(CLI) images --profile "$$PROFILE" $(ARGS)

check: setup ## Lint, types, import rules, locks in step
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache
	@infra/lock.sh --check

test: setup ## All tests
	@.venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not soak" $(ARGS)

soak: setup ## The same promises at full counts: 1,000 cases a property, races and kills by the hundred
	@ROBO_POET_SOAK=1 .venv/bin/pytest -n 2 --dist loadfile -m "soak or not soak" --timeout 3000 $(ARGS)

bench: setup ## Compare with peers in one run: BENCH=train|learn|decode|edge|serve|overload|soak|containers, or all; a table, and build/bench/<name>.json
	@.venv/bin/python -m tests.bench $(BENCH)

lock: ## Remake requirements/*.txt from pyproject.toml
	@infra/lock.sh

clean: ## Remove the cache, the runs and the builds; the registry stays
	@rm -rf .store runs build
