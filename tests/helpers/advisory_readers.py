"""Readers of advisories: one record, and an archive of them.

Whatever the bytes are, they are read or refused by an error of lockstream.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.archives import Member, build_archive
from helpers.service_readers import noisy
from planner.advisories.advisory import NotARecord, parse_advisory
from planner.advisories.database import read_database
from schemas.errors import LockstreamError

__all__ = ["make_advisory", "make_database", "read_advisory", "read_database_file"]

DEMO = canonicalize_name("demo")
VERSIONS = [*map(Version, ("0.dev0", "1.0", "2.0+cpu", "1!3"))]
_JUNK: tuple[Any, ...] = (
    *(None, 7, True, "", "x", "0", "1!2", "*", "2.0+cpu", "1" * 5000, "\ud800", "\0", [], {}, [[]]),
    {"introduced": "0"},
)


def read_advisory(data: bytes) -> None:
    """A record; a fix that it names is later than the release."""
    with suppress(NotARecord):
        found = parse_advisory(data)
        assert all(found.ids)
        assert "\n" not in found.summary
        for name in {DEMO, *(one.name for one in found.affected)}:
            for version in VERSIONS:
                found.includes(name, version)
                assert all(fix > version for fix in found.fixes(name, version))
                list(found.last_affected(name, version))


def make_advisory(rng: Random) -> bytes:
    kinds = ("introduced", "fixed", "last_affected", "limit")
    events = [
        {rng.choice(kinds): rng.choice(["0", "1.0", "1.5rc1", "2.0", "2.0+cpu"])}
        for _ in range(rng.randrange(5))
    ]
    record = {
        "id": "GHSA-1",
        "modified": "2026-01-01T00:00:00Z",
        "withdrawn": rng.choice([None, "2026-01-01T00:00:00Z", "9999-12-31T23:59:60Z"]),
        "aliases": ["CVE-1"],
        "summary": "Open",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "demo"},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
                "versions": ["1.0"],
            }
        ],
    }
    return noisy(rng, json.dumps(_mutated(rng, record)).encode())


def _mutated(rng: Random, value: Any) -> Any:
    if rng.random() < 0.04:
        return rng.choice(_JUNK)
    if isinstance(value, dict):
        return {key: _mutated(rng, one) for key, one in value.items() if rng.random() > 0.02}
    if isinstance(value, list):
        return [_mutated(rng, one) for one in value]
    return value


def read_database_file(data: bytes) -> None:
    """An archive: what it says of its members is counted."""
    with NamedTemporaryFile(delete=False) as file:
        file.write(data)
    try:
        with suppress(LockstreamError):
            assert read_database(file.name, {DEMO}).count
    finally:
        os.unlink(file.name)


def make_database(rng: Random) -> bytes:
    members = [Member(f"GHSA-{one}.json", make_advisory(rng)) for one in range(rng.randrange(4))]
    return noisy(rng, build_archive(members))
