# Keepwell's chores; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
HORIZON ?=
PORT ?= 3000

# The service and the tests talk to nobody outside.
export MLFLOW_DISABLE_TELEMETRY := true
export BENTOML_DO_NOT_TRACK := True
export DO_NOT_TRACK := true

.PHONY: help machine install dev demo test test-slow test-all check format hooks bench soak docs docs-serve lock clean

help:  ## list the chores
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

machine:  ## say what this machine lacks, and the one line that installs it
	@PYTHON="$(PYTHON)" sh scripts/check_machine.sh

install: $(VENV)/.runtime  ## make .venv with the `keepwell` command in it

dev: $(VENV)/.dev  ## the same, with the tools of developers

demo: $(VENV)/.runtime  ## a company from nothing to a served console: DATA=complete-journey or DATA=FOLDER, HORIZON=90d
	@$(BIN)/keepwell demo $(DATA) $(if $(HORIZON),--horizon $(HORIZON)) --port $(PORT)

test: $(VENV)/.dev  ## the tests, under ten minutes
	$(BIN)/python -m pytest -n 2 -q -m "not slow"

test-slow: $(VENV)/.dev  ## the long sweeps alone
	$(BIN)/python -m pytest -n 2 -q -m slow

test-all: test test-slow  ## everything

check: $(VENV)/.dev  ## style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev  ## put the style right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

hooks: $(VENV)/.dev  ## let git check every commit (.pre-commit-config.yaml)
	$(BIN)/pre-commit install

bench: $(VENV)/.dev  ## time features beside their peers, and the main job (an hour)
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.models
	$(BIN)/python -m benchmarks.plans
	$(BIN)/python -m benchmarks.main_job
	$(BIN)/python -m benchmarks.service

soak: $(VENV)/.dev  ## an hour of steady load on the service
	$(BIN)/python -m benchmarks.soak

docs: $(VENV)/.dev  ## the docs as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs-serve: $(VENV)/.dev  ## the same at http://127.0.0.1:8000, made again as one writes
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

lock:  ## choose the newest versions again (needs uv)
	uv pip compile pyproject.toml --extra build --generate-hashes --no-header --no-annotate --python-version 3.11 --upgrade -q -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra dev --constraint requirements.lock --generate-hashes --no-header --no-annotate --python-version 3.11 -q -o requirements-dev.lock
	uv pip compile deploy/mlflow.in --constraint <(grep -o '^mlflow==[^ ]*' requirements.lock) --generate-hashes --no-header --no-annotate --python-version 3.11 --upgrade -q -o deploy/mlflow.lock

clean:  ## remove the environment and what tools left
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(MAKE) --no-print-directory machine
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the exact versions of requirements.lock (about a minute)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the developers' tools"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps -r requirements-dev.lock
	@touch $@
