"""Secrets and escape sequences are planted wherever others write text: none reaches a terminal.

Every error of both phases is made with them, and printed by the program; so is every message of a
plan and an execution.
"""

from __future__ import annotations

import inspect
import json
import os
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import executor
import lockstream
import planner
import schemas
from executor import Reporter as ExecutionReporter
from executor import echo, echo_json
from executor.report.recorder import Recorder
from planner.cli.console import ConsoleReporter
from planner.planning.reporter import Reporter as PlanReporter
from schemas import data_class
from schemas.errors import InvalidLockText, LockstreamError
from schemas.text import printable
from schemas.urls import has_unquoted_login, hidden, redacted

SECRET = "s3cr3tPLANTED"

LOGINS = (
    f"https://user:{SECRET}@host.example/simple/",
    f"https://{SECRET}@host.example/simple/",
    f"https://user:p@ss/{SECRET}#rd@host.example/simple",
    f"https://user:p/{SECRET}@host.example/simple",
    f"https://user:p?{SECRET}@host.example/simple",
    f"https://user:p#{SECRET}@host.example/simple",
    f"https://user:p {SECRET}@host.example/simple",
    f"https://user:p%40{SECRET}@host.example/simple",
    f"git+https://user:{SECRET}@host.example/demo.git@main#egg=demo",
    f"git+ssh://user:p@{SECRET}/x@host.example/demo.git@main",
)
SIGNED = tuple(
    f"https://host.example/demo-1.0-py3-none-any.whl?{query}"
    for query in (
        f"X-Amz-Credential={SECRET}&X-Amz-Signature={SECRET}",  # Amazon S3
        f"AWSAccessKeyId=a&Signature={SECRET}&Expires=1",  # Amazon S3, the older form
        f"Policy={SECRET}&Signature={SECRET}&Key-Pair-Id=a",  # CloudFront
        f"X-Goog-Algorithm=a&X-Goog-Signature={SECRET}",  # Google Cloud Storage
        f"GoogleAccessId=a&Signature={SECRET}",  # Google Cloud Storage, the older form
        f"sv=2024-01-01&sr=b&sp=r&sig={SECRET}",  # Azure
        f"X-JFrog-Art-Api={SECRET}",  # Artifactory
        f"private_token={SECRET}",  # GitLab
        f"job_token={SECRET}",
        f"access_token={SECRET}",
        f"a=b;token={SECRET}",
        f"%74oken={SECRET}",
    )
)
HEADERS = (f"Authorization: Basic {SECRET}", f"'Authorization': 'Bearer {SECRET}'")
SECRETS = (*LOGINS, *SIGNED, *HEADERS)

ESCAPES = (
    "\x1b]0;title\x07", "\x1b[2J", "\x1b]52;c;Y2F0\x07", "\x9b2J", "\x9d0;title\x9c", "\x90q\x9c",
    "\u202eright to left", "\u2066isolate\u2069", "zero\u200bwidth\ufeff", "\x00", "\x7f", "\b\b\b",
    "first\rsecond", "first\x0bsecond\x0cthird", "first\x85second", "first\u2028second", "a\tb",
    "\ud800half\udfff", "\U000e0041tag", "x" * 100_000, "first\nerror: a forged message",
    "first\r\nhint: a forged hint", "\n" * 100,
    "::set-output name=a::b", "first\n::add-mask::b", "first\r\n   ::stop-commands::b",
    "##[add-path]a", "##vso[task.setvariable variable=a]b", "first\n##teamcity[message text='b']",
)  # fmt: skip


COMMAND = re.compile(r"^\s*::[a-z]|##(?:[a-z]+ *)?\[", re.IGNORECASE | re.MULTILINE)
"""What runners of jobs take for a command to them."""


class Anything(str):
    """Stands for any object in an error: a text, a number, a list, an object of such attributes."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> Anything:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter([self, self])

    def items(self) -> list[tuple[Anything, Anything]]:
        return [(self, self)]

    def __getitem__(self, _: object) -> Any:
        return self

    def __format__(self, _: str) -> str:
        return str.__str__(self)

    def __index__(self) -> int:
        return 1

    __int__ = __index__

    def __float__(self) -> float:
        return 1.0

    def __lt__(self, other: object) -> bool:
        return isinstance(other, str) and str.__lt__(self, other)

    __gt__ = __le__ = __ge__ = __lt__

    def __add__(self, other: object) -> Any:
        return str.__add__(self, other) if isinstance(other, str) else 1

    def __sub__(self, _: object) -> int:
        return 1

    __radd__ = __rsub__ = __truediv__ = __rtruediv__ = __floordiv__ = __rshift__ = __sub__


def modules() -> Iterator[Any]:
    for package in (executor, planner, schemas):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name != "executor.builds.launcher":  # a program that runs when it is imported
                yield import_module(found.name)


def errors(kind: type[LockstreamError] = LockstreamError) -> Iterator[type[LockstreamError]]:
    for one in kind.__subclasses__():
        if one.__module__.partition(".")[0] in {"executor", "planner", "schemas"}:
            yield one
            yield from errors(one)


ALL_MODULES = list(modules())
ERRORS = sorted(
    {kind for kind in errors() if kind is not InvalidLockText},
    key=lambda kind: f"{kind.__module__}.{kind.__qualname__}",
)


def value_for(annotation: object, text: str) -> object:
    """Return a value of the annotated type that says ``text``."""
    spelled = annotation if isinstance(annotation, str) else str(annotation)
    if annotation is str or spelled == "str" or spelled.startswith("str |"):
        return text
    if spelled in {"int", "float", "bool"} or spelled.startswith(("int |", "float |")):
        return 1
    if spelled.startswith(("Mapping", "dict", "collections.abc.Mapping")):
        return {text: Anything(text)}
    if spelled.startswith(("tuple", "list", "set", "frozenset", "Sequence", "Iterable", "Coll")):
        several = re.search(r"\[(tuple|Sequence|list)", spelled)
        return [(Anything(text),) * 2] * 2 if several else [Anything(text)] * 2
    return Anything(text)


FIXED: dict[tuple[str, str], object] = {
    ("BuildKilled", "reason"): "time",
    # Of a file in .lockstream; its hint names the folder, which no address is.
    ("JournalRefused", "path"): "/home/\x1b[2J/.lockstream/journal",
}
"""Fields that are no text of others."""


def made(kind: type[LockstreamError], text: str) -> LockstreamError:
    """Return an error of this kind, all of whose texts are ``text``."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    begins: object = kind.__init__
    if begins is data_class._init:  # whose signature names no field
        for one in fields(kind):  # type: ignore[arg-type]  # a dataclass, as its __init__ says
            if one.init:
                named[one.name] = FIXED.get((kind.__name__, one.name), value_for(one.type, text))
        return kind(**named)
    try:
        parameters = inspect.signature(kind).parameters
    except ValueError:  # a kind of errors that takes what all exceptions take
        return kind(text)
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.append(text)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = FIXED.get((kind.__name__, name), value_for(parameter.annotation, text))
        elif parameter.kind is not parameter.VAR_KEYWORD:
            value = FIXED.get((kind.__name__, name), value_for(parameter.annotation, text))
            positional.append(value)
    return kind(*positional, **named)


def check_shown(shown: str, what: object) -> None:
    """Nothing in ``shown`` is a secret, or is obeyed by a terminal; no line is forged."""
    assert SECRET not in shown, (what, shown[:300])
    lines = shown.split("\n")
    assert all(line.isprintable() for line in lines), (what, shown[:300])
    assert not COMMAND.search(shown), (what, shown[:300])
    for line in lines[1:]:
        assert not line or line.startswith(("  ", "hint: ")), (what, line[:300])
        assert "forged hint" not in line or line.startswith("  "), (what, line[:300])


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__qualname__)
def test_no_error_shows_a_secret_or_commands_a_terminal(
    kind: type[LockstreamError], capfd: pytest.CaptureFixture[str]
) -> None:
    for text in (*SECRETS, *ESCAPES):
        lockstream._end(made(kind, text))
        shown = capfd.readouterr()
        check_shown(shown.err, text)
        assert not shown.out


def test_there_are_errors_of_both_phases() -> None:
    assert len(ERRORS) > 100, [len(ERRORS), len(SECRETS), len(ESCAPES)]


HOOKS = [
    (reporter, name)
    for reporter in (PlanReporter, ExecutionReporter)
    for name, hook in vars(reporter).items()
    if inspect.isfunction(hook) and not name.startswith("_")
]


@pytest.mark.parametrize("text", SECRETS + ESCAPES, ids=range(len(SECRETS + ESCAPES)))
def test_no_message_of_a_plan_shows_a_secret(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    console = ConsoleReporter(quiet=False)
    tried = 0
    for reporter, name in HOOKS:
        hook = getattr(reporter, name)
        parameters = list(inspect.signature(hook).parameters.values())[1:]
        if reporter is PlanReporter and name not in {"watch", "built"}:
            values = [value_for(parameter.annotation, text) for parameter in parameters]
            getattr(console, name)(*values)
            tried += 1
            for stream in capfd.readouterr():
                check_shown(stream, (name, text))
    assert tried > 10


@pytest.mark.parametrize("text", SECRETS + ESCAPES, ids=range(len(SECRETS + ESCAPES)))
def test_no_line_of_a_log_shows_a_secret(
    text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in (str(tmp_path / "log"), "-"):
        recorder = Recorder.opened(path)
        recorder.event("warning", text=text)
        recorder.event("warning", text=f"before {text}")
        recorder.close()
    for lines in ((tmp_path / "log").read_text(), capfd.readouterr().out):
        assert len(lines.splitlines()) == 2
        for line in lines.splitlines():
            check_shown(line, text)
            json.loads(line)


@pytest.mark.parametrize("text", SECRETS + ESCAPES, ids=range(len(SECRETS + ESCAPES)))
def test_no_result_shows_a_secret(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    echo(text)
    check_shown(capfd.readouterr().out, text)
    echo_json({text: [text]}, indent=None)
    shown = capfd.readouterr().out
    check_shown(shown, text)
    json.loads(shown)
    check_shown(printable(f"warning: {text}"), text)


@pytest.mark.parametrize("url", LOGINS[:8])
def test_an_address_is_redacted_however_its_login_is_written(url: str) -> None:
    assert redacted(url).startswith("https://host.example/simple")
    assert hidden(f"see {url}, or not").startswith("see https://***@host.example/simple")


@pytest.mark.parametrize(
    ("url", "is_unquoted"),
    [
        ("https://user:word@host.example/", False),
        ("https://user:p%40ss@host.example/", False),
        ("https://user:p@ss@host.example/", False),  # the last one counts, for all readers of URLs
        ("https://user:word@host.example/feed@local/simple/", False),
        ("https://host.example:8080/@scope/demo", False),
        ("https://[::1]:8080/a@b", False),
        ("git+https://user:word@host.example/demo.git@main", False),
        ("git+https://host.example/demo.git@main", False),
        ("file:///a:b/c@d", False),
        ("https://user:p/w@host.example/", True),
        ("https://user:p#w@host.example/", True),
        ("https://user:p?w@host.example/", True),
        ("https://user:p@ss/w#rd@host.example/", True),
    ],
)
def test_a_login_that_ends_too_soon_is_found(url: str, is_unquoted: bool) -> None:
    assert has_unquoted_login(url) is is_unquoted


UNQUOTED = f"http://user:p@ss/{SECRET}#rd@127.0.0.1:9"
LOCK = f"""\
lock-version = "1.0"
created-by = "x"
[[packages]]
name = "demo"
version = "1.0"
wheels = [{{url = "URL", hashes = {{sha256 = "{"0" * 64}"}}}}]
"""
COMMANDS = (
    ["plan", "-r", "demo.in", "--index", f"{UNQUOTED}/simple"],
    ["plan", "-r", "demo.in", "--default-index", f"{UNQUOTED}/simple"],
    ["plan", "-r", "demo.in", "--find-links", f"{UNQUOTED}/links"],
    ["plan", "-r", "url.in"],
    ["plan", "-r", "git.in"],
    ["plan", "-r", "index.in"],
    ["plan", "-r", "other.in"],
    ["plan", "-r", f"{UNQUOTED}/x.txt"],
    ["execute", "--target", "here"],
    ["execute", "--target", "here", "--mirror", f"http://a.example/={UNQUOTED}/"],
    ["execute", UNQUOTED, "--target", "here"],
    ["check"],
    ["show"],
    ["diff", "pylock.toml", "pylock.toml"],
    ["no-such-command", UNQUOTED],
    ["plan", f"--{UNQUOTED}"],
)


@pytest.mark.parametrize("words", COMMANDS, ids=range(len(COMMANDS)))
def test_no_command_shows_a_password_that_is_not_quoted(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    wheel = f"{UNQUOTED}/demo-1.0-py3-none-any.whl"
    for name, text in (
        ("demo.in", "demo\n"),
        ("url.in", f"demo @ {wheel}\n"),
        ("git.in", f"demo @ git+{UNQUOTED}/demo.git@main\n"),
        ("index.in", f"--index-url {UNQUOTED}/simple\ndemo\n"),
        ("other.in", f"-r {UNQUOTED}/other.txt\n"),
        (
            "pylock.toml",
            LOCK.replace("URL", wheel),
        ),
    ):
        Path(name).write_text(text)
    lockstream.main(words)
    shown = capfd.readouterr()
    assert SECRET not in shown.err + shown.out
    for place, _, names in os.walk(tmp_path):
        for name in names:
            if not name.endswith((".in", "pylock.toml")):
                assert SECRET.encode() not in Path(place, name).read_bytes()
