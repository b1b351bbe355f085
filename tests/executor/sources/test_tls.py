"""The context of TLS is made once, from the files that the user's variables name."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.sources.tls import tls_context
from helpers.servers import CERTIFICATE
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


def test_it_verifies_certificates_and_names() -> None:
    context = tls_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_client_certificate_is_loaded_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CLIENT_CERT", str(CERTIFICATE))
    assert tls_context().verify_mode is ssl.CERT_REQUIRED


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
