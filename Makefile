# What a newcomer needs: make run, make test, make check, make fix, make bench.
# Everything is installed into .venv and node_modules, here, and nowhere else.

PORT = 8000

VENV = .venv
BIN = $(VENV)/bin

# The newest Python on the path that the program runs on and that can make environments (Debian packs that part apart).
CAN_MAKE_VENV = import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 14))
PYTHON = $(shell for python in python3.13 python3.12 python3.11 python3.10 python3 python; do \
	$$python -c '$(CAN_MAKE_VENV)' >/dev/null 2>&1 && echo $$python && break; done)

# Hundreds of processes are started by the tests: each would compile the program anew where this is set.
unexport PYTHONDONTWRITEBYTECODE

# The machine's own Node, else the one that comes as a Python package.
WITH_NODE = PATH="$$PATH:$(CURDIR)/$(BIN)"

HAVE_NODE = command -v node >/dev/null && command -v npm >/dev/null || \
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[node]'

# The quick tests first, then the slow ones, two at a time since most of them wait for something, and last what measures.
# Of two that compute, each has one thread: more would only wait for one another.
TEST = $(WITH_NODE) $(BIN)/python -m pytest
TWO = TF_NUM_INTRAOP_THREADS=1 OMP_NUM_THREADS=1 $(TEST) --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: run test check fix bench

run: $(VENV)/installed-to-run
	$(BIN)/python -m visualneurons serve --port $(PORT)

test: $(VENV)/installed-to-develop
	$(HAVE_NODE)
	$(BIN)/python -m tests.browser
	$(TWO) -m "not slow"
	$(TWO) -m "slow and not alone"
	$(TEST) -m alone

check: $(VENV)/installed-to-develop node_modules/installed
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(WITH_NODE) node node_modules/typescript/bin/tsc

fix: $(VENV)/installed-to-develop
	$(BIN)/python -m ruff check --fix-only
	$(BIN)/python -m ruff format

bench: $(VENV)/installed-to-develop
	$(BIN)/python -m benchmarks

$(VENV)/made:
	@"$(PYTHON)" -c '$(CAN_MAKE_VENV)' 2>/dev/null || { echo "VisualNeurons needs Python 3.10 to 3.13 with venv:" \
		"install one (Debian, Ubuntu: apt install python3-venv; macOS: brew install python@3.13)" \
		"or name yours: make PYTHON=/path/to/python3." >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	touch $@

$(VENV)/installed-to-run: $(VENV)/made setup.py pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[cpu]'
	touch $@

# Of the libraries that the tests need, much is never imported, and Python compiles itself what is.
$(VENV)/installed-to-develop: $(VENV)/made setup.py pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile --editable '.[cpu,dev]'
	touch $@

node_modules/installed: $(VENV)/made package.json package-lock.json
	$(HAVE_NODE)
	$(WITH_NODE) npm ci
	touch $@
