"""Credentials come from the first place that has some, for one host, and are never shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import pytest

from executor.sources.keychain import Keychain
from schemas.credentials import INDEX_VARIABLES, Login

URL = "https://files.example.com/demo.whl"

KEYRING = """\
#!/bin/sh
echo "$@" >> '{log}'
case "$*" in
  "--mode creds get https://files.example.com ") echo ring; echo password;;
  "get https://files.example.com ann") echo password;;
  *) exit 1;;
esac
"""


@pytest.fixture(autouse=True)
def _no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*INDEX_VARIABLES, "NETRC"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")


@pytest.fixture(name="asked")
def _asked(tmp_path: Path) -> Path:
    """A keyring program, and the file that it writes down how it was called in."""
    log = tmp_path / "log"
    log.touch()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "keyring"
    program.write_text(KEYRING.format(log=log))
    program.chmod(0o755)
    return log


def netrc(folder: Path, text: str) -> None:
    path = folder / ".netrc"
    path.write_text(text)
    path.chmod(0o600)


def found(url: str = URL, *, keyring: bool = False) -> str | None:
    login = Keychain(keyring=keyring).login(url)
    return None if login is None else ":".join(login)


def test_without_any_nothing_is_told() -> None:
    assert found() is None


def test_those_of_the_url_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc(tmp_path, "machine files.example.com login net password rc")
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip:index@files.example.com/simple")
    assert found("https://a%40b:p%2Fw@files.example.com/x") == "a@b:p/w"


@pytest.mark.parametrize("variable", INDEX_VARIABLES)
def test_indexes_of_the_environment_tell_theirs(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "https://other.example/ name=https://tok%23en:x@files.example.com/simple/"
    monkeypatch.setenv(variable, value)
    assert found() == "tok#en:x"


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.com/demo.whl",
        "https://files.example.com:8443/demo.whl",
        "https://example.com/demo.whl",
        "https://files.example.com.evil/demo.whl",
    ],
    ids=["not secure", "another port", "another host", "a longer host"],
)
def test_no_other_origin_is_told_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip:index@files.example.com/simple")
    assert found(url) is None


def test_netrc_tells_those_of_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc(tmp_path, "machine files.example.com login net password rc\n")
    assert found() == "net:rc"
    assert found("https://other.example/x") is None
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("machine files.example.com login other password secret\n")
    monkeypatch.setenv("NETRC", str(elsewhere))
    assert found() == "other:secret"


def test_a_netrc_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    netrc(tmp_path, "machine files.example.com login net password rc\nnonsense\n")
    assert found() is None


class TestKeyring:
    def test_it_is_asked_where_it_may_be(self, asked: Path) -> None:
        assert found() is None
        assert asked.read_text() == ""
        assert found(keyring=True) == "ring:password"

    def test_the_ends_of_its_lines_may_be_those_of_windows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = tmp_path / "windows" / "keyring"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nprintf 'ring\\r\\npassword\\r\\n'\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        assert found(keyring=True) == "ring:password"

    def test_one_that_prints_without_end_has_no_login(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = tmp_path / "endless" / "keyring"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nexec yes\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        assert found(keyring=True) is None

    def test_it_is_asked_once_for_each_host(self, asked: Path) -> None:
        keychain = Keychain(keyring=True)
        for url in (URL, URL + "2", "https://other.example/x", "https://other.example/y"):
            keychain.login(url)
        assert asked.read_text().splitlines() == [
            "--mode creds get https://files.example.com ",
            "--mode creds get https://other.example ",
            "--mode creds get other.example ",
        ]

    def test_all_else_is_looked_at_first(self, asked: Path, tmp_path: Path) -> None:
        netrc(tmp_path, "machine files.example.com login net password rc")
        assert found(keyring=True) == "net:rc"
        assert asked.read_text() == ""

    def test_one_that_is_not_there_is_no_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        assert found(keyring=True) is None


class TestNamedUser:
    """A URL with a user and without a password."""

    URL = "https://ann@files.example.com/demo.whl"

    def test_the_password_is_looked_up(self, asked: Path) -> None:
        assert found(self.URL, keyring=True) == "ann:password"
        assert asked.read_text() == "get https://files.example.com ann\n"

    def test_that_of_another_user_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        netrc(tmp_path, "machine files.example.com login bob password rc")
        monkeypatch.setenv("PIP_INDEX_URL", "https://pip:index@files.example.com/simple")
        assert found(self.URL) == "ann:"
        netrc(tmp_path, "machine files.example.com login ann password rc")
        assert found(self.URL) == "ann:rc"

    def test_a_token_in_its_place_is_sent_as_it_is(self) -> None:
        assert found("https://token@files.example.com/x") == "token:"


class TestKnown:
    """Logins that are certain, such as those of the indexes of a plan."""

    KNOWN: ClassVar = {"https://files.example.com": Login("known", "1")}

    def test_they_count_before_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        netrc(tmp_path, "machine files.example.com login net password rc")
        monkeypatch.setenv("PIP_INDEX_URL", "https://pip:index@files.example.com/simple")
        assert Keychain(self.KNOWN).login(URL) == Login("known", "1")

    def test_they_are_for_their_user_only(self) -> None:
        keychain = Keychain(self.KNOWN)
        assert keychain.login("https://known@files.example.com/x") == Login("known", "1")
        assert keychain.login("https://other@files.example.com/x") == Login("other", "")

    def test_all_that_is_known_can_be_told(self, tmp_path: Path) -> None:
        netrc(tmp_path, "machine net.example login net password secret/1")
        keychain = Keychain(self.KNOWN)
        for url in ("https://net.example/x", "https://nobody.example/x", "https://token@a.example"):
            keychain.login(url)
        assert keychain.logins == {**self.KNOWN, "https://net.example": Login("net", "secret/1")}
        assert keychain.secrets >= {"1", "secret/1", "secret%2F1", "token"}


class TestEnvironment:
    """Variables may be those of somebody else."""

    def test_they_are_looked_at_in_place_of_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        netrc(tmp_path, "machine files.example.com login net password rc")
        monkeypatch.setenv("PIP_INDEX_URL", "https://pip:index@files.example.com/simple")
        assert Keychain(environment={}).login(URL) is None
        theirs = {"UV_INDEX": "internal=https://bob:2@files.example.com/other/"}
        assert Keychain(environment=theirs).login(URL) == Login("bob", "2")
        assert Keychain(environment={"HOME": str(tmp_path)}).login(URL) == Login("net", "rc")
        named = {"HOME": "/nowhere", "NETRC": str(tmp_path / ".netrc")}
        assert Keychain(environment=named).login(URL) == Login("net", "rc")


class TestIndexesOfOneHost:
    """A group of a forge has an index for each project, and a token for each index."""

    ONE, TWO = "https://forge.example/api/1/pypi", "https://forge.example/api/2/pypi"

    def users(self, keychain: Keychain) -> list[str]:
        urls = (f"{self.ONE}/simple/a/", f"{self.TWO}/files/b.whl", "https://forge.example/x")
        return [login.user if (login := keychain.login(url)) else "" for url in urls]

    def test_each_gets_its_own_login_and_other_addresses_the_first(self) -> None:
        known = {f"{self.ONE}/simple": Login("one", "1"), f"{self.TWO}/simple": Login("two", "2")}
        keychain = Keychain(known, environment={})
        assert self.users(keychain) == ["one", "two", "one"]
        assert self.users(Keychain(keychain.logins, environment={})) == ["one", "two", "one"]

    def test_variables_may_have_them(self) -> None:
        urls = f"one={self.ONE}/simple https://two:2@forge.example/api/2/pypi/simple/"
        variables = {"UV_INDEX": urls, "UV_INDEX_ONE_USERNAME": "one", "UV_INDEX_ONE_PASSWORD": "1"}
        assert self.users(Keychain(environment=variables)) == ["one", "two", "one"]
        named = [f"one={self.ONE}/simple", f"two={self.TWO}/simple"]
        variables |= {"UV_INDEX": "", "UV_INDEX_TWO_PASSWORD": "2", "UV_INDEX_TWO_USERNAME": "two"}
        assert self.users(Keychain(environment=variables, indexes=named)) == ["one", "two", "one"]

    def test_one_login_serves_them_all(self) -> None:
        known = {f"{self.TWO}/simple": Login("two", "2")}
        variables = {"UV_INDEX": f"{self.ONE}/simple"}
        assert self.users(Keychain(known, environment=variables)) == ["two", "two", "two"]

    @pytest.mark.parametrize("word", ["https://[x/", "a=https://forge.example:port/", "./wheels"])
    def test_what_is_no_address_counts_for_nothing(self, word: str) -> None:
        known = {f"{self.ONE}/simple": Login("one", "1")}
        assert self.users(Keychain(known, environment={"UV_INDEX": word})) == ["one"] * 3

    def test_an_address_with_a_number_for_a_host_is_one_too(self) -> None:
        known = {f"https://[::1]:1/{one}": Login(one, "1") for one in ("a", "b")}
        assert Keychain(known, environment={}).login("https://[::1]:1/b/x") == Login("b", "1")


class TestNamedIndexes:
    """Variables with the login of an index by its name, as for the planner."""

    INDEXES = ("team=https://files.example.com/simple", "https://nameless.example/simple")

    def login(self, url: str = URL) -> str | None:
        login = Keychain(indexes=self.INDEXES).login(url)
        return f"{login.user}:{login.password}" if login else None

    @pytest.mark.parametrize("prefix", ["LOCKSTREAM_INDEX", "UV_INDEX"])
    def test_they_count_for_the_origin_of_the_index(
        self, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.login() is None
        monkeypatch.setenv(f"{prefix}_TEAM_USERNAME", "ada")
        monkeypatch.setenv(f"{prefix}_TEAM_PASSWORD", "named")
        assert self.login() == "ada:named"
        assert self.login("https://other.example/x") is None
        assert self.login("http://files.example.com/x") is None

    def test_an_index_of_uv_has_a_name_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("UV_INDEX", "other=https://other.example/simple")
        monkeypatch.setenv("UV_INDEX_OTHER_USERNAME", "ada")
        monkeypatch.setenv("UV_INDEX_OTHER_PASSWORD", "named")
        assert self.login("https://other.example/x") == "ada:named"

    def test_a_user_alone_gets_the_password_of_that_user(
        self, asked: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_INDEX_URL", "https://ann@files.example.com/simple")
        assert found(keyring=True) == "ann:password"
        assert found() == "ann:"
        assert asked.read_text() == "get https://files.example.com ann\n"

    def test_a_known_user_without_a_password_too(self, asked: Path) -> None:
        known = {"https://files.example.com": Login("ann", "")}
        login = Keychain(known, keyring=True).login(URL)
        assert login == Login("ann", "password")
        assert Keychain(known).login(URL) == Login("ann", "")
        assert asked.read_text() == "get https://files.example.com ann\n"


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_netrc_that_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "netrc"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    assert Keychain({}, environment={"NETRC": str(path)}).login("https://x.example/") is None
