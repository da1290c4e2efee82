# make demo: restore the bundled photo.   make test: lint, types, tests.   Both set up .venv first, once.
# GDP_DTYPE=bfloat16 make tests: the tests alone, with the network in another type.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test tests coverage gpu-check train-on train-on-stop train-on-compare lint format studio studio-test cluster-test clean

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

# The bundled prior trained on in the background, from the last weights; whether these may ship: make train-on DATA=photos
DATA ?=
OUT ?= train_on
train-on: .venv/.ready-dev
	$(BIN)/python benchmarks/training/train_on.py --data "$(DATA)" --out "$(OUT)"

train-on-stop: .venv/.ready-dev
	$(BIN)/python benchmarks/training/train_on.py --out "$(OUT)" --stop

train-on-compare: .venv/.ready-dev
	$(BIN)/python benchmarks/training/compare.py --data "$(DATA)" --new "$(OUT)/weights.safetensors"

# The page in the browser, and its tests in Debian's chromium; gradio lies in .venv-studio, so that .venv stays as everybody's.
studio: .venv-studio/.ready
	.venv-studio/bin/python -m gdp.studio

studio-test: .venv-studio/.ready-dev
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null 2>&1 && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null 2>&1 || \
	  echo "studio-test: no chromium is here (Debian: apt install chromium); the tests in a browser are skipped"
	OMP_NUM_THREADS=1 .venv-studio/bin/python -m pytest --reruns 2 tests/studio

# Ray on two nodes of this machine, S3 on loopback, sweeps: what they need lies in .venv-cluster, beside all of .venv's packages.
cluster-test: .venv-cluster/.ready-dev
	OMP_NUM_THREADS=1 .venv-cluster/bin/python -m pytest tests/cluster

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

.venv-studio/.ready: setup.cfg setup.py
	@$(PYTHON) -m venv .venv-studio
	.venv-studio/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[studio]'
	@touch $@

.venv-studio/.ready-dev: .venv-studio/.ready
	.venv-studio/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[studio,studio-test]'
	@touch $@

.venv-cluster/.ready-dev: .venv/.ready-dev
	@.venv/bin/python -m venv .venv-cluster
	@.venv/bin/python -c 'import site; print(site.getsitepackages()[0])' > "$$(.venv-cluster/bin/python -c 'import site; print(site.getsitepackages()[0])')/beside.pth"
	.venv-cluster/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[cluster,storage,sweeps,cluster-test]'
	@touch $@

clean:
	rm -rf .venv .venv-studio .venv-cluster build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
