"""What every command gets: variables, --quiet and --verbose, suggestions."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

import lockstream
from executor.cli.command_line import long_name, prepare
from helpers.locks import write_lock
from helpers.option_table import leaf_commands
from helpers.wheels import build_wheel
from schemas.errors import ExitCode

DEMO = build_wheel("demo", files={"demo.py": "x = 1\n"})


@pytest.fixture(name="lock")
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(write_lock(tmp_path, [DEMO]))


def parsed(command: click.Command, words: list[str]) -> tuple[object, object]:
    """What ``command`` gets from ``words`` and the environment, its required arguments given."""
    arguments = (
        "bash" if isinstance(one.type, click.Choice) else "x"
        for one in command.params
        if isinstance(one, click.Argument) and one.required
    )
    context = click.Context(command)
    command.parse_args(context, [*words, *arguments])
    return context.params, context.meta


def spellings(option: click.Option) -> list[tuple[list[str], str]]:
    """Words that give ``option`` a value, each with the text of a variable that means the same."""
    name = long_name(option)
    if option.is_flag:
        off = [option.secondary_opts[0]] if option.secondary_opts else []
        return [([name], "1"), ([name], "YES"), (off, "0"), (off, "off")]
    if isinstance(option.type, click.Choice):
        return [([name, one], one) for one in option.type.choices]
    if isinstance(option.type, (click.types.IntParamType, click.types.FloatParamType)):
        return [([name, "3"], "3")]
    if option.multiple and option.callback:  # it takes names alone
        return [([name, "alpha", name, "beta"], "alpha 'beta'")]
    if option.multiple:
        return [([name, "alpha", name, "two words"], "alpha 'two words'")]
    return [([name, "two words"], "two words")]


class TestVariables:
    @pytest.mark.parametrize("name", dict(leaf_commands()))
    def test_each_means_what_its_option_means(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command = dict(leaf_commands())[name]
        prepare(command, name)
        options = [one for one in command.params if isinstance(one, click.Option)]
        for option in options:
            for words, text in spellings(option) if option.envvar else ():
                for variable in option.envvar or ():
                    with monkeypatch.context() as surroundings:
                        surroundings.setenv(variable, text)
                        by_variable = parsed(command, [])
                    assert by_variable == parsed(command, words), (variable, text)

    def test_a_variable_stands_for_its_option(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_TARGET", "there")
        assert lockstream.main(["execute"]) == ExitCode.DONE
        assert (lock.parent / "there" / "demo.py").exists()

    def test_the_variable_for_one_command_comes_first(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_TARGET", "there")
        monkeypatch.setenv("LOCKSTREAM_EXECUTE_TARGET", "here")
        assert lockstream.main(["execute"]) == ExitCode.DONE
        assert (lock.parent / "here" / "demo.py").exists()
        assert not (lock.parent / "there").exists()

    def test_the_command_line_comes_before_variables(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_VENV", "env")
        assert lockstream.main(["execute", "--target", "here"]) == ExitCode.DONE
        assert (lock.parent / "here" / "demo.py").exists()
        assert not (lock.parent / "env").exists()

    def test_targets_of_plan_do_not_disturb_an_execution_into_an_environment(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_PYTHON_VERSION", "3.12")
        assert lockstream.main(["execute", "--dry-run"]) == ExitCode.DONE

    def test_a_repeatable_option_takes_words_as_a_shell_reads_them(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = lock.parent / "two words"
        folder.mkdir()
        (lock.parent / DEMO.filename).rename(folder / DEMO.filename)
        monkeypatch.setenv("LOCKSTREAM_FIND_LINKS", f". '{folder}'")
        assert lockstream.main(["execute", "--target", "here", "--offline"]) == ExitCode.DONE

    @pytest.mark.parametrize("value", ["1", "true", "yes", "on"])
    def test_a_flag_is_set_by_a_word_for_true(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_DRY_RUN", value)
        assert lockstream.main(["execute", "--target", "here"]) == ExitCode.DONE
        assert not (lock.parent / "here").exists()

    @pytest.mark.parametrize(
        ("name", "value", "problem"),
        [
            ("LOCKSTREAM_LANES", "x", "LOCKSTREAM_LANES: 'x' is not a whole number\n"),
            ("LOCKSTREAM_OFFLINE", "x", "LOCKSTREAM_OFFLINE: 'x' is not yes or no\n"),
            ("LOCKSTREAM_GROUP", "'x", 'LOCKSTREAM_GROUP: "\'x" is not a list of words:'),
            ("LOCKSTREAM_EXECUTE_LANES", "0", "LOCKSTREAM_EXECUTE_LANES: 0 is less than 1"),
        ],
    )
    def test_a_wrong_value_is_an_error_that_names_the_variable(
        self,
        lock: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        name: str,
        value: str,
        problem: str,
    ) -> None:
        monkeypatch.setenv(name, value)
        assert lockstream.main(["execute"]) == ExitCode.USAGE
        assert capsys.readouterr().err.startswith(f"error: {problem}")

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"MEMORY": "lots"}, "--memory is set by LOCKSTREAM_MEMORY"),
            (
                {"EXECUTE_VENV": "e", "TARGET": "t"},
                "--venv is set by LOCKSTREAM_EXECUTE_VENV; --target is set by LOCKSTREAM_TARGET",
            ),
        ],
        ids=["value", "options"],
    )
    @pytest.mark.usefixtures("lock")
    def test_an_error_of_usage_names_the_variables_that_it_is_about(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        given: dict[str, str],
        told: str,
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_ON_COLLISION", "last")
        for name, value in given.items():
            monkeypatch.setenv(f"LOCKSTREAM_{name}", value)
        assert lockstream.main(["execute"]) == ExitCode.USAGE
        shown = capsys.readouterr().err
        assert shown.endswith(f"; {told}\n")
        assert "LOCKSTREAM_ON_COLLISION" not in shown

    def test_an_empty_variable_is_refused(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_VENV", "")
        assert lockstream.main(["execute"]) == ExitCode.USAGE
        assert capsys.readouterr().err == (
            "error: LOCKSTREAM_VENV is empty\nhint: unset it for the default, or give it a value\n"
        )
        assert not (lock.parent / ".venv").exists()

    def test_an_empty_variable_of_another_command_is_no_matter(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_UPGRADE", "")
        assert lockstream.main(["execute", "--dry-run"]) == ExitCode.DONE

    def test_an_unknown_variable_is_warned_of_with_the_nearest_name(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_VENF", "env")
        assert lockstream.main(["execute", "--dry-run"]) == ExitCode.DONE
        assert capsys.readouterr().err == (
            "warning: LOCKSTREAM_VENF is not a variable of lockstream; LOCKSTREAM_VENV is\n"
        )


class TestActiveEnvironment:
    def test_the_active_one_is_the_default(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        active = lock.parent / "active"
        assert lockstream.main(["execute", "--venv", "active"]) == ExitCode.DONE
        monkeypatch.setenv("VIRTUAL_ENV", str(active))
        capsys.readouterr()
        assert lockstream.main(["verify"]) == ExitCode.DONE
        assert lockstream.main(["verify", "--venv", ".venv"]) == ExitCode.REFUSED

    @pytest.mark.parametrize("value", ["", "no-such-folder"])
    def test_one_that_does_not_exist_is_not(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("VIRTUAL_ENV", value)
        assert lockstream.main(["execute"]) == ExitCode.DONE
        assert (lock.parent / ".venv").exists()
        assert not os.path.exists("no-such-folder")


class TestLevels:
    @pytest.mark.parametrize("name", [name for name, _ in leaf_commands()])
    def test_each_command_has_both(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert lockstream.main([*name.split(), "--help"]) == ExitCode.DONE
        shown = capsys.readouterr().out
        assert shown.count("-q, --quiet ") == shown.count("-v, --verbose ") == 1

    def test_quiet_leaves_nothing_of_an_execution_that_succeeds(
        self, lock: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert lockstream.main(["execute", "--quiet", "--target", "here"]) == ExitCode.DONE
        assert capsys.readouterr() == ("", "")

    def test_quiet_leaves_results(self, lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert lockstream.main(["verify", "-q"]) == ExitCode.REFUSED
        assert capsys.readouterr().out == (
            "missing: demo: 1.0 is not installed\n1 package verified, 1 difference\n"
        )

    def test_verbose_says_which_variables_count_and_what_it_took(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_TARGET", "here")
        assert lockstream.main(["execute", "-v"]) == ExitCode.DONE
        first, *_, last = capsys.readouterr().err.splitlines()
        assert first == "--target is set by LOCKSTREAM_TARGET"
        assert last.startswith("took ")
        assert last.endswith(" MiB of memory (RSS)")

    @pytest.mark.parametrize("words", [["-q", "execute"], ["--quiet", "execute"]])
    def test_they_may_come_before_the_command(
        self, lock: Path, capsys: pytest.CaptureFixture[str], words: list[str]
    ) -> None:
        assert lockstream.main([*words, "--target", "here"]) == ExitCode.DONE
        assert capsys.readouterr() == ("", "")
        assert lockstream.main([*words, "-v", "--target", "here"]) == ExitCode.DONE
        assert "took " in capsys.readouterr().err

    @pytest.mark.parametrize("words", [["execute", "-v"], ["-v", "execute"]])
    def test_the_command_line_comes_before_the_variable_of_the_other(
        self,
        lock: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        words: list[str],
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_QUIET", "1")
        assert lockstream.main([*words, "--target", "here"]) == ExitCode.DONE
        assert "took " in capsys.readouterr().err

    def test_a_command_is_prepared_once(self) -> None:
        @click.command()
        def probe() -> None: ...

        prepare(probe, "probe")
        count = len(probe.params)
        prepare(probe, "probe")
        assert len(probe.params) == count == 2
