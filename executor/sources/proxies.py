"""Proxies, as the usual environment variables name them.

``urllib.request`` reads them too and costs 2 MiB. Both spellings of a variable count, the
lower-case one first, as in curl (https://everything.curl.dev/usingcurl/proxies/env.html). In CGI
programs HTTP_PROXY in capitals is ignored, since a client can set it (https://httpoxy.org).
"""

from __future__ import annotations

import os
from urllib.parse import SplitResult, urlsplit

from schemas.errors import UsageError
from schemas.urls import has_unquoted_login, redacted

__all__ = ["proxy_for", "proxy_name"]


_DEFAULT_PORTS = {"http": 80, "https": 443}


def proxy_for(scheme: str, host: str, port: int | None) -> SplitResult | None:
    """Return the proxy to reach ``host`` through, or None.

    Raises UsageError if a variable names an unsupported kind of proxy, or is not an address.
    """
    variable = f"{scheme}_proxy" if _variable(f"{scheme}_proxy") else "all_proxy"
    proxy = _variable(variable)
    if not proxy or _is_exempt(host, port or _DEFAULT_PORTS.get(scheme)):
        return None
    try:
        address = proxy if "://" in proxy else f"http://{proxy}"
        parts = urlsplit(address)
        well_formed = bool(parts.hostname) and parts.port != 0 and not has_unquoted_login(address)
    except ValueError:
        well_formed = False
    if not well_formed:
        # The address is not shown: a password with a slash in it looks like this.
        raise UsageError(
            f"the proxy for {scheme} is not an address",
            hint=f"set {variable.upper()} to http://host:port; quote special characters in a "
            "password (%23 for #)",
        )
    if parts.scheme != "http":
        raise UsageError(
            f"the proxy for {scheme} is of kind {parts.scheme!r}, only http proxies are supported",
            hint=f"set {variable.upper()} to an http:// address, or list the host in NO_PROXY",
        )
    return parts


def proxy_name(proxy: SplitResult) -> str:
    """Return the address of a proxy for messages, without its password."""
    return redacted(proxy.geturl())


def _variable(name: str) -> str:
    if name == "http_proxy" and "REQUEST_METHOD" in os.environ:
        return os.environ.get(name, "")
    return os.environ.get(name) or os.environ.get(name.upper(), "")


def _is_exempt(host: str, port: int | None) -> bool:
    for entry in _variable("no_proxy").split(","):
        name = entry.strip().lower().strip("[]").removeprefix("*").removeprefix(".")
        if not name:
            if entry.strip() == "*":
                return True
            continue
        name, _, only_port = name.partition(":") if name.count(":") == 1 else (name, "", "")
        if only_port and only_port != str(port):
            continue
        if host.lower() == name or host.lower().endswith("." + name) or _in_network(host, name):
            return True
    return False


def _in_network(host: str, network: str) -> bool:
    # Imported only if NO_PROXY is set: the module costs half a MiB.
    from ipaddress import ip_address, ip_network  # noqa: PLC0415

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
