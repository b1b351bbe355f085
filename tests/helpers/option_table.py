"""The options of all commands, as the table in docs/variables.md lists them.

After a new option, ``python -m helpers.option_table`` brings the table up to date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

import click

from executor.cli.command_line import long_name
from lockstream import COMMANDS, program
from schemas.variables import SEVERAL_MEANINGS, variables_of

__all__ = ["leaf_commands", "option_names", "variable_table"]


def leaf_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command with the words that call it."""
    group = program()
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {word}", one) for word, one in command.commands.items())
        else:
            yield name, command


def option_names() -> dict[str, list[str]]:
    """Return the commands that have each option, by the option's first long name."""
    found = defaultdict(list)
    for name, command in leaf_commands():
        for option in command.params:
            if isinstance(option, click.Option):
                found[long_name(option)].append(name)
    return dict(sorted(found.items()))


def variable_table() -> str:
    """Return the table of variables in Markdown."""
    count = len(list(leaf_commands()))
    rows = []
    for option, commands in option_names().items():
        if option == "--mirror":
            continue
        named = " ".join(f"`{one}`" for one in commands) if len(commands) < count else "all"
        names = [f"`{variables_of(option, commands[0])[-1]}`"]
        if option in SEVERAL_MEANINGS:
            names = [f"`{variables_of(option, one)[0]}`" for one in commands]
        rows.append(f"| {', '.join(names)} | `{option}` | {named} |\n")
    return "".join(["| variable | option | commands |\n", "|---|---|---|\n", *rows])


def _write() -> None:
    """Bring docs/variables.md and schemas/variables.py up to date with the commands."""
    root = Path(__file__).parents[2]
    page = root / "docs" / "variables.md"
    text = page.read_text()
    begin = text.index("| variable | option | commands |")
    end = text.index("\n\n", begin) + 1
    page.write_text(text[:begin] + variable_table() + text[end:])
    names = ", ".join(f'"{name}"' for name in option_names() if name != "--mirror") + ","
    body = fill(names, 96, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    module = root / "schemas" / "variables.py"
    text = module.read_text()
    begin = text.index("OPTIONS = frozenset({\n") + len("OPTIONS = frozenset({\n")
    module.write_text(f"{text[:begin]}{body}\n{text[text.index('})  # fmt: skip') :]}")


if __name__ == "__main__":
    _write()
