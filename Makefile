# make demo: restore the bundled photo.   make test: lint, types, tests.   Both set up .venv first, once.
# GDP_DTYPE=bfloat16 make tests: the tests alone, with the network in another type.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test tests coverage gpu-check lint format clean

demo: .venv/.ready
	$(BIN)/python run.py steps=20

test: lint tests

tests: .venv/.ready-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

coverage: .venv/.ready-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --cov=gdp --cov=operators --cov=samplers --cov-report=term:skip-covered

# What an hour on a GPU is to run, in steps that go on where the last call ended: gpu_run.json, .md
gpu-check: .venv/.ready-dev
	$(BIN)/python benchmarks/gpu_run.py

lint: .venv/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed: make PYTHON=python3.11 ..."; exit 2; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "python3 cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; exit 2; }

.venv/.ready: $(BIN)/python setup.cfg setup.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.ready-dev: $(BIN)/python setup.cfg setup.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch .venv/.ready $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
