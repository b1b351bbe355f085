"""The options of an execution: their defaults are those of the command and of the library."""

from __future__ import annotations

import inspect
from dataclasses import fields

from executor.api import execute
from executor.install.options import ExecuteOptions


def test_the_keywords_of_the_library_are_the_options_with_their_defaults() -> None:
    keywords = inspect.signature(execute).parameters
    for option in fields(ExecuteOptions):
        default = keywords[option.name].default
        built = getattr(ExecuteOptions(), option.name)
        # None stands for a value that is made anew for each call.
        assert default == built or default is None, option.name
