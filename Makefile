# The same verbs for people and CI. Each sets itself up on a fresh machine: Python 3.11+ and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n)
APT := DEBIAN_FRONTEND=noninteractive timeout 300 apt-get
CHROMIUM := @command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { $(AS_ROOT) env $(APT) update -q && $(AS_ROOT) env $(APT) install -qy --no-install-recommends chromium; } \
	|| echo "Chromium is not here and could not be installed: the tests of the page are skipped. As root: apt-get install chromium"

.PHONY: demo test test-all test-browser test-milvus test-milvus-all test-ray check check-page bench clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	touch $@

demo: $(READY)  ## make clips, train, index, evaluate, search
	$(BIN)/bitreel demo --output demo

test: $(READY)  ## the fast lane
	$(BIN)/python -m pytest -n auto -m "not slow and not browser and not milvus and not ray"

test-all: $(READY)  ## everything
	$(BIN)/python -m pytest -n auto -m "not browser and not milvus and not ray"

test-browser: $(READY)  ## the page in Chromium, which it installs where it may
	$(CHROMIUM)
	$(BIN)/python -m pytest -m browser tests/browser

# The server wants packages of other versions than ours, hence a place of its own.
.milvus/.ready: Makefile
	$(PYTHON) -m venv .milvus
	.milvus/bin/python -m pip install --quiet --disable-pip-version-check milvus==2.3.5
	touch $@

test-milvus: $(READY) .milvus/.ready  ## libraries on a Milvus server, which it starts and stops
	$(BIN)/python -m pytest -m "milvus and not slow"

test-milvus-all: $(READY) .milvus/.ready  ## and all that takes longer
	$(BIN)/python -m pytest -m milvus

test-ray: $(READY)  ## encoding with Ray, of which it installs 270 MB
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[ray]'
	$(BIN)/python -m pytest -m ray

check: $(READY)  ## format, lint, types, one-way imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-page:  ## the types of the page, by TypeScript (wants npm)
	npx --yes --package typescript@7 tsc --project jsconfig.json

bench: $(READY)  ## the tables of the README; DATA=labelled videos, CODES=folder of published codes
	$(BIN)/python benchmarks/seed_table.py $(DATA)
	$(BIN)/python benchmarks/motion.py
	$(if $(DATA),$(BIN)/python benchmarks/recipe.py $(DATA) --query)
	$(BIN)/python benchmarks/search.py --quick $(if $(CODES),--codes $(CODES))
	$(if $(CODES),$(BIN)/python benchmarks/asymmetric.py $(CODES))

clean:
	rm -rf $(VENV) .milvus demo
