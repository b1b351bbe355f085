"""What an answer without the file means: whether to ask again, and what the user can do."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult

from executor.sources.errors import Unreachable
from executor.sources.http1 import MAX_SHOWN, TunnelRefused
from executor.sources.proxies import proxy_for, proxy_name
from executor.sources.redirects import split
from executor.sources.response import PacedResponse, reason_of
from executor.sources.retries import MAX_REQUESTED_SECONDS, Retryable, requested_pause
from schemas.credentials import login_in
from schemas.text import one_line
from schemas.urls import redacted

__all__ = ["NO_SUCH_RANGE", "TRANSIENT", "other_login", "proxy_of", "refusal", "refusal_of_proxy"]


NO_SUCH_RANGE = 416
"""The status of a request for bytes that a file does not have."""


TRANSIENT = frozenset({408, 421, 425, 429, 500, 502, 503, 504, *range(520, 531)})
"""Statuses that a later attempt may not meet (https://www.rfc-editor.org/rfc/rfc9110#section-15):
421 belongs to a connection, and the next attempt has another; with those from 520 to 530, delivery
networks say that the server behind them does not answer
(https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/)."""


_HINTS = {
    401: (
        "give credentials for its host: in a netrc file, in LOCKSTREAM_INDEX_<NAME>_USERNAME and "
        "_PASSWORD, or in PIP_INDEX_URL"
    ),
    403: "the credentials for its host do not allow it, or the proxy forbids it",
    404: "the file is gone from its index; lock again",
    407: "write its login, user:password@, before its host in HTTP_PROXY or HTTPS_PROXY",
    511: "sign in to the network, then run it again",
}


_WRONG_LOGIN = (
    "the login that was sent is not accepted, or has expired: renew it in its place, or set "
    "another one that comes first (docs/network.md, logins)"
)


_WRONG_PROXY_LOGIN = (
    "the login before its host in HTTP_PROXY or HTTPS_PROXY is not accepted: set another one there"
)


_LOGIN, _PROXY_LOGIN = 401, 407


def proxy_of(parts: SplitResult) -> SplitResult | None:
    """Return the proxy for a URL; None if it is reached directly."""
    return proxy_for(parts.scheme, parts.hostname or "", parts.port)


def other_login(headers: Mapping[str, str]) -> str:
    """Return the kind of login that a server or proxy wants, as text after its answer; nothing if
    it takes user name and password as they are (Basic), which is what is sent (RFC 9110, 11.6.1).
    """
    wanted = headers.get("www-authenticate") or headers.get("proxy-authenticate", "")
    if not wanted or "basic" in wanted.lower():
        return ""
    return f", and wants a login of kind {one_line(wanted.split()[0], MAX_SHOWN)}, not Basic"


def refusal(
    response: PacedResponse, url: str, *, has_login: bool = False
) -> Retryable | Unreachable:
    """Return the error of a response from ``url`` whose status says that it is not the file;
    ``has_login``: a login was sent.
    """
    status = response.status
    answered = f"answered {status} {one_line(response.reason, MAX_SHOWN)}".rstrip()
    reason = f"{_answerer(url, status)} {answered}"
    if status in TRANSIENT or status == NO_SUCH_RANGE:
        pause = requested_pause(response.headers.get("retry-after", ""))
        if pause is not None and pause > MAX_REQUESTED_SECONDS:
            reason += f", and asks to come back in {pause:.0f} seconds"
        return Retryable(reason, pause)
    hint = _HINTS.get(status, Unreachable.hint)
    if status == _PROXY_LOGIN and (proxy := proxy_of(split(url, url))):
        return _login_refused(reason, proxy, response.headers, url)
    if status == _LOGIN:
        reason += other_login(response.headers)
        hint = _WRONG_LOGIN if has_login else hint
    return Unreachable(redacted(url), reason, hint=hint)


def refusal_of_proxy(error: Exception, proxy: SplitResult, url: str) -> Retryable | Unreachable:
    """Return the error of a proxy that cannot be reached, or does not connect to the server of
    ``url``.
    """
    name = proxy_name(proxy)
    if not isinstance(error, TunnelRefused):
        return Retryable(f"the proxy {name} cannot be reached: {reason_of(error)}")
    status = error.status
    reason = f"the proxy {name} answered {status}"
    if status in TRANSIENT or status >= 500:
        return Retryable(reason)
    if status == _PROXY_LOGIN:
        return _login_refused(reason, proxy, error.headers, url)
    return Unreachable(redacted(url), reason, hint=_HINTS.get(status, Unreachable.hint))


def _login_refused(
    reason: str, proxy: SplitResult, headers: Mapping[str, str], url: str
) -> Unreachable:
    hint = _WRONG_PROXY_LOGIN if login_in(proxy) else _HINTS[_PROXY_LOGIN]
    return Unreachable(redacted(url), reason + other_login(headers), hint=hint)


def _answerer(url: str, status: int) -> str:
    """Return which server gave a status: a proxy answers itself to plain http."""
    parts = split(url, url)
    proxy = proxy_of(parts) if parts.scheme == "http" else None
    if proxy is None:
        return "the server"
    name = proxy_name(proxy)
    return f"the proxy {name}" if status == _PROXY_LOGIN else f"the server, or the proxy {name},"
