"""The context of TLS is made once, from the files that the user's variables name."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

import certifi
import pytest

from executor.sources.client import HttpClient
from executor.sources.errors import Unreachable
from executor.sources.http1 import Untrusted
from executor.sources.tls import shake_hands, tls_context
from helpers.servers import CERTIFICATE, Server, file
from helpers.surroundings import leave_plain
from schemas.errors import UsageError


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    leave_plain(monkeypatch)
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


def test_it_is_made_once() -> None:
    assert tls_context() is tls_context()


class Distrusting:
    """A connection to a server of whose certificate OpenSSL says ``code``."""

    def __init__(self, code: int) -> None:
        self._code = code

    def do_handshake(self) -> NoReturn:
        error = ssl.SSLCertVerificationError("long")
        error.verify_code, error.verify_message = self._code, "short"
        raise error


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (9, "clock"),
        (10, "renew"),
        (18, "SSL_CERT_FILE"),
        (20, "SSL_CERT_FILE"),
        (66, "stronger"),
        (68, "stronger"),
        (62, "address that the certificate is for"),
        (64, "address that the certificate is for"),
    ],
)
def test_the_hint_fits_what_is_wrong_with_a_certificate(code: int, hint: str) -> None:
    with pytest.raises(Untrusted, match="long") as caught:
        list(shake_hands(cast("ssl.SSLSocket", Distrusting(code))))
    assert caught.value.reason == "short"
    assert hint in caught.value.hint


def test_it_verifies_certificates_and_names() -> None:
    context = tls_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_an_authority_is_as_good_for_each_python(monkeypatch: pytest.MonkeyPatch) -> None:
    create = ssl.create_default_context

    def as_of_3_13(*arguments: Any, **options: Any) -> ssl.SSLContext:
        context = create(*arguments, **options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", as_of_3_13)
    assert not tls_context().verify_flags & ssl.VERIFY_X509_STRICT


def test_a_client_certificate_is_loaded_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CLIENT_CERT", str(CERTIFICATE))
    assert tls_context().verify_mode is ssl.CERT_REQUIRED


def test_a_client_certificate_without_its_key_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.pem"
    alone.write_text("".join(CERTIFICATE.read_text().partition("-----BEGIN CERT")[1:]))
    monkeypatch.setenv("SSL_CLIENT_CERT", str(alone))
    with pytest.raises(UsageError, match=f"SSL_CLIENT_CERT names {alone}") as caught:
        tls_context()
    assert caught.value.hint == "name a file in PEM format that has the certificate and its key"


def test_a_key_with_a_password_is_an_error_and_no_question(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.pem"
    key = subprocess.run(
        ["openssl", "pkey", "-aes128", "-passout", "pass:secret", "-in", str(CERTIFICATE)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    locked.write_text(key + "".join(CERTIFICATE.read_text().partition("-----BEGIN CERT")[1:]))
    monkeypatch.setenv("SSL_CLIENT_CERT", str(locked))
    with pytest.raises(UsageError) as caught:
        tls_context()
    assert str(caught.value) == f"SSL_CLIENT_CERT names {locked}, whose key has a password"
    hint = re.search(r"\((.*)\) > COPY", caught.value.hint)
    assert hint
    commands = hint[1].replace("pkey", "pkey -passin pass:secret").replace("FILE", str(locked))
    copy = subprocess.run(["sh", "-c", commands], capture_output=True, check=True).stdout
    locked.write_bytes(copy)
    assert tls_context()


def test_a_file_that_cannot_be_read_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    with pytest.raises(UsageError) as caught:
        tls_context()
    assert str(caught.value) == (
        f"REQUESTS_CA_BUNDLE names {tmp_path}/absent.pem, which cannot be read: "
        "No such file or directory"
    )


SERVED = b"served over TLS"


def subject_hash() -> str:
    """Return the name by which ssl finds the authority of the tests in a folder."""
    return subprocess.run(
        ["openssl", "x509", "-noout", "-hash", "-in", str(CERTIFICATE)],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def is_trusted() -> bool:
    """Return whether a new client trusts the servers of the tests."""
    tls_context.cache_clear()
    with Server(tls=True) as server:
        client = HttpClient()
        try:
            return b"".join(client.fetch(server.script("/x", file(SERVED)), None)) == SERVED
        except Unreachable as error:
            return "certificate is not trusted" not in error.reason
        finally:
            client.close()


ALL = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@pytest.mark.parametrize("variable", ALL)
def test_each_variable_of_pip_curl_and_ssl_names_authorities(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_trusted()
    monkeypatch.setenv(variable, str(CERTIFICATE))
    assert is_trusted()


@pytest.mark.parametrize("variable", ["PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"])
def test_authorities_may_stand_in_a_folder(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(CERTIFICATE, tmp_path / f"{subject_hash()}.0")
    monkeypatch.setenv(variable, str(tmp_path))
    assert is_trusted()


def test_all_variables_count_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = ssl.get_default_verify_paths().openssl_cafile
    if not Path(other).exists():
        (tmp_path / "other.pem").write_bytes(CERTIFICATE.read_bytes())
        other = str(tmp_path / "other.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert is_trusted()


def test_a_file_that_several_variables_name_is_read_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "link.pem").symlink_to(CERTIFICATE)
    for variable in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(CERTIFICATE))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "link.pem"))
    read: list[object] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, *places: object, **named: object) -> None:
        read.append(places or named)
        load(context, *places, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    tls_context()
    assert len(read) == 1
    assert is_trusted()


@pytest.mark.parametrize("variable", ALL)
def test_a_missing_file_of_authorities_is_named(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "absent"))
    with pytest.raises(UsageError, match=f"{variable} names .*absent, which cannot be read"):
        tls_context()


def test_a_missing_folder_of_authorities_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", "/absent:/absent-too")
    with pytest.raises(UsageError, match="SSL_CERT_DIR names /absent:/absent-too, which is not"):
        tls_context()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "PIP_CERT", "SSL_CLIENT_CERT"])
def test_a_pipe_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv(variable, str(tmp_path / "pipe"))
    with pytest.raises(UsageError, match=f"{variable} names .*, which cannot be read"):
        tls_context()


class System(NamedTuple):
    """Authorities of a system, as ``ssl.get_default_verify_paths`` tells of them."""

    openssl_cafile: str
    openssl_capath: str

    @property
    def capath(self) -> str:
        return self.openssl_capath


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """One whose only authority is that of the tests, in a file and in a folder."""
    system = System(str(tmp_path / "bundle.pem"), str(tmp_path / "certs"))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: system)
    shutil.copy(CERTIFICATE, system.openssl_cafile)
    (tmp_path / "authority.pem").write_bytes(CERTIFICATE.read_bytes())
    (folder := tmp_path / "certs").mkdir()
    (folder / f"{subject_hash()}.0").symlink_to("../authority.pem")
    (folder / "README").touch()
    return system


def read_the_file_of(system: System) -> Callable[..., None]:
    """What ssl does of itself, on that system."""

    def load(context: ssl.SSLContext, *_: object) -> None:
        context.load_verify_locations(system.openssl_cafile)

    return load


class TestTheSystem:
    """Its authorities are looked up when they are needed, where they can be."""

    def test_a_folder_that_holds_all_of_the_file_is_enough(self, system: System) -> None:
        assert tls_context().cert_store_stats()["x509_ca"] == 0
        assert is_trusted()

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
    @pytest.mark.parametrize("name", ["bundle.pem", "certs/ca-certificates.crt"])
    def test_a_variable_that_names_the_file_of_the_system_means_the_same(
        self, system: System, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
    ) -> None:
        file = Path(system.openssl_cafile).parent / name
        file.write_bytes(CERTIFICATE.read_bytes())
        monkeypatch.setenv(variable, str(file))
        assert tls_context().cert_store_stats()["x509_ca"] == 0
        assert is_trusted()

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
    def test_any_other_file_in_the_folder_is_read(
        self, system: System, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        file = Path(system.openssl_capath) / "ours.pem"
        file.write_bytes(CERTIFICATE.read_bytes())
        monkeypatch.setenv(variable, str(file))
        assert tls_context().cert_store_stats()["x509_ca"] == 1

    def test_what_somebody_has_added_to_the_file_alone_is_trusted(
        self, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with open(system.openssl_cafile, "a") as bundle:
            bundle.write(CERTIFICATE.read_text())
        monkeypatch.setattr(ssl.SSLContext, "load_default_certs", read_the_file_of(system))
        assert tls_context().cert_store_stats()["x509_ca"] == 1

    def test_a_folder_of_links_that_lead_nowhere_is_not_relied_on(
        self, system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "authority.pem").unlink()
        monkeypatch.setattr(ssl.SSLContext, "load_default_certs", read_the_file_of(system))
        assert is_trusted()
        assert tls_context().cert_store_stats()["x509_ca"] == 1

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
    def test_a_variable_comes_before_it(
        self, system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
    ) -> None:
        (tmp_path / "empty").mkdir()
        other = {"SSL_CERT_FILE": certifi.where(), "SSL_CERT_DIR": str(tmp_path / "empty")}
        monkeypatch.setenv(variable, other[variable])
        assert not is_trusted()
