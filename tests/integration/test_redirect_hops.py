"""A redirect is judged hop by hop, in both phases: no plain hop between two secure ones, and to
each host its own login alone.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from executor import Keychain
from executor.sources.client import HttpClient
from executor.sources.errors import Unreachable
from executor.sources.tls import tls_context
from helpers.servers import CERTIFICATE, Server, file, redirect, status, without_ranges
from helpers.surroundings import leave_plain
from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer, IndexUnreachable

CONTENT = b"content" * 100
LOGIN = "ada:correct-horse"
BASIC = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"

Fetch = Callable[[str, Keychain], bytes]


def executed(url: str, keychain: Keychain) -> bytes:
    client = HttpClient(keychain)
    try:
        return b"".join(client.fetch(url, len(CONTENT)))
    finally:
        client.close()


def planned(url: str, keychain: Keychain) -> bytes:
    with IndexClient(keychain=keychain, pause=lambda _: None) as client:
        answer = client.get(url, accept="*/*", limit=1 << 20)
        assert answer is not None
        return answer.content


def planned_in_parts(url: str, keychain: Keychain) -> bytes:
    with IndexClient(keychain=keychain, pause=lambda _: None) as client:
        assert client.get_size(url) == len(CONTENT)
        part = client.get_part(url, offset=0, length=len(CONTENT))
        assert part is not None
        return part.content


PHASES: dict[str, Fetch] = {"plan": planned, "plan, parts": planned_in_parts, "execute": executed}

phases = pytest.mark.parametrize("fetch", PHASES.values(), ids=list(PHASES))


class Hosts:
    """Two secure hosts and a plain one; the login is for the first alone."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.first, self.second = (stack.enter_context(Server(tls=True)) for _ in range(2))
        self.plain = stack.enter_context(Server())
        netrc = folder / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login {LOGIN.replace(':', ' password ')}\n")
        netrc.chmod(0o600)
        self.keychain = Keychain(environment={"NETRC": str(netrc)})

    @staticmethod
    def elsewhere(url: str) -> str:
        """The same server under another name, for which there is no login."""
        return url.replace("127.0.0.1", "localhost")

    def logins(self, server: Server) -> set[str]:
        return {request.headers.get("authorization", "") for request in server.requests}


@pytest.fixture(name="hosts")
def _hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    leave_plain(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setattr("executor.sources.client.time.sleep", lambda _: None)
    tls_context.cache_clear()
    with ExitStack() as stack:
        yield Hosts(stack, tmp_path)
    tls_context.cache_clear()


@phases
def test_a_plain_hop_between_two_secure_ones_is_refused_before_it_is_asked(
    hosts: Hosts, fetch: Fetch
) -> None:
    end = hosts.first.script("/end", without_ranges(CONTENT))
    plain = hosts.plain.script("/plain?token=horse", redirect(end))
    middle = hosts.second.script("/middle", redirect(plain))
    start = hosts.first.script("/start", redirect(hosts.elsewhere(middle)))
    with pytest.raises((Unreachable, IndexAnswer, IndexUnreachable)) as caught:
        fetch(start, hosts.keychain)
    assert "/plain" in str(caught.value)
    assert "horse" not in f"{caught.value} {caught.value.hint}"
    assert hosts.plain.requests == []
    assert {request.path for request in hosts.first.requests} == {"/start"}


@phases
def test_a_login_goes_to_its_own_host_on_the_way_there_and_back(hosts: Hosts, fetch: Fetch) -> None:
    end = hosts.first.script("/end", file(CONTENT))
    middle = hosts.second.script("/middle", redirect(end))
    start = hosts.first.script("/start", redirect(hosts.elsewhere(middle)))
    assert fetch(start, hosts.keychain) == CONTENT
    assert hosts.logins(hosts.second) == {""}
    assert hosts.logins(hosts.first) == {BASIC}
    assert {request.path for request in hosts.first.requests} == {"/start", "/end"}


@pytest.mark.parametrize("host", ["another name", "another port"])
def test_a_login_of_the_address_does_not_follow_to_another_origin(hosts: Hosts, host: str) -> None:
    """Of execute: a plan takes logins out of addresses before it asks."""
    end = hosts.second.script("/end", file(CONTENT))
    start = hosts.first.script(
        "/start", redirect(hosts.elsewhere(end) if host == "another name" else end)
    )
    login = start.replace("https://", f"https://{LOGIN}@")
    assert executed(login, Keychain(environment={"NETRC": "/nonexistent"})) == CONTENT
    assert hosts.logins(hosts.first) == {BASIC}
    assert hosts.logins(hosts.second) == {""}


@phases
def test_a_login_in_the_answer_is_for_the_host_that_it_names_alone(
    hosts: Hosts, fetch: Fetch
) -> None:
    """A server may send on with a login of its own making, not with that of the user."""
    end = hosts.second.script("/end", file(CONTENT))
    given = hosts.elsewhere(end).replace("https://", "https://x:y@")
    start = hosts.first.script("/start", redirect(given))
    assert fetch(start, hosts.keychain) == CONTENT
    assert BASIC not in hosts.logins(hosts.second)


@phases
def test_a_cookie_does_not_follow_to_another_host(hosts: Hosts, fetch: Fetch) -> None:
    end = hosts.second.script("/end", file(CONTENT))
    answer = {"Location": hosts.elsewhere(end), "Set-Cookie": "session=horse; Path=/"}
    start = hosts.first.script("/start", status(302, answer))
    assert fetch(start, hosts.keychain) == CONTENT
    for request in hosts.second.requests:
        assert "horse" not in str(request.headers)
