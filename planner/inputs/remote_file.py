"""Fetch requirements files that the inputs name by their URL."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from planner.inputs.errors import UnreadableInput
from schemas.credentials import origin_of, split_login
from schemas.urls import UNQUOTED_HINT, has_unquoted_login, redacted

if TYPE_CHECKING:
    from planner.index.access import Access

__all__ = ["FetchFile", "file_fetcher", "refuse_remote"]


FetchFile = Callable[[str], bytes]
"""Returns the content of the file at a URL; raises UnreadableInput if it has none."""


MAX_SIZE = 16 << 20
"""Bytes. Lists of all packages of an operating system have about 1 MB."""


def refuse_remote(url: str) -> bytes:
    """Raise UnreadableInput: the command reads inputs without a network."""
    raise UnreadableInput(
        redacted(url),
        "it is at a URL, and only plan fetches inputs",
        hint="download it and name the copy",
    )


def file_fetcher(access: Access | None) -> FetchFile:
    """Return a function that fetches files as ``access`` allows."""

    def fetch(url: str) -> bytes:
        # Loads a client for HTTP, which most inputs do not need.
        from executor import Keychain  # noqa: PLC0415
        from planner.index.client import IndexClient  # noqa: PLC0415

        if has_unquoted_login(url):
            raise UnreadableInput(redacted(url), "its login is unquoted", hint=UNQUOTED_HINT)
        clean, login = split_login(url)
        logins = {origin_of(clean): login} if login else {}
        keyring = access is not None and access.keyring
        with IndexClient(
            keychain=Keychain(logins, environment=os.environ, keyring=keyring),
            cache=access.cache if access else None,
            offline=access is not None and access.offline,
            refresh=access is not None and access.refresh,
        ) as client:
            found = client.get(clean, accept="text/plain, */*;q=0.5", limit=MAX_SIZE)
        if found is None:
            raise UnreadableInput(redacted(url), "the server has no such file (404)")
        return found.content

    return fetch
