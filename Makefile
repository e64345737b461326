# `make help` lists the targets. Everything is set up in .venv on first use; needed on
# the machine: Python >= 3.11, Go (version in go.mod), a C compiler, make.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
DIST := dist
# The wheel that is built for this machine; others may lie beside it.
NATIVE = $(DIST)/*-$(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_platform().translate({45: 95, 46: 95}))').whl
FUZZTIME ?= 10s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

SOURCES := go.mod go.sum pyproject.toml setup.py MANIFEST.in \
  $(shell find engine capi python -name '*.go' -o -name '*.[ch]' -o -name '*.map' \
    -o -name '*.py' -o -name '*.pyi' -o -name '*.yaml')
GO_FILES := $(shell find engine capi -name '*.go')

.DEFAULT_GOAL := help
.PHONY: help demo test install ci lint fmt test-go test-python fuzz mutants soak matrix e2e docs bench bench-engine wheel wheels verify-wheels sdist record-contract clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## show the plugin retrying real HTTP tools, with a timeline
	@$(PY) demo

test: test-go test-python ## run every test against the built wheel

install: ## build and install into the Python that is active
	$(PYTHON) -m pip install .

ci: lint test fuzz matrix demo e2e ## what CI runs

test-go: ## Go tests with the race detector
	go test -race ./...

test-python: $(VENV)/installed ## Python tests against the installed wheel
	$(PY) -m pytest

fuzz: ## each Go fuzz target for FUZZTIME (10s)
	@for target in $$(grep -ho 'func Fuzz[A-Za-z]*' engine/*_test.go | cut -d' ' -f2); do \
	  echo "fuzz $$target for $(FUZZTIME)"; \
	  go test ./engine -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) || exit 1; \
	done

mutants: $(VENV)/installed ## take each protection out once; a test must notice
	$(PY) tests/mutants.py

soak: $(VENV)/installed ## three minutes of everything, with memory and threads watched
	SOAK_SECONDS=180 $(PY) -m pytest -s tests/faults/test_bounded.py -k soak

matrix: $(VENV)/installed ## the tests with every Python, cpex and pydantic that is supported
	$(PY) tests/matrix.py $(NATIVE)

e2e: $(VENV)/installed ## the plugin in the real gateway, with real flaky servers
	$(PY) tests/gateway $(NATIVE)

docs: $(VENV)/installed ## write docs/cli.md, its pictures and the JSON schemas anew
	$(PY) docs/generate.py

bench: $(VENV)/installed ## ours and both upstream wheels side by side; results go to .cache/bench/results
	$(PY) -m pip install --quiet --disable-pip-version-check matplotlib
	$(PY) benchmarks/run.py $(NATIVE) $(BENCH)

bench-engine: ## the engine alone, for benchstat
	go test ./engine -run '^$$' -bench . -benchmem -count 6

lint: $(VENV)/tools ## gofmt, go vet, staticcheck, ruff, mypy --strict
	@test -z "$$(gofmt -l $(GO_FILES))" || { echo "gofmt: run make fmt for"; gofmt -l $(GO_FILES); exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

fmt: $(VENV)/tools ## format Go and Python
	gofmt -w $(GO_FILES)
	$(VENV)/bin/ruff check --fix-only -q .
	$(VENV)/bin/ruff format .

wheel: $(VENV)/wheel ## build the wheel for this machine into dist/

wheels: $(VENV)/wheel $(VENV)/cross sdist ## build the wheels of all platforms into dist/
	rm -f $(DIST)/*-cp311-abi3-manylinux* $(DIST)/*-win_amd64.whl $(DIST)/*-macosx*
	$(PY) wheels/cross.py --native $(NATIVE) --dist $(DIST)

verify-wheels: $(VENV)/cross ## look into the wheels of all platforms, and run what can be run here
	$(PY) wheels/verify.py $(DIST)
	$(PY) wheels/foreign.py $(DIST)
	$(PY) wheels/reproduce.py
	$(PY) wheels/smoke.py $(DIST)

sdist: $(VENV)/tools ## build the source archive into dist/
	$(PY) -m build --sdist --outdir $(DIST) .

record-contract: ## record the contract vectors from the upstream wheels again
	$(PYTHON) tests/contract/record.py

clean: ## remove everything that was built or installed here
	rm -rf $(VENV) .cache build $(DIST) python/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: what has been installed into the environment, and from what.

$(VENV)/tools: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt "cpex<0.2"
	@touch $@

$(VENV)/wheel: $(VENV)/tools $(SOURCES)
	rm -rf build $(NATIVE)
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(DIST) .
	@touch $@

$(VENV)/cross: $(VENV)/tools wheels/requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r wheels/requirements.txt
	@command -v x86_64-w64-mingw32-gcc > /dev/null || { \
	  echo "mingw is missing: apt-get install gcc-mingw-w64-x86-64"; exit 1; }
	@touch $@

$(VENV)/installed: $(VENV)/wheel
	$(PY) -m pip install --quiet --disable-pip-version-check $(NATIVE)
	$(PY) -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps $(NATIVE)
	@touch $@
