"""The cache is in the folder of the user that the system has for caches, or nowhere."""

from __future__ import annotations

import os
import sys

import pytest

from executor.files.user_folders import cache_folder, home_folder


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {}, "/home/ann/.cache/lockstream"),
        ("linux", {"XDG_CACHE_HOME": "/xdg"}, "/xdg/lockstream"),
        ("linux", {"XDG_CACHE_HOME": "cache"}, "/home/ann/.cache/lockstream"),
        ("linux", {"XDG_CACHE_HOME": "/xdg", "LOCKSTREAM_CACHE_DIR": "/own"}, "/own"),
        ("linux", {"LOCKSTREAM_CACHE_DIR": "~/own"}, "/home/ann/own"),
        ("darwin", {"XDG_CACHE_HOME": "/xdg"}, "/home/ann/Library/Caches/lockstream"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/lockstream"),
    ],
)
def test_each_system_has_its_folder(
    monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], folder: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder(environ) == folder
    assert cache_folder(environ, "~/named") == "/home/ann/named"


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 987_654_321)
    assert home_folder() is None
    assert cache_folder({}) is None
    assert cache_folder({"XDG_CACHE_HOME": "/xdg"}) == "/xdg/lockstream"
