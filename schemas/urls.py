"""URLs as they may be shown and stored, without the secrets that they carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus, urljoin, urlsplit, urlunsplit

__all__ = [
    "UNQUOTED_HINT",
    "has_unquoted_login",
    "hidden",
    "hidden_in",
    "is_malformed",
    "may_be_hidden",
    "redacted",
    "secret_parameters",
    "storable",
    "without_credentials",
    "without_dots",
]

UNQUOTED_HINT = (
    "quote special characters in a user name or password: %40 for @, %2F for /, %23 for #"
)

_SIGNING = (
    r"(?i)x-(?:amz|goog|ms|oss|cos|obs|tos|jfrog)-[^=]*|q-sign-[a-z-]*|temp_url_[a-z_]*|"
    r"googleaccessid|expires|key-pair-id|policy|se|sig|sas|hdnt[sl]|hdnea|_upt|verify|"
    r"code|jwt|key|rlkey|hmac|bearer|session|sid|authorization|pass|pw|sk|ticket"
)
"""Names of query parameters that sign a URL for the storage services of Amazon, Google, Microsoft,
Alibaba, Tencent, Huawei, Volcengine, OpenStack, Dropbox, Akamai, Cloudflare and Upyun, or that hold
an access key."""

_SECRET_WORDS = ("token", "secret", "passwd", "password", "passphrase", "pwd", "apikey", "api_key",
                 "api-key", "accesskey", "access_key", "access-key", "authkey", "license_key",
                 "sessionid", "session_id", "signature", "tempauth", "credential")  # fmt: skip
"""Parts of names of parameters that hold passwords and tokens."""

_AUTH = r"[-_.]auth[-_.]"


_ADDRESS_END = re.compile(r"[\s\"'<>`|]")
"""What ends an address in a text."""

_AUTHORIZATION = r"(?i)(authorization\b[\"']?\s*[:=]\s*[\"']?)[^\r\n\"']+"
"""A header with a login, as tools print it."""

_BARE_LOGIN = (
    r"(?:(?<![\w.~%+:/@-])|(?<=:/)|(?<=///))"
    r"[\w.~%+-]{1,64}:[^\s/@\"'<>`|,;\\]{1,256}@(?!sha\d)(?=[\w\[])"
)
"""A user name and a password before a host, in an address whose scheme was forgotten, or has one
slash or three. An image with a digest (``name:tag@sha256:...``) is none."""

_INNER_LOGIN = r"(?i)(://|%3A%2F%2F)[^/?#@\s]{1,256}(?:@|%40)"
"""The user information of an address in the path or the query of another."""

_QUOTED_LOGIN = r"(://)[^\s/?#@]{1,256}%40(?=[\w\[])"
"""User information whose ``@`` is quoted too, so that it seems to be a part of the host."""

_PARAMETER = r";([^/;=]*)=([^/;]*)"
"""A parameter of a segment of a path."""

_HIDDEN = "***"


def redacted(url: str) -> str:
    """Return the URL without user information, query and fragment, which may hold passwords, tokens
    and signatures; a fixed text if the URL is malformed, since its parts cannot be separated.

    A password with characters that should be quoted ends at the last ``@``.
    """
    scheme, separator, rest = url.partition("://")
    if separator:
        url = f"{scheme}://{rest[_login_end(rest, scheme) :]}"
    elif login := re.match(_BARE_LOGIN, url):
        url = url[login.end() :]
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    host = parts.netloc.rpartition("@")[2]
    path = _without_parameters(re.sub(_INNER_LOGIN, rf"\1{_HIDDEN}@", parts.path))
    return re.sub(_BARE_LOGIN, f"{_HIDDEN}@", urlunsplit((parts.scheme, host, path, "", "")))


def is_malformed(url: str) -> bool:
    """Return whether the parts of a URL cannot be told apart, such as its host: one in brackets is
    no IPv6 address, or a letter of it stands for a slash.
    """
    if url.isascii() and "[" not in url and "]" not in url:
        return False
    try:
        urlsplit(url)
    except ValueError:
        return True
    return False


def hidden(text: str) -> str:
    """Return a text without the secrets of the addresses in it, and without logins in headers.

    It is the last gate before a person or a file: what is made of one address is ``redacted``.
    """
    if "uthorization" in text.lower():
        text = re.sub(_AUTHORIZATION, rf"\1{_HIDDEN}", text)
    if "://" in text:
        lines = text.split("\n")
        text = "\n".join(_hidden_line(line) if "://" in line else line for line in lines)
    if "%40" in text:
        text = re.sub(_QUOTED_LOGIN, rf"\1{_HIDDEN}%40", text)
    return re.sub(_BARE_LOGIN, f"{_HIDDEN}@", text) if "@" in text else text


def may_be_hidden(text: str) -> bool:
    """Return whether ``hidden`` may change a text, or a part of it that is a text of JSON."""
    return "@" in text or "://" in text or "uthorization" in text.lower()


def hidden_in(content: object) -> object:
    """Return what JSON can hold, with each of its texts ``hidden``."""
    if isinstance(content, str):
        return hidden(content)
    if isinstance(content, Mapping):
        return {hidden_in(key): hidden_in(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [hidden_in(value) for value in content]
    return content


def _hidden_line(line: str) -> str:
    parts: list[str] = []
    at, last = 0, line.rfind("@") + 1
    while (found := line.find("://", at)) >= 0:
        start = found + 3
        ending = _ADDRESS_END.search(line, start)
        end = ending.start() if ending else len(line)
        scheme = _SCHEME.search(line, max(at, found - 20), found)
        rest = line[start:end]
        login = _login_end(rest, scheme[0] if scheme else "")
        if not login and last > end and _is_cut_short(_AUTHORITY.match(rest)):
            # A space in a password ends the address too soon.
            rest, login = line[start:last], last - start
        parts += [line[at:start], _HIDDEN + "@" if login else "", _without_values(rest[login:])]
        at = start + len(rest)
    return "".join([*parts, line[at:]])


_SCHEME = re.compile(r"[a-z+]+\Z", re.IGNORECASE)

_AUTHORITY = re.compile(r"[^/?#]*")


def has_unquoted_login(url: str) -> bool:
    """Return whether the user information of a URL has characters that end it too soon: then the
    rest of the password would be taken for the host or the path.
    """
    scheme, _, rest = url.partition("://")
    authority = _AUTHORITY.match(rest)
    end = _login_end(rest, scheme)
    if not authority or end <= authority.end():
        return False
    # A path may have an "@" (https://user:token@host.example/feed@local/).
    host = authority[0].rpartition("@")[2].rpartition(":")[0] or authority[0].rpartition("@")[2]
    is_host = "." in host or host == "localhost" or "]" in authority[0]
    between = rest[authority.end() : end]
    return _is_cut_short(authority) or not is_host or not {"#", "?"}.isdisjoint(between)


def _login_end(rest: str, scheme: str) -> int:
    """Return where the user information ends in what follows ``://``; 0 if there is none."""
    authority = _AUTHORITY.match(rest)
    last = rest.rfind("@") + 1
    if not authority or not last:
        return 0
    own = authority[0].rfind("@") + 1
    if not own and not _is_cut_short(authority):
        return 0
    between = rest[authority.end() : last]
    if own and last > own and scheme.startswith("git+"):
        # The revision comes after an "@".
        revision = rest[last:].partition("#")[0]
        if "/" not in revision and {"#", "?", "@"}.isdisjoint(between[:-1]):
            return own
    return max(own, last)


def _is_cut_short(authority: re.Match[str] | None) -> bool:
    """Return whether a host and port are a user name and the beginning of a password."""
    if authority is None or "@" in authority[0]:
        return False
    _, colon, port = authority[0].rpartition(":")
    return bool(colon) and not port.isdigit() and port != "" and "]" not in port


def _without_values(address: str) -> str:
    """Return an address without a query or fragment that holds a secret, and without the logins of
    the addresses in it (``https://proxy.example/https://user:password@host``).
    """
    address = re.sub(_INNER_LOGIN, rf"\1{_HIDDEN}@", address)
    address, sharp, fragment = address.partition("#")
    address, mark, query = address.partition("?")
    if mark and secret_parameters(query):
        query = _HIDDEN
    if sharp and secret_parameters(fragment):
        fragment = _HIDDEN
    return f"{_without_parameters(address)}{mark}{query}{sharp}{fragment}"


def _without_parameters(path: str) -> str:
    """Return a path without the parameters of its segments that hold a secret, such as
    ``;jsessionid=...`` (https://www.rfc-editor.org/rfc/rfc3986#section-3.3).
    """
    if ";" not in path:
        return path

    def shown(found: re.Match[str]) -> str:
        secret = _grants_access(unquote_plus(found[1]).lower())
        return f";{found[1]}={_HIDDEN}" if secret else found[0]

    return re.sub(_PARAMETER, shown, path)


def without_credentials(url: str) -> str:
    """Return the URL without user information
    (https://packaging.python.org/specifications/direct-url-data-structure/).
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def without_dots(url: str) -> str:
    """Return the URL without the segments ``.`` and ``..`` of its path, which other clients do not
    send either (https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4).
    """
    if "/." not in url:
        return url
    parts = urlsplit(url)
    # urljoin would take the first part of such a path for a host.
    path = parts.path if parts.path.startswith("//") else urljoin("/", parts.path)
    return urlunsplit(parts._replace(path=path))


def storable(url: str) -> str:
    """Return the URL as it may be written to disk: without user information, and without a query
    that holds a secret. A URL that is signed for a short time is of no use to a later reader.
    """
    parts = urlsplit(without_credentials(url))
    if secret_parameters(parts.query):
        parts = parts._replace(query="", fragment="")
    return urlunsplit(parts)


def secret_parameters(query: str) -> tuple[str, ...]:
    """Return the names of the parameters in ``query`` that grant access, lower-case and sorted."""
    if not query:  # as most have none, the expressions need not be compiled
        return ()
    names = {unquote_plus(part.partition("=")[0]).lower() for part in re.split("[&;]", query)}
    return tuple(sorted(name for name in names if _grants_access(name)))


def _grants_access(name: str) -> bool:
    return (
        re.fullmatch(_SIGNING, name) is not None
        or any(word in name for word in _SECRET_WORDS)
        or re.search(_AUTH, f".{name}.") is not None
    )
