# make demo   plan and execute an environment of 100 packages in .demo/
# make test   lint, types and tests, in .venv/
# make peers  compare with uv and pip (Linux, root, uv on the PATH); CORPUS=data-service for another
# make bench  time and memory beside uv and pip, from a local mirror (also nginx), into
#             benchmarks/results/; hours: ROUNDS=1 BENCH='--only peers --corpus ci-tools' is short
# make builds build real packages from source (also gcc, headers, Rust), and hold what was foretold
#             to what is found; BUILDS='--only docopt,pyyaml' for some
# make soak   kill, fail and power off executions at every call that changes something (Linux, root,
#             strace, mkfs.ext4); an hour: SOAK='kills --every 10' is short
# make hostile  1,500 hostile wheels, and what lockstream, uv and pip make of them
# make real   install real wheels, which it downloads (2 GB), and compare; WHEELS=FOLDER for others
# make network  60 faults of servers and proxies, in real time (about 15 minutes of waiting)
# make fuzz   look for bytes that break a reader of locks, wheels or answers, for SECONDS=60; FUZZ='--reader lock' for one

# The oldest Python that the project runs on is 3.11: python3 if it will do, else a newer one.
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

SOURCES := lockstream.py $(shell find schemas planner executor -name '*.py')
PIP := python -m pip --quiet --quiet --disable-pip-version-check

CORPUS := ci-tools
ROUNDS := 5
BENCH :=
BUILDS :=
SOAK :=
SECONDS := 60
FUZZ :=
WHEELS := --odd --corpora benchmarks/work/wheels

.PHONY: demo test lint types peers bench builds soak hostile network fuzz real python clean
.DELETE_ON_ERROR:

demo: .demo/pylock.toml
	.demo/venv/bin/lockstream execute .demo/pylock.toml --venv .demo/env

test: lint types
	.venv/bin/python -m pytest

lint: .venv/made
	.venv/bin/ruff check
	.venv/bin/ruff format --check

types: .venv/made
	.venv/bin/mypy

peers: .venv/made
	.venv/bin/python -m benchmarks.peers.one_corpus --corpus $(CORPUS)

bench: .venv/made
	.venv/bin/python -m benchmarks.peers --rounds $(ROUNDS) $(BENCH)

builds: .venv/made
	.venv/bin/python -m benchmarks.builds $(BUILDS)

soak: .venv/made
	.venv/bin/python -m stress.soak $(SOAK)

hostile: .venv/made
	.venv/bin/python -m stress.hostile

fuzz: .venv/made
	-.venv/bin/$(PIP) install --group fuzz
	.venv/bin/python -m stress.fuzz --seconds $(SECONDS) $(FUZZ)

network: .venv/made
	.venv/bin/python -m stress.network

real: .venv/made
	.venv/bin/python -m stress.real_wheels $(WHEELS)

clean:
	rm -rf .demo .venv

.demo/pylock.toml: examples/ci-tools/requirements.in .demo/venv/made
	.demo/venv/bin/lockstream plan -r $< -o $@

.demo/venv/made: pyproject.toml $(SOURCES) | python
	@$(PYTHON) -m venv .demo/venv
	.demo/venv/bin/$(PIP) install .
	@touch $@

# pip reads dependency groups from version 25.1 on.
.venv/made: pyproject.toml | python
	@$(PYTHON) -m venv .venv
	.venv/bin/$(PIP) install --upgrade 'pip>=25.1'
	.venv/bin/$(PIP) install --editable . --group dev
	@touch $@

python:
	@test -n '$(PYTHON)' || \
	{ echo 'There is no Python 3.11 or newer on the PATH (python3, python3.11 ... python3.14).'; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo '$(PYTHON) cannot make environments: install python3-venv (Debian, Ubuntu).'; exit 1; } >&2
