"""Networks that fail, in every way known: the right tree, or an error that says what failed.

Each fault happens once for each wheel, and for ever; to one wheel and to twenty; from the server
and through a proxy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from executor.api import execute
from executor.environment.schemes import STAGING
from executor.sources import tls
from executor.sources.origins import Origins
from helpers.environments import environment_below, spread
from helpers.networks import (
    ENCODED,
    IN_PIECES,
    LASTING,
    PASSING,
    PROXY_ANSWERS,
    RESUMABLE,
    Fault,
)
from helpers.servers import CERTIFICATE, Proxy, Server, cut, file, status
from helpers.surroundings import leave_plain
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import ArtifactRefused, LockstreamError, NetworkError

IDLE = 0.15
"""Seconds that a connection may be silent in these tests."""

WHEELS = [
    build_wheel(f"p{number}", files={f"p{number}/data.bin": bytes(range(256)) * 4}, method=0)
    for number in range(20)
]


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("executor.sources.retries.IDLE_SECONDS", IDLE)
    monkeypatch.setattr("executor.sources.retries._PACE_SECONDS", IDLE)
    leave_plain(monkeypatch)


@dataclass(frozen=True)
class Way:
    """From us to the server."""

    server: Server
    sent_by: Server | Proxy


@pytest.fixture(name="way", params=["direct", "proxy"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    with Server() as server:
        if request.param == "direct":
            yield Way(server, server)
            return
        with Proxy() as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            yield Way(server, proxy)


def install(tmp_path: Path, way: Way, wheels: list[Wheel], *faults: Fault, lasting: bool) -> None:
    for wheel in wheels:
        answers = [fault(wheel.content) for fault in faults]
        way.server.script(
            f"/{wheel.filename}", *answers, *([] if lasting else [file(wheel.content)])
        )
    (tmp_path / "pylock.toml").write_text(lock_of(wheels, base_url=way.server.origin))
    environment = environment_below(tmp_path / "env")
    packages = Path(environment.interpreter.schemes.purelib)
    before = snapshot(tmp_path / "env")
    try:
        execute(str(tmp_path / "pylock.toml"), environment, lanes=2, durability="kill")
    except LockstreamError as error:
        if error.left:
            # Complete wheels wait for the next run, and nothing else is there.
            kept = set(os.listdir(packages / STAGING)) - {"run"}
            assert kept
            assert all((packages / STAGING / name / "complete").exists() for name in kept)
        after = snapshot(tmp_path / "env", [f"*/{STAGING}"] if error.left else [])
        assert after == before
        raise
    for path, content in spread(wheels, environment.interpreter.schemes).items():
        assert path.read_bytes() == content


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes_is_overcome(tmp_path: Path, way: Way, kind: str, count: int) -> None:
    install(tmp_path, way, WHEELS[:count], PASSING[kind], lasting=False)


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_stays_is_an_error(tmp_path: Path, way: Way, kind: str, count: int) -> None:
    fault = PASSING[kind]
    if kind in IN_PIECES:
        install(tmp_path, way, WHEELS[:count], fault, lasting=True)
        return
    if kind == "stalls in the middle":
        # Whether what comes between two stalls is progress depends on the time they take.
        with suppress(NetworkError):
            install(tmp_path, way, WHEELS[:count], fault, lasting=True)
        return
    with pytest.raises(NetworkError) as caught:
        install(tmp_path, way, WHEELS[:count], fault, lasting=True)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.hint


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("kind", LASTING)
def test_what_no_attempt_mends_is_an_error_of_its_kind(
    tmp_path: Path, way: Way, kind: str, count: int
) -> None:
    fault, error = LASTING[kind]
    with pytest.raises(error) as caught:
        install(tmp_path, way, WHEELS[:count], fault, lasting=True)
    if error is ArtifactRefused:
        assert not caught.value.left


@pytest.mark.parametrize("kind", ENCODED)
def test_a_body_that_is_encoded_unasked_is_decoded(tmp_path: Path, way: Way, kind: str) -> None:
    install(tmp_path, way, WHEELS[:3], ENCODED[kind], lasting=True)


def test_a_file_that_is_replaced_meanwhile_is_read_from_its_beginning(
    tmp_path: Path, way: Way
) -> None:
    """Both when the server tells of it, and when it does not."""
    install(
        tmp_path,
        way,
        WHEELS[:3],
        lambda content: cut(bytes(len(content)), 400, etag='"old"'),
        lambda content: file(content, etag='"new"'),
        lasting=True,
    )
    (tmp_path / "2").mkdir()
    install(
        tmp_path / "2",
        way,
        WHEELS[:3],
        lambda content: cut(bytes(len(content)), 400, etag=None),
        lambda content: file(content, etag=None),
        lasting=True,
    )


@pytest.mark.parametrize("kind", sorted(RESUMABLE))
def test_what_has_arrived_is_not_sent_again(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = [build_wheel("big", files={"big.bin": bytes(500_000)}, method=0)]
    with Server() as server:
        install(tmp_path, Way(server, server), wheels, PASSING[kind], lasting=False)
        assert server.sent < 1.1 * sum(wheel.size for wheel in wheels)


class TestMirrors:
    def test_the_next_one_is_asked_where_one_fails(self, tmp_path: Path) -> None:
        wheel = WHEELS[0]
        (tmp_path / "pylock.toml").write_text(lock_of([wheel], base_url="https://index.example/a"))
        for number, fault in enumerate(
            [status(503), status(404), LASTING["captive portal"][0](b""), cut(wheel.content, 9)]
        ):
            with Server() as first, Server() as second:
                first.script(f"/{wheel.filename}", fault)
                second.script(f"/{wheel.filename}", file(wheel.content))
                mirrors = tuple(
                    ("https://index.example/a", server.origin) for server in (first, second)
                )
                execute(
                    str(tmp_path / "pylock.toml"),
                    environment_below(tmp_path / str(number)),
                    origins=Origins(mirrors=mirrors),
                )
                assert len(second.requests) == (0 if number == 3 else 1)

    def test_all_that_fail_are_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "pylock.toml").write_text(lock_of([WHEELS[0]], base_url="https://x.example"))
        with Server() as server:
            places = Origins(mirrors=(("https://x.example", server.origin),) * 2)
            with pytest.raises(NetworkError, match="404"):
                execute(
                    str(tmp_path / "pylock.toml"), environment_below(tmp_path / "e"), origins=places
                )


class TestProxies:
    @pytest.mark.parametrize("kind", PROXY_ANSWERS)
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_one_that_fails_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, scheme: str
    ) -> None:
        class Failing(Proxy):
            def answer(self, request: object, connection: object) -> None:
                PROXY_ANSWERS[kind](request, connection)  # type: ignore[arg-type]

        wheel = WHEELS[0]
        (tmp_path / "pylock.toml").write_text(lock_of([wheel], base_url=f"{scheme}://x.example"))
        with Failing() as proxy:
            monkeypatch.setenv(f"{scheme}_proxy", proxy.url.replace("//", "//user:s3cret@"))
            with pytest.raises(NetworkError) as caught:
                execute(str(tmp_path / "pylock.toml"), environment_below(tmp_path / "env"))
        assert "s3cret" not in f"{caught.value} {caught.value.hint}"

    def test_one_that_is_not_there_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
        (tmp_path / "pylock.toml").write_text(lock_of(WHEELS[:1], base_url="https://x.example"))
        with pytest.raises(NetworkError, match="Connection refused"):
            execute(str(tmp_path / "pylock.toml"), environment_below(tmp_path / "env"))


class TestCertificates:
    @pytest.mark.parametrize("trusted", [True, False])
    def test_only_one_that_somebody_vouches_for_will_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
    ) -> None:
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        tls.tls_context.cache_clear()
        with Server(tls=True) as server:
            way = Way(server, server)
            if trusted:
                install(tmp_path, way, WHEELS[:2], PASSING["cut in the middle"], lasting=False)
            else:
                with pytest.raises(NetworkError, match="certificate is not trusted"):
                    install(tmp_path, way, WHEELS[:2], lasting=False)
        tls.tls_context.cache_clear()
