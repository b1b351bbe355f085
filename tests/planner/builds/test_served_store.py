"""A server has a build as a whole or not at all, whatever it knows of conditions."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers.build_records import build_record
from helpers.build_units import build_unit
from helpers.put_server import PutServer, put_server
from helpers.wheels import build_wheel
from planner.builds.fragment import Fragment, FragmentUnusable
from planner.builds.served_store import ServedStore, StoreReadOnly
from planner.builds.wheel_store import StoreFolder, open_store, opened_store
from planner.index.access import Access
from planner.index.client import IndexClient
from planner.index.errors import IndexUnreachable

WHEEL = build_wheel("demo", "1.0")
UNIT = build_unit()


@pytest.fixture(name="wheel")
def _wheel(tmp_path: Path) -> str:
    folder = tmp_path / "build"
    folder.mkdir()
    return str(WHEEL.write(folder))


@pytest.fixture(name="server")
def _server() -> Iterator[PutServer]:
    with put_server() as running:
        yield running


@pytest.fixture(name="store")
def _store(server: PutServer) -> Iterator[ServedStore]:
    with IndexClient(pause=lambda _: None) as client:
        yield ServedStore(f"{server.url}/built", client)


def fragment_of(wheel: str) -> Fragment:
    content = Path(wheel).read_bytes()
    return Fragment(
        key=UNIT.key,
        name=UNIT.name,
        target="cp312-manylinux_2_28_x86_64",
        sha256=sha256(content).hexdigest(),
        size=len(content),
        record=build_record(wheel=os.path.basename(wheel)),
        build_lock=None,
    )


def test_what_was_published_is_found_and_fetched(
    tmp_path: Path, wheel: str, store: ServedStore
) -> None:
    assert store.find(UNIT) is None
    assert store.publish(fragment_of(wheel), wheel)
    found = store.find(UNIT)
    assert found == fragment_of(wheel)
    store.fetch(found, str(tmp_path / "copy.whl"))
    assert (tmp_path / "copy.whl").read_bytes() == Path(wheel).read_bytes()


def test_the_fragment_is_stored_last(wheel: str, store: ServedStore, server: PutServer) -> None:
    server.answers = [201, 404]
    with pytest.raises(StoreReadOnly):
        store.publish(fragment_of(wheel), wheel)
    assert [os.path.basename(one) for one in server.puts()] == [WHEEL.filename, "fragment.json"]
    assert store.find(UNIT) is None


@pytest.mark.parametrize("knows_conditions", [True, False])
def test_of_two_that_publish_one_build_the_fragment_has_its_own_wheel(
    tmp_path: Path, wheel: str, store: ServedStore, server: PutServer, *, knows_conditions: bool
) -> None:
    server.knows_conditions = knows_conditions
    assert store.publish(fragment_of(wheel), wheel)
    first = Path(wheel).read_bytes()
    Path(wheel).write_bytes(first + b"\0")
    assert store.publish(fragment_of(wheel), wheel) != knows_conditions
    found = store.find(UNIT)
    assert found is not None
    store.fetch(found, str(tmp_path / "copy.whl"))
    kept = (tmp_path / "copy.whl").read_bytes()
    assert kept == (first if knows_conditions else first + b"\0")


def test_a_machine_that_ends_between_wheel_and_fragment_does_not_spoil_the_next_build(
    tmp_path: Path, wheel: str, store: ServedStore, server: PutServer
) -> None:
    server.answers = [0, 404]
    with pytest.raises(StoreReadOnly):
        store.publish(fragment_of(wheel), wheel)
    Path(wheel).write_bytes(Path(wheel).read_bytes() + b"\0")
    assert store.publish(fragment_of(wheel), wheel)
    found = store.find(UNIT)
    assert found == fragment_of(wheel)
    store.fetch(found, str(tmp_path / "copy.whl"))
    assert (tmp_path / "copy.whl").read_bytes() == Path(wheel).read_bytes()


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_server_that_stores_nothing_is_told_before_a_build(
    store: ServedStore, server: PutServer, status: int
) -> None:
    server.answers = [status]
    with pytest.raises(StoreReadOnly, match=f"it stores no files: the server answers {status}"):
        store.prepare()


def test_a_server_that_fails_may_be_asked_again_later(
    store: ServedStore, server: PutServer
) -> None:
    server.answers = [503] * 5
    with pytest.raises(IndexUnreachable):
        store.prepare()
    store.prepare()
    store.prepare()
    assert list(server.files) == ["/built/lockstream/builds.txt"]


def test_the_credentials_are_those_of_the_users_keychain(
    tmp_path: Path, wheel: str, server: PutServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.login = "user:word"
    with (
        opened_store(f"{server.url}/built", Access()) as store,
        pytest.raises(StoreReadOnly) as caught,
    ):
        store.prepare()
    assert "netrc" in caught.value.hint
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password word\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with opened_store(f"{server.url}/built/", Access()) as store:
        store.prepare()
        assert store.publish(fragment_of(wheel), wheel)
        assert store.find(UNIT) == fragment_of(wheel)


def test_no_error_shows_the_password(wheel: str, server: PutServer) -> None:
    address = server.url.replace("://", "://user:secret@")
    server.files[f"/{UNIT.key}/fragment.json"] = b"{"
    with IndexClient() as client:
        store = open_store(address, client)
        with pytest.raises(FragmentUnusable) as caught:
            store.find(UNIT)
        server.answers = [405]
        with pytest.raises(StoreReadOnly) as refused:
            store.publish(fragment_of(wheel), wheel)
    for error in (caught.value, refused.value):
        assert "secret" not in f"{error} {error.hint}"


@pytest.fixture(name="url")
def _url(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "built").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    serve = partial(Quiet, directory=str(tmp_path / "built"))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_served_folder_has_what_is_in_it(tmp_path: Path, wheel: str, url: str) -> None:
    with IndexClient() as client:
        store = open_store(url, client)
        assert isinstance(store, ServedStore)
        assert store.find(UNIT) is None
        StoreFolder(str(tmp_path / "built")).publish(fragment_of(wheel), wheel)
        found = store.find(UNIT)
        assert found == fragment_of(wheel)
        store.fetch(found, str(tmp_path / "copy.whl"))
        assert (tmp_path / "copy.whl").read_bytes() == Path(wheel).read_bytes()
        changed = b"x" * len(Path(wheel).read_bytes())
        (tmp_path / "built" / UNIT.key / WHEEL.filename).write_bytes(changed)
        with pytest.raises(FragmentUnusable, match="its sha256 is"):
            store.fetch(found, str(tmp_path / "other.whl"))
        assert not (tmp_path / "other.whl").exists()
        with pytest.raises(StoreReadOnly, match="501"):
            store.prepare()


def test_a_server_that_wants_another_login_is_an_error_that_says_how(
    tmp_path: Path, wheel: str, store: ServedStore, server: PutServer
) -> None:
    server.login = "user:secret"
    with pytest.raises(StoreReadOnly, match="it shows no files: the server answers 401") as found:
        store.find(UNIT)
    assert "in the address, in a netrc file, or with --keyring" in found.value.hint
    with pytest.raises(StoreReadOnly, match="it shows no files"):
        store.fetch(fragment_of(wheel), str(tmp_path / "copy.whl"))
