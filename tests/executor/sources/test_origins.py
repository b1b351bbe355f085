"""Of all origins that may have a file, the same one is always preferred."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.lock.errors import NotInstallable
from executor.lock.step import Step
from executor.sources.client import HttpClient
from executor.sources.errors import Missing, Offline, Unreachable
from executor.sources.origins import Origin, Origins
from helpers.servers import Server, file
from schemas.errors import ExitCode

CONTENT = b"a wheel, as far as sources care"
FILENAME = "demo-1.0-py3-none-any.whl"
URL = f"https://user:secret@example.com/{FILENAME}?token=secret#sha256=0"


def step(url: str | None = None, path: str | None = None, size: int | None = None) -> Step:
    return Step(
        name="demo",
        version="1.0",
        filename=FILENAME,
        url=url,
        path=path,
        size=size,
        hashes=(("sha256", hashlib.sha256(CONTENT).hexdigest()),),
        hints=None,
        is_direct=False,
    )


@pytest.fixture(name="wheels")
def wheel_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels with ä"
    folder.mkdir()
    (folder / FILENAME).write_bytes(CONTENT)
    return folder


@pytest.fixture(name="client")
def one_client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def _made_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def read(origin: Origin, client: HttpClient) -> bytes:
    return b"".join(origin.open(client))


class TestPath:
    def test_it_goes_before_the_url(self, wheels: Path, client: HttpClient) -> None:
        origin = Origins().find(step(URL, f"{wheels.name}/{FILENAME}"), str(wheels.parent))
        assert origin.name == str(wheels / FILENAME)
        assert read(origin, client) == CONTENT

    def test_it_may_be_absolute(self, wheels: Path, client: HttpClient) -> None:
        origin = Origins().find(step(path=str(wheels / FILENAME)), "/elsewhere")
        assert read(origin, client) == CONTENT

    def test_its_url_is_that_of_the_file(self, wheels: Path) -> None:
        origin = Origins().find(step(path=FILENAME), str(wheels))
        assert origin.url == (wheels / FILENAME).as_uri()

    @pytest.mark.parametrize(
        "given", [{"path": "a\0b"}, {"url": "file:///a%00b"}, {"url": "https://a.example/%00.whl"}]
    )
    def test_a_nul_character_is_refused(self, given: dict[str, str]) -> None:
        with pytest.raises(NotInstallable, match="NUL character"):
            Origins().find(step(**given), "/")  # type: ignore[arg-type]

    def test_its_url_says_a_folder_that_is_not_utf8(self, tmp_path: Path) -> None:
        folder = tmp_path / os.fsdecode(b"caf\xe9")
        folder.mkdir()
        (folder / FILENAME).write_bytes(CONTENT)
        origin = Origins().find(step(path=FILENAME), str(folder))
        assert origin.url.endswith(f"/caf%E9/{FILENAME}")
        again = Origins().find(step(origin.url), "/")
        assert again.name == str(folder / FILENAME)

    def test_the_url_is_taken_where_there_is_no_such_file(self, wheels: Path) -> None:
        origin = Origins().find(step(URL, f"absent/{FILENAME}"), str(wheels))
        assert origin.name == f"https://example.com/{FILENAME}"

    @pytest.mark.parametrize("check", [True, False], ids=["check", "find"])
    def test_one_that_is_all_there_is_must_exist(self, wheels: Path, check: bool) -> None:
        places, one = Origins(), step(path="absent/x.whl")
        with pytest.raises(Missing) as caught:
            places.check([one], str(wheels)) if check else places.find(one, str(wheels))
        assert str(caught.value) == f"demo: its file {wheels}/absent/x.whl does not exist"
        assert caught.value.exit_code is ExitCode.NETWORK
        assert caught.value.hint

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            (os.unlink, "No such file or directory"),
            (_made_folder, "Is a directory"),
        ],
        ids=["gone", "folder"],
    )
    def test_one_that_cannot_be_read_is_told(
        self, wheels: Path, client: HttpClient, spoil: object, reason: str
    ) -> None:
        origin = Origins().find(step(path=FILENAME), str(wheels))
        assert callable(spoil)
        spoil(wheels / FILENAME)
        with pytest.raises(Unreachable) as caught:
            read(origin, client)
        assert str(caught.value) == f"{wheels / FILENAME}: cannot be read: {reason}"
        assert caught.value.hint

    def test_a_large_file_comes_in_bounded_pieces(self, wheels: Path, client: HttpClient) -> None:
        (wheels / FILENAME).write_bytes(b"x" * 1_000_000)
        chunks = list(Origins().find(step(path=FILENAME), str(wheels)).open(client))
        assert sum(map(len, chunks)) == 1_000_000
        assert max(map(len, chunks)) <= 128 << 10


class TestUrl:
    def test_it_is_shown_and_kept_without_secrets(self) -> None:
        origin = Origins().find(step(URL), "/")
        assert origin.name == f"https://example.com/{FILENAME}"
        assert origin.url.startswith(f"https://example.com/{FILENAME}")
        assert "user" not in origin.url

    def test_a_file_is_read_from_its_url(self, wheels: Path, client: HttpClient) -> None:
        origin = Origins().find(step((wheels / FILENAME).as_uri()), "/")
        assert origin.name == str(wheels / FILENAME)
        assert read(origin, client) == CONTENT

    def test_a_file_is_fetched_from_its_url(self, client: HttpClient) -> None:
        with Server() as server:
            url = server.script(f"/{FILENAME}", file(CONTENT))
            assert read(Origins().find(step(url, size=len(CONTENT)), "/"), client) == CONTENT
            client.close()

    @pytest.mark.parametrize("check", [True, False], ids=["check", "find"])
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("ftp://user:secret@example.com/x.whl", "'ftp://example.com/x.whl'"),
            ("git+https://secret@example.com/x.whl", "'git+https://example.com/x.whl'"),
            ("example.com/x.whl", "'example.com/x.whl'"),
            ("", "''"),
            ("https://secret@[::1/x.whl", "'a malformed URL'"),
        ],
    )
    def test_one_of_another_kind_is_refused_without_its_secrets(
        self, check: bool, url: str, shown: str
    ) -> None:
        with pytest.raises(NotInstallable) as caught:
            Origins().check([step(url)], "/") if check else Origins().find(step(url), "/")
        assert str(caught.value) == f"demo: its URL {shown} has a scheme that is not supported"
        assert caught.value.hint == "lock it with an https:, http: or file: URL, or with a path"
        assert caught.value.exit_code is ExitCode.INVALID_INPUT


class TestFindLinks:
    def test_a_folder_of_the_user_goes_first(self, wheels: Path, client: HttpClient) -> None:
        places = Origins(find_links=(str(wheels.parent), str(wheels)))
        origin = places.find(step(URL, "other/path.whl", len(CONTENT)), "/")
        assert origin.name == str(wheels / FILENAME)
        assert read(origin, client) == CONTENT

    @pytest.mark.parametrize("size", [None, len(CONTENT), 5], ids=["unknown", "right", "wrong"])
    @pytest.mark.parametrize("content", [b"something else", CONTENT + b"!", b""])
    def test_a_file_that_is_not_the_locked_one_is_passed_over(
        self, wheels: Path, size: int | None, content: bytes
    ) -> None:
        (wheels / FILENAME).write_bytes(content)
        origin = Origins(find_links=(str(wheels),)).find(step(URL, size=size), "/")
        assert origin.name.startswith("https://")

    def test_a_folder_of_that_name_is_passed_over(self, wheels: Path) -> None:
        (wheels / FILENAME).unlink()
        (wheels / FILENAME).mkdir()
        origin = Origins(find_links=(str(wheels),)).find(step(URL), "/")
        assert origin.name.startswith("https://")


class TestOffline:
    def test_files_on_this_machine_count(self, wheels: Path) -> None:
        places = Origins(find_links=(str(wheels),), offline=True)
        places.check([step(URL)], "/")
        Origins(offline=True).check([step(URL, FILENAME)], str(wheels))
        Origins(offline=True).check([step((wheels / FILENAME).as_uri())], "/")

    def test_all_others_are_named_at_once(self) -> None:
        with pytest.raises(Offline) as caught:
            Origins(offline=True).check([step(URL)] * 7, "/")
        assert str(caught.value) == (
            f"offline, and 7 files are not on this machine: {', '.join([FILENAME] * 5)} and 2 more"
        )
        assert caught.value.exit_code is ExitCode.NETWORK
        assert "--find-links" in caught.value.hint

    def test_a_wheel_for_another_machine_is_named(self, wheels: Path) -> None:
        """What is installed follows from the lock and the machine, not from what is there."""
        (wheels / "demo_other-1.0-py3-none-any.whl").touch()
        places = Origins(find_links=(str(wheels),), offline=True)
        theirs = FILENAME.replace("any", "win_amd64")
        absent = replace(step(URL), filename="no-2-py3-none-any.whl")
        with pytest.raises(Offline) as caught:
            places.check([absent], "/")
        assert str(caught.value).endswith("not on this machine: no-2-py3-none-any.whl")
        with pytest.raises(Offline) as caught:
            places.check([replace(step(URL), filename=theirs)], "/")
        assert str(caught.value) == (
            f"offline, and 1 file is not on this machine: {theirs}; "
            f"{wheels / FILENAME} is for another target"
        )


class TestTls:
    @pytest.mark.parametrize(
        ("url", "speaks"),
        [
            ("https://a.example/x.whl", True),
            ("http://a.example/x.whl", False),
            ("file:///x", False),
        ],
    )
    def test_is_foreseen_for_what_comes_over_it(self, url: str, speaks: bool) -> None:
        assert Origins().speaks_tls([step("http://b.example/y.whl"), step(url)]) is speaks

    def test_is_that_of_the_mirror(self) -> None:
        mirrored = Origins(mirrors=(("https://a.example", "http://mirror.example"),))
        assert not mirrored.speaks_tls([step("https://a.example/x.whl")])

    def test_is_not_spoken_offline(self) -> None:
        assert not Origins(offline=True).speaks_tls([step("https://a.example/x.whl")])


class TestMirrors:
    MIRRORS = (
        ("https://example.com/files/", "https://one.example/"),
        ("https://example.com/", "https://two.example/all/"),
    )

    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("https://example.com/files/x.whl", "https://one.example/x.whl"),
            ("https://example.com/x.whl", "https://two.example/all/x.whl"),
            ("https://example.com.evil/x.whl", "https://example.com.evil/x.whl"),
            ("http://example.com/x.whl", "http://example.com/x.whl"),
        ],
    )
    def test_the_first_prefix_that_fits_is_replaced(self, url: str, name: str) -> None:
        origin = Origins(mirrors=self.MIRRORS).find(step(url), "/")
        assert origin.name == name
        assert origin.url == url


def test_a_bundle_that_is_gone_after_an_execution_does_not_fail_it() -> None:
    origins = Origins(bundles=("gone.tar",))
    assert not origins.come_once
    origins.drain()
