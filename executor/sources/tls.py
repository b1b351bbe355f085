"""TLS settings: trusted authorities and the client certificate, as pip and uv are configured."""

from __future__ import annotations

import os
import select
import ssl
from collections.abc import Collection, Iterator
from functools import cache, partial

from executor.files.regular import open_regular, read_regular
from executor.sources.http1 import Untrusted
from schemas.errors import UsageError

__all__ = ["shake_hands", "tls_context"]


_BUNDLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables with a file or folder of authorities that replace those of the system."""


_CLIENT_CERTIFICATES = ("SSL_CLIENT_CERT", "PIP_CLIENT_CERT")
"""Variables with a file that has the client certificate and its key: that of uv, that of pip."""


_WITH_KEY = "name a file in PEM format that has the certificate and its key"


_UNKNOWN_AUTHORITY = "name your certificate authority with SSL_CERT_FILE"


_CERTIFICATE_HINTS = {
    9: "compare the clock of this machine with that of the server",
    10: "the owner of the server has to renew it, unless the clock of this machine is wrong",
    **dict.fromkeys((66, 67, 68), "the owner of the server has to replace it by a stronger one"),
    **dict.fromkeys(
        (62, 64), "use an address that the certificate is for, or ask the owner of the server"
    ),
}
"""By what OpenSSL says of a certificate: it is not valid yet, it has expired, its key, that of its
authority or its digest is too weak, it is for another name, for another address
(https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/)."""


_MAX_BUNDLE = 4 << 20
"""Bytes of the system's file of authorities that are looked at; that of Debian has 220 kB."""


_OF_DEBIAN = "ca-certificates.crt"
"""The file in the system's folder that update-ca-certificates makes together with its links. Images
often name it in variables, and OpenSSL of another build does not know it."""


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context of all connections, made once: the authorities take 2 MiB.

    Raises UsageError if a variable names something that cannot be read.
    """
    _check_files()
    context = _trusting()
    # Python 3.13 demands extensions that authorities of companies lack; pip, uv and Python 3.12 do
    # not (https://docs.python.org/3/whatsnew/3.13.html#ssl).
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    for variable in _CLIENT_CERTIFICATES:
        if path := os.environ.get(variable):
            try:
                context.load_cert_chain(path, password=partial(_refuse_password, variable, path))
            except OSError as error:
                raise _unreadable(variable, path, error, _WITH_KEY) from None
            break
    return context


def shake_hands(sock: ssl.SSLSocket) -> Iterator[int]:
    """Agree on keys with the server; yield the event of poll(2) that has to be awaited whenever a
    socket that does not block would have to wait. Raises OSError, and Untrusted.
    """
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            yield select.POLLIN
        except ssl.SSLWantWriteError:
            yield select.POLLOUT
        except ssl.SSLCertVerificationError as error:
            hint = _CERTIFICATE_HINTS.get(error.verify_code, _UNKNOWN_AUTHORITY)
            raise Untrusted(str(error), error.verify_message, hint) from None
        else:
            return


def _check_files() -> None:
    """Raise UsageError if a variable names a pipe or a device: OpenSSL would wait for it."""
    for variable in (*_BUNDLES, *_CLIENT_CERTIFICATES, "SSL_CERT_FILE"):
        path = os.environ.get(variable)
        if path and not os.path.isdir(path):
            try:
                open_regular(path).close()
            except FileNotFoundError:
                continue  # who reads it says so
            except OSError as error:
                raise _unreadable(variable, path, error) from None


def _trusting() -> ssl.SSLContext:
    """Return a context that trusts the authorities of all variables that are set."""
    # Images often name one file in several variables: each reading of it takes 25 ms, and memory.
    bundles: dict[str, tuple[str, str]] = {}
    for variable in _BUNDLES:
        if path := os.environ.get(variable):
            bundles.setdefault(os.path.realpath(path), (variable, path))
    context: ssl.SSLContext | None = None
    for variable, path in bundles.values():
        folder = path if os.path.isdir(path) else _whole_folder(path)
        file = None if folder else path
        try:
            if context is None:
                context = ssl.create_default_context(cafile=file, capath=folder)
            else:
                context.load_verify_locations(file, folder)
        except OSError as error:
            raise _unreadable(variable, path, error) from None
    loaded, named = set(bundles), os.environ.get("SSL_CERT_FILE")
    is_default = not bundles and not named and not os.environ.get("SSL_CERT_DIR")
    if context is None:
        own = named or (ssl.get_default_verify_paths().openssl_cafile if is_default else None)
        folder = _whole_folder(own) if own else None
        context = ssl.create_default_context(capath=folder)
        if folder and named:
            loaded.add(os.path.realpath(named))
    _load_ssl_variables(context, loaded)
    if is_default and not _has_authorities(context) and not _system_folder():
        _load_certifi(context)
    return context


def _load_ssl_variables(context: ssl.SSLContext, loaded: Collection[str]) -> None:
    """Trust SSL_CERT_FILE and SSL_CERT_DIR too. ssl itself ignores them if they cannot be read.

    The files at the real paths ``loaded`` are trusted already.
    """
    path = os.environ.get("SSL_CERT_FILE")
    is_read = os.path.realpath(path) in loaded if loaded and path else _has_authorities(context)
    if path and not is_read:
        try:
            context.load_verify_locations(path)
        except OSError as error:
            raise _unreadable("SSL_CERT_FILE", path, error) from None
    if places := os.environ.get("SSL_CERT_DIR"):
        folders = [place for place in places.split(os.pathsep) if os.path.isdir(place)]
        if not folders:
            raise UsageError(
                f"SSL_CERT_DIR names {places}, which is not a folder",
                hint="name a folder of certificates that c_rehash has prepared, or leave it out",
            )
        for folder in folders:
            context.load_verify_locations(capath=folder)


def _whole_folder(file: str) -> str | None:
    """Return the system's folder of authorities if it holds all those of ``file``, which is the
    system's own.

    ssl looks a needed one up there by its name. To read the file takes 17 ms and 1.3 MiB. None if
    it is another file, or if somebody has changed the file alone.
    """
    paths = ssl.get_default_verify_paths()
    folder, place = os.path.realpath(paths.openssl_capath), os.path.realpath(file)
    if place not in {os.path.realpath(paths.openssl_cafile), f"{folder}/{_OF_DEBIAN}"}:
        return None
    try:
        # A folder that was copied without what its links lead to has none.
        found = sum(
            os.path.exists(f"{folder}/{name}") for name in os.listdir(folder) if _is_hashed(name)
        )
        content = read_regular(place, _MAX_BUNDLE, follow=True)
    except OSError:
        return None
    # One line before and one after each, of whatever kind.
    return folder if found and 2 * found == content.count(b"CERTIFICATE-----") else None


def _is_hashed(name: str) -> bool:
    """Return whether a file has a name by which ssl finds it: the hash of its subject, a number
    (https://docs.openssl.org/3.0/man1/openssl-rehash/).
    """
    return name[8:9] == "." and name[9:].isdigit()


def _has_authorities(context: ssl.SSLContext) -> bool:
    return context.cert_store_stats()["x509_ca"] > 0


def _system_folder() -> bool:
    """Return whether the system has a folder of authorities, which ssl reads when it needs one."""
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and bool(os.listdir(folder))


def _load_certifi(context: ssl.SSLContext) -> None:
    """Trust the authorities of certifi, if it is installed: the system has none."""
    try:
        import certifi  # noqa: PLC0415  # the one-file program has none
    except ImportError:
        return
    context.load_verify_locations(certifi.where())


def _refuse_password(variable: str, path: str) -> str:
    """Raise UsageError. Without this, OpenSSL asks for the password at the terminal and waits."""
    raise UsageError(
        f"{variable} names {path}, whose key has a password",
        hint="name a copy whose key has none, which (openssl pkey -in FILE; openssl x509 -in FILE) "
        "> COPY makes",
    )


def _unreadable(
    variable: str, path: str, error: OSError, hint: str = "name a file in PEM format"
) -> UsageError:
    return UsageError(f"{variable} names {path}, which cannot be read: {error.strerror}", hint=hint)
