"""The log of a run: whole lines, in every end, and silence where it cannot be written."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from executor.report import recorder as recorder_module
from executor.report.recorder import Recorder
from schemas.errors import UsageError


def warn(recorder: Recorder, text: str) -> None:
    recorder.event("warning", text=text)


def texts(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text().splitlines()]


def test_an_event_is_in_the_file_at_once(tmp_path: Path) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    warn(recorder, "one")
    assert texts(tmp_path / "log") == ["one"]
    warn(recorder, "two")
    assert texts(tmp_path / "log") == ["one", "two"]
    recorder.close()
    warn(recorder, "three")
    assert texts(tmp_path / "log") == ["one", "two"]


def test_an_older_log_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "log").write_text('{"event":"run","at":0}\n')
    warn(Recorder.opened(str(tmp_path / "log")), "new")
    assert texts(tmp_path / "log") == ["new"]


@pytest.mark.parametrize("older", ["", "{", '{"event":"ru'])
def test_an_older_log_may_be_torn(tmp_path: Path, older: str) -> None:
    (tmp_path / "log").write_text(older)
    warn(Recorder.opened(str(tmp_path / "log")), "new")
    assert texts(tmp_path / "log") == ["new"]


def test_another_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text('lock-version = "1.0"\n')
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(UsageError) as caught:
        Recorder.opened(str(path))
    assert str(caught.value) == f"--log {path}: this file is there already, and is no log"
    assert path.read_text() == 'lock-version = "1.0"\n'
    assert len(os.listdir("/proc/self/fd")) == before


def test_one_that_is_not_opened_writes_nothing() -> None:
    recorder = Recorder()
    warn(recorder, "x")
    assert not recorder.is_on
    assert not recorder.is_heard
    recorder.listener = lambda *_: None
    assert recorder.is_heard
    assert recorder.failure() is None


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    children = []
    for number in range(4):
        if (pid := os.fork()) == 0:
            for _ in range(200):
                warn(recorder, str(number) * 3000)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    found = texts(tmp_path / "log")
    assert sorted(found) == sorted(str(number) * 3000 for number in range(4) for _ in range(200))


@pytest.mark.parametrize("text", ["x" * 9000, "ü" * 9000, "\x00" * 9000, "\udcff" * 9000])
def test_a_line_fits_into_a_pipe_whatever_it_says(tmp_path: Path, text: str) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    warn(recorder, text)
    line = (tmp_path / "log").read_bytes()
    assert len(line) <= 4096
    assert text.startswith(json.loads(line)["text"].removesuffix("…"))


def test_a_path_may_have_any_bytes(tmp_path: Path) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    warn(recorder, os.fsdecode(b"/tmp/\xff\n"))
    assert texts(tmp_path / "log") == [os.fsdecode(b"/tmp/\xff\n")]


@pytest.mark.parametrize(
    "text",
    [
        "https://user:s3cret@h.example/x",
        "user:s3cret@h.example/x",
        "AUTHORIZATION: Basic s3cret",
        'says "HTTP://a:s3cret@b/"',
    ],
)
def test_secrets_are_hidden_wherever_an_event_has_them(tmp_path: Path, text: str) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    warn(recorder, text)
    recorder.event("limits", found=[{"source": text, "available": 1, "others": 0}])
    lines = (tmp_path / "log").read_text()
    assert "s3cret" not in lines
    assert lines.count("***") == 2


def test_a_reader_that_is_gone_is_told_of_once() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    recorder = Recorder(writing)
    assert recorder.is_on
    for _ in range(3):
        warn(recorder, "x")
    assert not recorder.is_on
    failure = recorder.failure()
    assert failure is not None
    assert failure.startswith("the log could not be written to its end")
    assert recorder.failure() is None
    recorder.close()


def test_what_a_fork_cannot_write_its_parent_tells_of() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    recorder = Recorder(writing)
    if (pid := os.fork()) == 0:
        warn(recorder, "x")
        os._exit(0)
    os.waitpid(pid, 0)
    assert not recorder.is_on
    assert recorder.failure() is not None
    recorder.close()


def test_a_full_disk_ends_the_log_and_nothing_else() -> None:
    recorder = Recorder(os.open("/dev/full", os.O_WRONLY))
    warn(recorder, "x")
    assert recorder.failure() is not None
    recorder.close()


def test_a_file_that_cannot_be_written_is_an_error_before_the_run(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "log"
    with pytest.raises(UsageError) as caught:
        Recorder.opened(str(path))
    assert str(caught.value) == f"--log {path}: cannot be written: No such file or directory"
    assert caught.value.hint == "name a file in a folder that exists and may be written to"


def test_a_pipe_without_a_reader_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="cannot be written"):
        Recorder.opened(str(tmp_path / "pipe"))


def test_a_pipe_that_is_not_read_does_not_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_PATIENCE", 0.2)
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    recorder = Recorder.opened(str(tmp_path / "pipe"))
    began = time.monotonic()
    for _ in range(100):
        warn(recorder, "x" * 3000)
    assert not recorder.is_on
    assert time.monotonic() - began < 5
    assert recorder.failure() is not None
    recorder.close()
    os.close(reading)


def test_a_slow_reader_of_a_pipe_gets_every_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    found: list[bytes] = []

    def read() -> None:
        while data := os.read(reading, 50_000):
            time.sleep(0.01)
            found.append(data)

    reader = threading.Thread(target=read)
    recorder = Recorder.opened(str(tmp_path / "pipe"))
    reader.start()
    for number in range(200):
        warn(recorder, f"{number}" + "x" * 3000)
    recorder.close()
    reader.join()
    os.close(reading)
    lines = b"".join(found).splitlines()
    assert [int(json.loads(line)["text"].rstrip("x")) for line in lines] == [*range(200)]
