# `make demo`, `make test`, `make lint`, `make bench`: each sets up .venv by itself, once, with Python 3.11 or newer.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.PHONY: demo test lint format bench docs clean
.DEFAULT_GOAL := test

# The demo needs what a user needs; tests need the tools, and the model with torch.
$(CORE): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(DEV): $(CORE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# make hands VIDEO and QUESTION to the shell through the environment, so that quotes in them do no harm.
# The film of known content and five questions about it; or your own: make demo VIDEO=talk.mp4 QUESTION="Who speaks?"
demo: $(CORE)
	$(BIN)/python examples/demo.py $(if $(VIDEO),--video "$$VIDEO") $(if $(QUESTION),--question "$$QUESTION")

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

test: lint
	$(BIN)/python -m pytest

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Every table of benchmarks/results, from the scripts that make them.
bench: $(DEV)
	for script in $$(grep -l '__main__' benchmarks/*.py); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

# Writes docs/cli.md from the commands themselves; a test checks that the two agree.
docs: $(DEV)
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .ruff_cache
