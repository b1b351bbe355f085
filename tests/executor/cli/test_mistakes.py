"""A mistake on a command line is one error, and a hint that names what was meant."""

from __future__ import annotations

import pytest

import lockstream
from schemas.errors import ExitCode

USE = "says what it takes"


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ("execute --memroy 64MiB", "lockstream execute has no option --memroy", "--memory"),
        ("execute --zzz", "lockstream execute has no option --zzz", "lockstream execute --help"),
        ("execute -r a.in", "lockstream execute has no option -r", "lockstream plan takes -r FILE"),
        ("execute --no-cache-dir", "lockstream execute has no option --no-cache-dir", "leave it"),
        ("plan --python 3.12", "lockstream plan has no option --python", "--python-version?"),
        ("execute --memory", "option '--memory' requires an argument", USE),
        ("execute --exact=yes", "option '--exact' does not take a value", USE),
        ("execute --lanes x", "--lanes: 'x' is not a whole number", f"execute --help {USE}"),
        ("execute --lanes 0", "--lanes: 0 is less than 1", f"execute --help {USE}"),
        ("plan --build-timeout x", "--build-timeout: 'x' is not a number", f"plan --help {USE}"),
        ("show --packages x", "--packages: 'x' is not a whole number", f"show --help {USE}"),
        ("execute a b", "got unexpected extra argument (b)", "execute [OPTIONS] [LOCK]"),
        ("why", "NAME is missing", "write lockstream why [OPTIONS] NAME [LOCK]"),
        ("report", "LOG... is missing", "write lockstream report [OPTIONS] LOG..."),
        ("completion csh", "SHELL: 'csh' is not one of 'bash', 'zsh', 'fish'", USE),
        ("cache purge", "no such command 'purge'", "write lockstream cache clear"),
        ("cache empty", "no such command 'empty'", "write lockstream cache clear|info|prune"),
        ("init github", "no such command 'github'", "write lockstream init ci github"),
        ("init hello", "no such command 'hello'", "write lockstream init ci"),
        ("-q", "missing command", "write lockstream plan|check|"),
    ],
)
def test_each_mistake_is_one_error_and_one_hint(
    words: str, problem: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(words.split()) == ExitCode.USAGE
    shown, told, end = capsys.readouterr().err.split("\n")
    assert (shown, told[:6], end) == (f"error: {problem}", "hint: ", "")
    assert hint in told


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("execute --no-build", "execute builds nothing unless told to (--build); leave it out"),
        ("execute --no-exact", "lockstream execute --help lists them"),
        ("execute --inexact", "that is the default; leave it out"),
        ("execute --cert x", "name the authorities to trust with the variable SSL_CERT_FILE"),
        ("execute --with dev", "did you mean --group?"),
        ("execute -e .", "did you mean --project DIR --editable?"),
        ("execute --report-file x", "did you mean --report?"),
        ("execute --mem 64MiB", "did you mean --memory?"),
        ("fetch -d wheels", "did you mean --into?"),
        ("fetch -o a", "did you mean --into? lockstream bundle -o FILE writes one archive"),
        ("plan --pre", "did you mean --prerelease allow?"),
        ("plan --frozen", "run lockstream check, which says whether the lock is current"),
        ("plan --zeal", "lockstream plan --help lists them"),
        ("plan --no-algin", "did you mean --no-align?"),
        ("verify --fix", "run lockstream execute --reinstall"),
        ("-V", "did you mean --version?"),
        ("init ci k8s", "did you mean kubernetes?"),
        ("init ci gitea", "did you mean github? Forgejo and Gitea run its files"),
        ("init ci kubernets", "did you mean kubernetes?"),
        ("show --as podman", "did you mean docker?"),
        ("execute --page-cache dropp", "did you mean drop?"),
    ],
)
def test_an_option_of_another_tool_is_answered_with_what_does_it_here(
    words: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(words.split()) == ExitCode.USAGE
    assert capsys.readouterr().err.split("\n")[1] == f"hint: {hint}"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("exectue", "did you mean execute?"),
        ("sync", "run lockstream execute --exact"),
        ("install", "run lockstream execute,"),
        ("lock", "run lockstream plan,"),
        ("add", "write the requirement into pyproject.toml or a requirements file"),
        ("compile", "run lockstream plan -r requirements.in"),
        ("freeze", "run lockstream export,"),
        ("help", "run lockstream --help"),
        ("version", "run lockstream --version"),
        ("clean", "run lockstream cache clear"),
        ("zzz", "the commands are plan, check,"),
        ("pip-compile", "run lockstream plan -r requirements.in"),
        ("poetry", "the commands are plan, check,"),
    ],
)
def test_an_unknown_command_is_answered_with_the_one_that_may_be_meant(
    word: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main([word, "--option"]) == ExitCode.USAGE
    error, shown, _ = capsys.readouterr().err.split("\n")
    assert error == f"error: there is no command {word!r}"
    assert shown.startswith(f"hint: {hint}")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("pip compile requirements.in", "run lockstream plan -r requirements.in"),
        ("pip sync", "run lockstream execute --exact"),
        ("uv --quiet lock", "run lockstream plan,"),
        ("poetry check", "did you mean check?"),
    ],
)
def test_a_command_behind_the_name_of_another_tool_is_answered_as_if_it_stood_alone(
    words: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(words.split()) == ExitCode.USAGE
    assert capsys.readouterr().err.split("\n")[1].startswith(f"hint: {hint}")
