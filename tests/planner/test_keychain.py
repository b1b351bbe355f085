"""Credentials come from where pip's and uv's users keep them, and go to one origin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner.keychain import Keychain, login_of_index
from schemas.credentials import Login

URL = "https://index.example/simple/demo/"
ORIGIN = "https://index.example"


def netrc(folder: Path, name: str = ".netrc") -> dict[str, str]:
    (folder / name).write_text("machine index.example login ada password netrc-secret\n")
    return {"HOME": str(folder)}


def test_what_is_certain_counts_first(tmp_path: Path) -> None:
    known = {ORIGIN: Login("known", "1")}
    assert Keychain(known, environment=netrc(tmp_path)).login(URL) == Login("known", "1")


def test_urls_of_indexes_in_the_environment_count_before_netrc(tmp_path: Path) -> None:
    environment = netrc(tmp_path) | {"UV_INDEX": "internal=https://bob:2@index.example/other/"}
    assert Keychain(environment=environment).login(URL) == Login("bob", "2")


def test_netrc_is_read(tmp_path: Path) -> None:
    expected = Login("ada", "netrc-secret")
    keychain = Keychain(environment=netrc(tmp_path))
    assert keychain.login(URL) == expected
    assert keychain.secrets >= {"netrc-secret"}
    netrc(tmp_path, "other")
    named = {"HOME": "/nowhere", "NETRC": str(tmp_path / "other")}
    assert Keychain(environment=named).login(URL) == expected


@pytest.mark.parametrize("text", [None, "machine other.example login a password b\n", "machine"])
def test_who_is_not_known_asks_as_nobody(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / ".netrc").write_text(text)
    assert Keychain(environment={"HOME": str(tmp_path)}).login(URL) is None


def test_the_keyring_program_is_asked_where_it_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "keyring"
    program.write_text(
        '#!/bin/sh\n[ "$*" = "--mode creds get https://index.example " ] || exit 1\n'
        "printf 'ada\\nring-secret\\n'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert Keychain(keyring=True).login(URL) == Login("ada", "ring-secret")
    assert Keychain(keyring=True).login("https://other.example/") is None
    assert Keychain().login(URL) is None


def test_no_keyring_program_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert Keychain(keyring=True).login(URL) is None


def test_variables_are_named_for_an_index() -> None:
    environment = {
        "LOCKSTREAM_INDEX_OUR_OWN_USERNAME": "ada", "LOCKSTREAM_INDEX_OUR_OWN_PASSWORD": "1",
        "UV_INDEX_OTHER_PASSWORD": "token",
    }  # fmt: skip
    assert login_of_index("our-own", environment) == Login("ada", "1")
    assert login_of_index("other", environment) == Login("", "token")
    assert login_of_index("third", environment) is None
