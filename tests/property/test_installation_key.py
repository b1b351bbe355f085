"""The key of a cache changes with what is installed, and with nothing else."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from executor.environment.environment import Environment
from executor.install.installation_key import installation_key
from executor.lock.options import SelectOptions

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
WHERE = st.sampled_from(["here", "elsewhere", "in the group"])
MARKERS = {
    "here": None,
    "elsewhere": "sys_platform == 'win32'",
    "in the group": "'docs' in dependency_groups",
}
PACKAGES = st.dictionaries(NAMES, st.tuples(st.integers(1, 3), WHERE), max_size=6)


def lock_text(packages: dict[str, tuple[int, str]], **noise: Any) -> str:
    blocks = []
    for name, (version, where) in sorted(packages.items()):
        wheel = f"{name}-{version}-py3-none-any.whl"
        digest = hashlib.sha256(wheel.encode()).hexdigest()
        block = {
            "name": name,
            "version": str(version),
            "wheels": [{"url": f"https://x.example/{wheel}", "hashes": {"sha256": digest}}],
        }
        if marker := MARKERS[where]:
            block["marker"] = marker
        blocks.append(block)
    head = {"lock-version": "1.0", "created-by": "test", "dependency-groups": ["docs"], **noise}
    return tomli_w.dumps({**head, "packages": blocks})


def key_of(text: str, folder: Path, **options: Any) -> str:
    (folder / "pylock.toml").write_text(text)
    return installation_key(str(folder / "pylock.toml"), environment(), **options).digest


@cache
def environment() -> Environment:
    return Environment.target("/t")


TARGET_OF_TESTS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@TARGET_OF_TESTS
@given(old=PACKAGES, new=PACKAGES, with_docs=st.booleans())
def test_it_changes_exactly_when_what_is_installed_changes(
    tmp_path_factory: Any, old: dict[str, Any], new: dict[str, Any], with_docs: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    select = SelectOptions(groups=frozenset({"docs"} if with_docs else ()))
    installed = {"here", "in the group"} if with_docs else {"here"}

    def selected(packages: dict[str, Any]) -> dict[str, int]:
        return {name: version for name, (version, where) in packages.items() if where in installed}

    keys = [key_of(lock_text(one), folder, select=select) for one in (old, new)]
    assert (keys[0] == keys[1]) == (selected(old) == selected(new))


@TARGET_OF_TESTS
@given(packages=PACKAGES, creator=st.sampled_from(["uv", "pdm"]))
def test_it_does_not_change_with_the_rest_of_the_lock(
    tmp_path_factory: Any, packages: dict[str, Any], creator: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    plain = key_of(lock_text(packages), folder)
    noisy = lock_text(packages, **{"created-by": creator, "tool": {"other": {"x": 1}}})
    assert key_of(noisy, folder) == plain
