"""Errors about secrets name the parameter and never its value."""

from __future__ import annotations

from planner.lock.errors import SecretInLock, SecretInURL


def test_a_signed_address_is_named_by_file_and_parameters() -> None:
    error = SecretInURL("demo-1.0-py3-none-any.whl", ("sig", "se"))
    assert str(error).startswith("demo-1.0-py3-none-any.whl: ")
    assert "(sig, se)" in str(error)
    assert error.hint


def test_a_credential_in_the_lock_is_not_shown() -> None:
    assert str(SecretInLock()) == "a credential of an index would appear in the lock"
    assert "nothing was written" in SecretInLock.hint
