# Everything runs in .venv, made by the first target that needs it.
VENV := .venv
RUN := $(VENV)/bin/

.DEFAULT_GOAL := help
.PHONY: help demo test kills mutants torture check format screenshots bench simulation lock clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.run: requirements.lock pyproject.toml scripts/setup
	@scripts/setup run

$(VENV)/.dev: requirements-dev.lock pyproject.toml scripts/setup
	@scripts/setup dev

demo: $(VENV)/.run  ## Order to cash on practice vendors: make demo ARGS=--once
	@$(RUN)bellwire demo $(ARGS)

KILLS := tests/reliability tests/torture
PYTEST := $(RUN)python -m pytest --processes 6

test: $(VENV)/.dev  ## The test-suite, but for the kills: make test ARGS="-k intake"
	@$(PYTEST) $(KILLS:%=--ignore=%) $(ARGS)

kills: $(VENV)/.dev  ## kill -9 at each durable point in turn: make kills ARGS="-k SKU"
	@$(PYTEST) $(KILLS) $(ARGS)

mutants: $(VENV)/.dev  ## Take away each safeguard in turn: a test has to notice
	@$(RUN)python -m tests.mutants $(ARGS)

torture: $(VENV)/.dev  ## kill -9 at random: make torture ARGS="--minutes 10 --workers 3"
	@$(RUN)python -m tests.torture $(ARGS)

check: $(VENV)/.dev  ## Lint, types, import rules
	@$(RUN)ruff format --check . && $(RUN)ruff check . && $(RUN)mypy && $(RUN)lint-imports

format: $(VENV)/.dev  ## Put the code into its standard form
	@$(RUN)ruff format . && $(RUN)ruff check --fix .

screenshots: $(VENV)/.dev  ## Every page of the desk, light and dark, on a laptop and on a phone, into screenshots/
	@$(RUN)python -m tests.screenshots $(ARGS)

bench: $(VENV)/.dev  ## Measure against a bare loop, write bench/latest.json and a plot
	@$(RUN)python -m bench $(ARGS)

simulation: $(VENV)/.dev  ## What breaks first beyond this machine, with the costs that `make bench` wrote
	@$(RUN)python -m bench.simulation $(ARGS)

lock: $(VENV)/.dev  ## Pin what pyproject.toml asks for
	@scripts/lock

clean:  ## Remove the environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
