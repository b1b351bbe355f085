"""URLs are shown and stored without secrets."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.urls import (
    hidden,
    is_malformed,
    may_be_hidden,
    redacted,
    secret_parameters,
    storable,
    without_dots,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a/b.whl", "https://example.com/a/b.whl"),
        ("https://user:secret@example.com:8080/x", "https://example.com:8080/x"),
        ("https://token@example.com/x", "https://example.com/x"),
        ("https://a@b:c@example.com/x", "https://example.com/x"),
        ("https://example.com/x?X-Amz-Signature=secret&token=secret", "https://example.com/x"),
        ("https://example.com/x#secret", "https://example.com/x"),
        ("https://user:secret@[::1]:80/x", "https://[::1]:80/x"),
        ("git+https://secret@example.com/x", "git+https://example.com/x"),
        ("//user:secret@example.com/x", "//example.com/x"),
        ("file:///home/user/x.whl", "file:///home/user/x.whl"),
        ("", ""),
        ("https://user:secret@[::1/x", "a malformed URL"),
        ("https://user:secret@exam\u2100ple.com/x", "a malformed URL"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert redacted(url) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a;jsessionid=secret/x.whl", "/a;jsessionid=***/x.whl"),
        ("/a;v=1;Access%5FToken=secret;b/x", "/a;v=1;Access%5FToken=***;b/x"),
        ("/a;key=secret", "/a;key=***"),
        ("/a;v=1;rev/x;y", "/a;v=1;rev/x;y"),
    ],
)
def test_a_parameter_of_a_path_that_grants_access_is_hidden(path: str, shown: str) -> None:
    url = f"https://example.com{path}"
    assert redacted(url) == f"https://example.com{shown}"
    assert hidden(f"see {url} twice") == f"see https://example.com{shown} twice"


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://user:secret@example.com/x?download=1#a", "https://example.com/x?download=1#a"),
        ("https://example.com/x?X-Amz-Signature=secret&a=1", "https://example.com/x"),
        ("https://example.com/x?a=1&X-Goog-Credential=secret#y", "https://example.com/x"),
        ("https://example.com/x?se=2030&sig=secret", "https://example.com/x"),
        ("https://example.com/x?private_token=secret", "https://example.com/x"),
        ("https://example.com/x?Key-Pair-Id=secret", "https://example.com/x"),
        ("https://example.com/x?a=1;api%5Fkey=secret", "https://example.com/x"),
        ("https://example.com/x?author=1&expired=2", "https://example.com/x?author=1&expired=2"),
        ("https://example.com/x?design=1&assignee=2", "https://example.com/x?design=1&assignee=2"),
    ],
)
def test_a_url_is_stored_without_secrets(url: str, stored: str) -> None:
    assert storable(url) == stored


@pytest.mark.parametrize(
    ("query", "secret"),
    [
        ("", ()),
        ("download=1&authors=2&oauthor=3&monkey=4", ()),
        ("Expires=1&Signature=x&AWSAccessKeyId=y", ("awsaccesskeyid", "expires", "signature")),
        ("sv=1&se=2&sig=3", ("se", "sig")),
        ("X-Amz-Date=1&x-goog-date=2", ("x-amz-date", "x-goog-date")),
        ("access_token=1&auth=2&x-auth-user=3", ("access_token", "auth", "x-auth-user")),
        ("passwd=1&password=2&apikey=3", ("apikey", "passwd", "password")),
        ("token", ("token",)),
    ],
)
def test_parameters_that_grant_access_are_named(query: str, secret: tuple[str, ...]) -> None:
    assert secret_parameters(query) == secret


@pytest.mark.parametrize(
    "name",
    [
        "code", "jwt", "key", "authorization", "X-JFrog-Art-Api", "private_token", "job-token",
        "OSSAccessKeyId", "x-oss-signature", "q-sign-algorithm", "q-signature", "hdnts", "sp.auth",
        "X-Obs-Date", "GoogleAccessId", "db_pwd", "AWSAccessKeyId", "X-Tos-Signature", "sas",
        "temp_url_sig", "temp_url_expires", "rlkey", "tempauth", "authkey", "_upt", "verify",
        "access_key", "oauth_signature", "sessionid", "license_key", "pass", "passphrase", "sk",
    ],
)  # fmt: skip
def test_a_parameter_that_grants_access_is_known(name: str) -> None:
    assert secret_parameters(f"a=1&{name}=secret") == (name.lower(),)


@pytest.mark.parametrize(
    "name",
    [
        "author",
        "version",
        "codec",
        "keyboard",
        "download",
        "sizes",
        "path",
        "passes",
        "verified",
        "x-id",
        "ask",
    ],
)
def test_a_parameter_that_only_looks_so_is_kept(name: str) -> None:
    assert secret_parameters(f"{name}=1") == ()


def test_a_long_query_is_read_in_linear_time() -> None:
    assert secret_parameters("tok" * 1_000_000) == ()


@pytest.mark.parametrize(
    "text",
    [
        "the index 'u:{}@h.example' is not an address", "u:{}@h:8080", "a u.x:{}@[::1]/simple b",
        "proxy=user:{}@proxy.example:3128", "http:/u:{}@h/x", "'https:///u:{}@h:1/x'",
        "the index 'http://u:{}%40h.example:1/simple' is none", "x u:{}@h and v:{}@w",
        "//u:1@h u:{}@h",
    ],
)  # fmt: skip
def test_a_login_is_hidden_also_if_the_scheme_was_forgotten(text: str) -> None:
    assert "horse" not in hidden(text.format("horse", "horse"))


@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/a/b:1.0@sha256:" + "0" * 64, "git@host.example:a/b", "at 12:30, a@b.example",
        "C:\\x@y", "a: b@c", "name @ file:///x", "-r a.txt:3: x@y",
    ],
)  # fmt: skip
def test_what_is_no_login_stays(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://proxy.example/https://u:horse@h.example/x", "http://a/http://b/https://horse@h/",
        "see https://a.example/?to=https://u:horse@h/ now", "https://a/?to=https%3A%2F%2Fu:horse%40h",
    ],
)  # fmt: skip
def test_a_login_is_hidden_in_an_address_within_another(text: str) -> None:
    assert "horse" not in hidden(text)
    assert "***" in hidden(text)
    assert "horse" not in redacted(text)


def test_addresses_within_others_are_looked_for_in_linear_time() -> None:
    began = time.process_time()
    for piece in ("a://", "://a:", "://a@", "%3A%2F%2Fa", "a://b/?"):
        hidden("https://h/" + piece * 100_000)
    assert time.process_time() - began < 5


def test_an_address_without_a_scheme_is_redacted() -> None:
    assert redacted("u:horse@h.example/x") == "h.example/x"
    assert redacted("u:horse@h:x") == "h:x"


def test_bare_logins_are_looked_for_in_linear_time() -> None:
    began = time.process_time()
    redacted("https://example.com/" + ";token=" * 100_000)
    for piece in ("a:", "a:b,", "a", "a:@", ":@a", "a:b@"):
        hidden(piece * 100_000)
    assert time.process_time() - began < 5


@given(
    st.lists(
        st.sampled_from(
            ["user", ":", "pass", "@", "host", "://", "/", "Authorization", " ", "Basic", "?", "=",
             "token", "\n", '"', "\\"]
        ),
        max_size=12,
    ).map("".join)
)  # fmt: skip
def test_what_is_hidden_is_looked_for_in_json_too(text: str) -> None:
    if hidden(text) != text:
        assert may_be_hidden(json.dumps(["x", text], ensure_ascii=False))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://f.example/a/../b/./c?d=/../e#/../f", "https://f.example/b/c?d=/../e#/../f"),
        ("https://u:p@f.example/../a", "https://u:p@f.example/a"),
        ("https://f.example/.well-known/a..b", "https://f.example/.well-known/a..b"),
        ("https://f.example//host/../a", "https://f.example//host/../a"),
        ("git+https://f.example/a/../b.git@v1", "git+https://f.example/b.git@v1"),
    ],
)
def test_an_address_is_asked_for_without_dots(url: str, expected: str) -> None:
    assert without_dots(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/a[1].whl", False),
        ("https://[::1]:80/x", False),
        ("https://b\u00fccher.example/x", False),
        ("../demo [1].whl", False),
        ("https://[::1/x", True),
        ("https://exam\u2100ple.com/x", True),
    ],
)
def test_a_url_is_malformed_if_its_host_cannot_be_told(url: str, expected: bool) -> None:
    assert is_malformed(url) is expected
