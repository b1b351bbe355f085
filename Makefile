# Every target makes the environment that it needs: .venv/, or .demo/ for the demo.
#
# make demo      plan and execute an environment of 100 packages in .demo/
# make fast      the tests that need no server and no build: half a minute
# make test      lint, types and all tests, in as many processes as there are processors: a quarter of an
#                hour on two; TESTS='--numprocesses 0' for one process, with its output at once
# make pythons   the fast tests on each of Python 3.11, 3.12 and 3.13 that is found
# make lowest    the fast tests with the oldest versions of the dependencies that pyproject.toml allows;
#                LOWEST= for all tests, LOWEST=--all-logs for all with a log of each program
# make servers   plan and execute with real index servers (pypiserver, devpi and others) in .servers/
# make coverage  branch coverage of the tests that need no server and no build; fails below the figure
#                in pyproject.toml. COVERED= for all tests: more than an hour
#
# make pyz       lockstream.pyz in dist/: execute, and what it requires, in one file (docs/one-file.md)
# make release   all that a release publishes, in dist/, checked; RELEASE=--complete for a real one
#
# make docs      the site of docs/ in .site/; a warning or a broken link is an error
#
# Measurements (docs/benchmarks.md, docs/builds.md):
# make pages     pages of runs in Debian's Chromium; SCREENSHOTS=FOLDER keeps pictures of them
# make peers     one lock, compared with uv and pip (Linux, root, uv); CORPUS=data-service for another
# make answers   the scenarios of packse, and 46 sets of requirements planned by lockstream and uv:
#                versions and processor seconds (network, half an hour); ANSWERS='cloud-aws' for some
# make bench     time and memory of lockstream, uv and pip (Linux, root, nginx), written to
#                benchmarks/results/; hours. A short run: ROUNDS=1 BENCH='--only peers --corpus ci-tools'
# make bench-quick  calls, instructions and processor time of this commit and of the last release; fails
#                if they rise by 5 %: some minutes. BENCH='--before REVISION' for another
# make clusters  builds on Dask workers in small control groups, and after kills of each part (Linux,
#                root, gcc): half an hour; CLUSTERS='--only kills --kills 3'
# make slurm     builds through a Slurm of one node (Linux, root, gcc, slurm-wlm)
# make builds    build real packages from source (gcc, headers, Rust), and compare the predicted with
#                the measured memory; BUILDS='--only docopt,pyyaml' for some
#
# Tests that take minutes to hours (docs/safety.md):
# make soak      kill, fail and power off executions at every system call that changes something
#                (Linux, root, strace, mkfs.ext4); an hour. A short run: SOAK='kills --every 10'
# make accepted 300 random executions in control groups of 24 to 128 MiB (Linux, root)
# make containers
#                executions in real containers of 32 to 128 MiB (Linux, root, podman, runc, debootstrap)
# make guest     executions in a virtual machine with control groups of version 2 (Linux, root, QEMU);
#                an hour. A short run: GUEST='--limits 32 64 --kinds container'
# make hostile   1,500 hostile wheels, and what lockstream, uv and pip do with them
# make attack    all that is hostile: wheels, colliding paths, readers, secrets, builds; half an hour,
#                with a summary and an exit code; ATTACK='--only destinations,hostile' for some
# make ends      1,000 runs in random surroundings (variables, limits, closed streams): each must end
#                with a known exit code and no traceback; ENDS='--runs 100 --seed 7'
# make image     build examples/image and Dockerfiles that use it by Buildah, and run them (Linux, root)
# make one-file  lockstream.pyz: size, start, smallest limit; real locks in 32 MiB and in containers, their
#                trees compared (Linux, root, nginx, podman): an hour; ONEFILE='--only cost' for some
# make stranger  what the pages for GitHub, GitLab, one file and monorepos tell, done literally, until the
#                job is green, with a lock that uv exported (network, git): some minutes
# make growth    processor time of each parser of foreign text at 1, 10 and 100 times a length
# make signals   500 signals at random moments of executions, plans and builds; half an hour.
#                SIGNALS='--runs 50 --only execute'
# make network   60 faults of servers and proxies, in real time: 15 minutes, mostly of waiting
# make fuzz      look for bytes that break a reader of locks, wheels or answers, for SECONDS=60;
#                FUZZ='--reader lock' for one reader
# make real      download real wheels (2 GB), install and compare them; WHEELS=FOLDER for others

# python3 if it is 3.11 or newer, else the newest such Python on the PATH.
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

SOURCES := lockstream.py $(shell find schemas planner executor -name '*.py')
PACKED := $(shell find .ci/release -name '*.py')
PIP := python -m pip --quiet --quiet --disable-pip-version-check

# More options of `python -m release.pyz` and `release.build`.
PYZ :=
RELEASE :=
LOWEST := --fast
TESTS :=
# Tests of what a release bundles, which is of exact versions.
EXACT := test_pyz.py test_release.py
IMAGE :=
CORPUS := ci-tools
ROUNDS := 5
BENCH :=
COVERED := --no-servers
BUILDS :=
CLUSTERS :=
SOAK :=
ATTACK :=
ACCEPTED :=
SCREENSHOTS :=
GUEST :=
ONEFILE :=
STRANGER :=
SECONDS := 60
FUZZ :=
SIGNALS :=
WHEELS := --odd --corpora benchmarks/work/wheels
ANSWERS :=

.PHONY: answers clusters slurm one-file stranger demo fast test lint types pythons lowest servers pages coverage peers bench bench-quick builds soak ends hostile \
	attack accepted containers guest docs network signals growth fuzz real python clean
.DELETE_ON_ERROR:

demo: .demo/pylock.toml
	.demo/venv/bin/lockstream execute .demo/pylock.toml --venv .demo/env

fast: .venv/made
	.venv/bin/python -m pytest --quiet --fast

# Without byte code, limits of memory are others until each module was imported.
test: lint types
	.venv/bin/python -m compileall -q lockstream.py schemas planner executor
	.venv/bin/python -m pytest --numprocesses auto --dist worksteal $(TESTS)

.PHONY: pyz release image-files image
pyz: dist/lockstream.pyz

dist/lockstream.pyz: .venv/made $(PACKED) $(SOURCES)
	.venv/bin/python -m release.pyz --output $@ $(PYZ)

release: .venv/made
	.venv/bin/python -m release.build $(RELEASE)

image: .venv/made
	.venv/bin/python -m stress.image $(IMAGE)

# The folder that examples/image/Containerfile copies from.
image-files: .venv/made
	rm -rf dist/image
	.venv/bin/python -m release.pyz --output dist/image/lockstream.pyz \
		--unpacked dist/image/lockstream $(PYZ)

lint: .venv/made
	.venv/bin/ruff check
	.venv/bin/ruff format --check

types: .venv/made
	.venv/bin/mypy

pythons:
	.ci/pythons

lowest: .venv/made
	.venv/bin/uv venv --quiet --clear --seed --python .venv/bin/python .lowest
	.venv/bin/uv pip install --quiet --python .lowest --resolution lowest-direct --compile-bytecode \
		--editable '.[fast,windows]' --group test
	ln -sf $(addprefix ../../.venv/bin/,check-jsonschema mypy pre-commit ruff zizmor) .lowest/bin/
	.lowest/bin/python -m pytest --quiet $(LOWEST) $(EXACT:%=--ignore=tests/%)

pages: .venv/made
	command -v chromium >/dev/null || apt-get install --quiet=2 --yes chromium
	.venv/bin/$(PIP) install --group browser
	SCREENSHOTS='$(SCREENSHOTS)' .venv/bin/python -m pytest -m browser tests/browser

servers: .venv/made
	.venv/bin/uv venv --quiet --clear --python .venv/bin/python .servers
	.venv/bin/uv pip install --quiet --python .servers --group servers
	.venv/bin/python -m pytest -m servers tests/integration/test_index_servers.py

docs: .venv/made
	.venv/bin/uv venv --quiet --clear --python .venv/bin/python .docs
	.venv/bin/uv pip install --quiet --python .docs --group docs
	NO_MKDOCS_2_WARNING=1 .docs/bin/python -m mkdocs build --quiet --config-file .ci/site/mkdocs.yml

# A failing test does not stop it: some tests of memory fail when each line is traced. Tests of crashes
# are never traced: they run the same lines in thousands of forks, which takes more than an hour.
coverage: .venv/made
	.venv/bin/$(PIP) install --group coverage
	mkdir -p .coverage-data
	.venv/bin/coverage erase
	-.venv/bin/coverage run -m pytest --quiet $(COVERED) $(addprefix --ignore=tests/integration/test_, \
		crashes.py disk_errors.py power.py)
	.venv/bin/coverage combine --quiet
	.venv/bin/coverage report --skip-covered --sort=cover

peers: .venv/made
	.venv/bin/python -m benchmarks.peers.one_corpus --corpus $(CORPUS)

answers: .venv/made
	.venv/bin/python -m benchmarks.planning.packse_scenarios
	.venv/bin/python -m benchmarks.planning.compare_with_uv $(ANSWERS)

bench: .venv/made
	.venv/bin/python -m benchmarks.peers --rounds $(ROUNDS) $(BENCH)

bench-quick: .venv/made
	.venv/bin/python -m benchmarks.regression $(BENCH)

clusters: .venv/made
	.venv/bin/python -m stress.cluster $(CLUSTERS)

slurm: .venv/made
	.venv/bin/python -m stress.slurm

builds: .venv/made
	.venv/bin/python -m benchmarks.builds $(BUILDS)

soak: .venv/made
	.venv/bin/python -m stress.soak $(SOAK)

ends: .venv/made
	.venv/bin/python -m stress.ends $(ENDS)

attack: .venv/made
	.venv/bin/python -m stress.attack $(ATTACK)

hostile: .venv/made
	.venv/bin/python -m stress.hostile

fuzz: .venv/made
	-.venv/bin/$(PIP) install --group fuzz
	.venv/bin/python -m stress.fuzz --seconds $(SECONDS) $(FUZZ)

growth: .venv/made
	.venv/bin/python -m stress.growth

signals: .venv/made
	.venv/bin/python -m stress.signals $(SIGNALS)

network: .venv/made
	.venv/bin/python -m stress.network

accepted: .venv/made
	.venv/bin/python -m stress.accepted $(ACCEPTED)

containers: .venv/made
	.venv/bin/python -m stress.containers

one-file: .venv/made
	.venv/bin/python -m stress.one_file $(ONEFILE)

stranger: .venv/made
	.venv/bin/python -m stress.stranger $(STRANGER)

guest: .venv/made
	.venv/bin/python -m stress.guest $(GUEST)

real: .venv/made
	.venv/bin/python -m stress.real_wheels $(WHEELS)

clean:
	rm -rf .demo dist .venv .pythons .lowest .servers .docs .site .coverage-data

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
