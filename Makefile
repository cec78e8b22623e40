# PORT (8000) and PANEL_HOME (.panel) may be set: make run PORT=9000
# make demo SIMULATED=1 takes simulated servers also where a lab of real ones could run.
.DEFAULT_GOAL := help
.PHONY: help demo run test check format bench conformance chaos
PYTHON := .venv/bin/python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Start the panel with three servers on this machine: real ones, or simulated
	@tools/setup run
	@$(PYTHON) manage.py panel --demo

run: ## Start the panel for your own servers
	@tools/setup run
	@$(PYTHON) manage.py panel

test: ## Run every test that this machine can run
	@tools/setup test
	@$(PYTHON) -m pytest -ra -n 2 --dist loadfile --no-loadscope-reorder

check: ## Check format, lint, types, import rules and migrations
	@tools/setup test
	@$(PYTHON) -m pytest -q tests/architecture

format: ## Rewrite the code in the project's format
	@tools/setup test
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

bench: ## Measure the panel against other tools on lab servers
	@tools/setup bench
	@$(PYTHON) -m bench

conformance: ## Compare the simulated servers with real ones, step by step (eleven minutes)
	@tools/setup test
	@CONFORMANCE=1 $(PYTHON) -m pytest -ra -s tests/simulation/test_conformance.py

# Figures that are not set have the defaults of `python -m chaos --help`.
chaos: ## Kill parts of a working panel hundreds of times and write docs/reliability.md (an hour; COUNT=, CANCELS=, LAB=, SEED=, LANES=, ONLY=)
	@tools/setup test
	@$(PYTHON) -m chaos --write $(if $(COUNT),--count $(COUNT)) $(if $(CANCELS),--cancels $(CANCELS)) \
		$(if $(LAB),--lab $(LAB)) $(if $(SEED),--seed $(SEED)) $(if $(LANES),--lanes $(LANES)) \
		$(if $(ONLY),--only $(ONLY))
