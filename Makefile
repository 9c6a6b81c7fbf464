PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test lint docs

setup: $(VENV)/.ready

# The pins are the versions that the tests pass with; another torch build (CUDA, ROCm) may be installed over them.
$(VENV)/.ready: pyproject.toml requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "graspwise needs Python 3.11 or newer; found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: setup
	$(BIN)/graspwise models get small
	$(BIN)/graspwise predict examples/desk.jpg --ask "Pick up the pencil" --workspace 36,100,338,276 --out pencil-grasp.png

# One process a core, each with one thread.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: setup
	$(BIN)/mkdocs build --strict --quiet
