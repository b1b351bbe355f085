"""Fixtures that several rooms share."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from executor.report import recorder
from executor.report.recorder import Recorder
from executor.report.reporter import Reporter
from helpers.index import Index
from helpers.run_logs import Checked, check_event, logs_of_programs

# Nothing is asserted of time: machines differ, and the first draw of a fresh clone builds tables.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")

# A shell ignores SIGINT for what it runs in the background, and programs under test inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SLOW_FOLDERS = {"integration", "property", "builds"}
"""Folders whose tests run whole commands, draw many examples or build packages."""

SLOW_FILES = {"test_packaging.py", "test_lockstream.py", "test_release.py", "test_rules.py"}
"""They build the project's own wheel, start the program, or unpack wheels of some hundred MiB."""

LARGE_FILES = {
    # They make environments and install into them.
    "test_bytecode.py", "test_drift.py", "test_environment.py", "test_execute.py",
    "test_install.py", "test_library.py", "test_command_line.py", "test_completion.py",
    "test_installation_key.py", "test_relocatable.py", "test_report_schema.py",
    # They fill collections with a hundred thousand entries, to measure memory.
    "test_manifest.py", "test_path_set.py",
}  # fmt: skip

SLOW_HELPERS = re.compile(
    r"^from helpers\.(ci_runners|index|networks|pythons|servers) import", re.MULTILINE
)
"""Helpers that start servers or interpreters. A test file that imports one is slow as a whole."""


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "leave out tests that need a server, a build or many examples"
    parser.addoption("--no-servers", action="store_true", help=text)
    parser.addoption(
        "--fast", action="store_true", help=f"{text}, and those that make environments"
    )
    text = "have every program that a test starts write a log, and hold its lines to their schema"
    parser.addoption("--all-logs", action="store_true", help=text)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out slow files before they are imported, which takes a third of the time."""
    is_fast = config.getoption("--fast")
    if not is_fast and not config.getoption("--no-servers"):
        return None
    name = collection_path.name
    if collection_path.is_dir():
        return True if name in SLOW_FOLDERS else None
    if name in SLOW_FILES or (is_fast and name in LARGE_FILES):
        return True
    return True if SLOW_HELPERS.search(collection_path.read_text()) else None


CHECKED = Checked()
"""What this session has held to the schema of logs."""


@pytest.fixture(autouse=True, scope="session")
def _every_event_is_as_the_schema_says() -> Iterator[None]:
    """Every execution of the suite writes a log, and each line of it is held to the schema."""
    encode = recorder._encoded

    def encode_checked(content: Mapping[str, object]) -> bytes:
        line = encode(content)
        check_event(json.loads(line))
        CHECKED.own += 1
        return line

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "_encoded", encode_checked)
        patch.setattr(Reporter, "recorder", Recorder(os.open(os.devnull, os.O_WRONLY)))
        yield


@pytest.fixture(autouse=True)
def _every_event_of_a_program_is_as_the_schema_says(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """So is each line of the logs that a test has programs write."""
    folder = None
    if request.config.getoption("--all-logs"):
        folder = tmp_path_factory.mktemp("logs")
        folder.chmod(0o1777)
    with logs_of_programs(folder) as logs:
        yield
    for path in dict.fromkeys(logs):
        CHECKED.check_log(path)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that runs this one, if there is one, how much was held to the schema."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["checked"] = (CHECKED.own, CHECKED.of_programs, CHECKED.logs)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what another process has held to the schema."""
    own, of_programs, logs = getattr(node, "workeroutput", {}).get("checked", (0, 0, 0))
    CHECKED.own += own
    CHECKED.of_programs += of_programs
    CHECKED.logs += logs


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was held to the schema."""
    if CHECKED.own or CHECKED.of_programs:
        terminalreporter.write_line(
            f"events held to their schema: {CHECKED.own} of these processes, "
            f"{CHECKED.of_programs} of {CHECKED.logs} logs of programs"
        )


PIP_AND_UV = (
    *("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST"),
    *("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
)


@pytest.fixture(autouse=True)
def _no_places_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the places for files that are configured for pip and uv on this machine."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    for variable in PIP_AND_UV:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for the plans of a test: servers on loopback share addresses."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def index() -> Iterator[Index]:
    """A package index, empty and running."""
    with Index() as running:
        yield running
