# One word per task, the same here and in .ci/run. Needs Python 3.11 or newer with venv, and make.

PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
STAMPS = .venv/stamps
ASSETS = $(wildcard static/src/*) static/hatch_build.py static/package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run test test-peers check bench lock clean

help:  ## what can be asked for
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: $(STAMPS)/run $(STAMPS)/fedcat  ## install, harvest the example sources, serve them on http://127.0.0.1:8000
	@exec $(BIN)/fedcat demo

test: $(STAMPS)/test $(STAMPS)/fedcat  ## every test that needs no server; ARGS="-k words" for some of them
	$(BIN)/python -m pytest -m "not peers" $(ARGS)

test-peers: $(STAMPS)/test $(STAMPS)/fedcat  ## the tests against real servers: PostgreSQL, Redis, CKAN
	@if [ -f tests/peers/install.sh ]; then sh tests/peers/install.sh; fi
	$(BIN)/python -m pytest -m peers tests/peers $(ARGS)

check: $(STAMPS)/test $(STAMPS)/fedcat  ## ruff, mypy --strict, who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMPS)/run $(STAMPS)/fedcat  ## how fast it is; QUICK=1 ends within two minutes
	$(BIN)/python -m catalogue.bench $(if $(filter 1,$(QUICK)),--quick)

lock: $(STAMPS)/run  ## write the lock files anew; UPGRADE=1 takes the newest of everything
	$(PIP) uv
	$(BIN)/python .ci/lock.py $(if $(filter 1,$(UPGRADE)),--upgrade)

clean:  ## remove what was installed and built; ./var, your data, stays
	rm -rf .venv static/dist static/node_modules tests/node_modules tests/.browser tests/.run dist build .mypy_cache .ruff_cache

# Installing. A stamp is as new as the last time its inputs were installed, so a second run installs nothing.

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "fedcat needs Python 3.11 or newer; $(PYTHON) is not. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "python3-venv is missing; on Debian/Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv"
	@$(PYTHON) -m venv .venv

$(STAMPS)/run: .ci/requirements.txt | $(BIN)/pip
	@echo "Installing what fedcat needs: once, about a minute"
	@$(PIP) --require-hashes -r .ci/requirements.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/test: .ci/requirements-test.txt | $(STAMPS)/run
	@echo "Installing what the tests need: once, about a minute"
	@$(PIP) --require-hashes -r .ci/requirements-test.txt
	@touch $@

$(STAMPS)/fedcat: pyproject.toml $(ASSETS) | $(STAMPS)/run
	@echo "Installing fedcat and building its front-end assets"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
