"""A named target is what packaging would find on such a machine."""

from __future__ import annotations

import platform
import sys

import pytest
from packaging.markers import Marker, default_environment
from packaging.tags import Tag, sys_tags
from packaging.version import Version

from schemas.errors import UsageError
from schemas.target import DEFAULT_PLATFORMS, Target, forget_tags, platform_tags

UNKNOWN = {"platform_release", "platform_version"}


def own_platform() -> str:
    return next(tag.platform for tag in sys_tags() if not tag.platform.startswith("linux_"))


def test_a_target_made_from_the_facts_of_this_interpreter_accepts_the_same_tags() -> None:
    first = next(tag for tag in sys_tags())
    environment = {key: str(value) for key, value in default_environment().items()}
    target = Target.from_facts(environment, platform=own_platform(), abis=[first.abi])
    assert target.tags == tuple(sys_tags())


@pytest.mark.skipif(platform.python_implementation() != "CPython", reason="names CPython")
def test_naming_this_interpreter_gives_its_markers() -> None:
    version = "{}.{}.{}".format(*sys.version_info)
    named, own = Target.named(version, own_platform()).environment, default_environment()
    assert named.keys() == own.keys()
    assert {key for key in own if named[key] != own[key]} <= UNKNOWN  # type: ignore[literal-required]


@pytest.mark.parametrize(
    ("macos", "darwin"),
    [("10_15", "19.0.0"), ("11_0", "20.0.0"), ("14_2", "23.2.0"), ("15_0", "24.0.0"),
     ("26_1", "25.1.0")],
)  # fmt: skip
def test_a_macos_has_the_kernel_that_markers_ask_for(macos: str, darwin: str) -> None:
    environment = Target.named("3.12", f"macosx_{macos}_x86_64").environment
    assert environment["platform_release"] == darwin


@pytest.mark.parametrize("version", ["3.1", "3.2t", "pypy3.1"])
def test_a_version_that_yaml_has_cut_short_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match=r"is older than 3.6, and nothing is planned") as caught:
        Target.named(version, "linux")
    assert "0 is 3." in str(caught.value.hint)


def test_every_marker_variable_has_a_value() -> None:
    target = Target.named("3.12", "linux")
    for variable in default_environment():
        Marker(f'{variable} == "x"').evaluate(dict(target.environment))


@pytest.mark.parametrize(
    ("python_version", "full"),
    [("3.12", "3.12.0"), ("3.12.4", "3.12.4"), ("3.14.0rc1", "3.14.0rc1"), ("3.13t", "3.13.0")],
)
def test_a_version_is_completed(python_version: str, full: str) -> None:
    target = Target.named(python_version, "linux")
    assert target.environment["python_full_version"] == full
    assert target.python_version == Version(full)
    assert target.environment["python_version"] == ".".join(full.split(".")[:2])


def test_a_version_without_a_release_stands_for_all_of_them() -> None:
    full = [
        one.environment["python_full_version"] for one in Target.named("3.11", "linux").releases()
    ]
    assert (full[:3], full[-1]) == (["3.11.0", "3.11.1", "3.11.2"], "3.11.99")
    pypy = [*Target.named("pypy3.10", "linux").releases()][5].environment
    assert (pypy["python_full_version"], pypy["implementation_version"]) == ("3.10.5", "7.3.0")
    later = Target.named("3.11", "linux").with_release(5).releases()
    assert next(later).environment["python_full_version"] == "3.11.5"
    assert next(later).environment["implementation_version"] == "3.11.6"
    assert len([*Target.named("3.11.0", "linux").releases()]) == 1


@pytest.mark.parametrize(("python", "abi"), [("3.6", "cp36m"), ("3.7", "cp37m"), ("3.8", "cp38")])
def test_until_3_7_the_abi_names_the_allocator(python: str, abi: str) -> None:
    found = {tag.abi for tag in Target.named(python, "linux").tags if tag.abi.startswith("cp")}
    assert found == {abi}


def test_free_threaded_python_has_its_own_abi() -> None:
    tags = Target.named("3.13t", "linux").tags
    assert Tag("cp313", "cp313t", "manylinux_2_28_x86_64") in tags
    assert Tag("cp313", "cp313", "manylinux_2_28_x86_64") not in tags
    assert Tag("cp313", "abi3", "manylinux_2_28_x86_64") not in tags


@pytest.mark.parametrize("name", DEFAULT_PLATFORMS)
def test_plain_names_stand_for_platforms(name: str) -> None:
    assert Target.named("3.12", name) == Target.named("3.12", DEFAULT_PLATFORMS[name])


@pytest.mark.parametrize(
    ("newest", "accepted", "refused"),
    [
        pytest.param("manylinux_2_28_x86_64",
                     ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64",
                      "manylinux1_x86_64", "linux_x86_64"],
                     ["manylinux_2_29_x86_64", "manylinux_2_4_x86_64", "musllinux_1_2_x86_64",
                      "manylinux_2_28_aarch64"], id="manylinux"),
        pytest.param("manylinux_2_28_aarch64",
                     ["manylinux_2_17_aarch64", "manylinux2014_aarch64"],
                     ["manylinux_2_16_aarch64", "manylinux1_aarch64"], id="younger machine"),
        pytest.param("manylinux2014_x86_64", ["manylinux_2_17_x86_64"], ["manylinux_2_18_x86_64"],
                     id="legacy name"),
        pytest.param("musllinux_1_2_x86_64", ["musllinux_1_2_x86_64", "musllinux_1_0_x86_64"],
                     ["musllinux_1_3_x86_64", "manylinux_2_17_x86_64"], id="musllinux"),
        pytest.param("macosx_13_0_arm64", ["macosx_11_0_arm64", "macosx_11_0_universal2"],
                     ["macosx_14_0_arm64", "macosx_13_0_x86_64"], id="macOS"),
        pytest.param("win_amd64", ["win_amd64"], ["win32"], id="Windows"),
    ],
)  # fmt: skip
def test_a_platform_accepts_what_is_older(
    newest: str, accepted: list[str], refused: list[str]
) -> None:
    tags = list(platform_tags(newest))
    assert len(tags) == len(set(tags))
    assert set(accepted) <= set(tags)
    assert not set(refused) & set(tags)


@pytest.mark.parametrize(
    ("platform_tag", "expected"),
    [
        ("linux_armv7l", {"sys_platform": "linux", "platform_machine": "armv7l"}),
        ("musllinux_1_2_aarch64", {"sys_platform": "linux", "platform_machine": "aarch64"}),
        ("macosx_14_0_x86_64", {"sys_platform": "darwin", "platform_machine": "x86_64"}),
        ("win_amd64", {"sys_platform": "win32", "platform_machine": "AMD64", "os_name": "nt"}),
        ("win_arm64", {"platform_machine": "ARM64", "platform_system": "Windows"}),
    ],
)
def test_markers_follow_from_the_platform(platform_tag: str, expected: dict[str, str]) -> None:
    environment = Target.named("3.12", platform_tag).environment
    assert expected.items() <= environment.items()


@pytest.mark.parametrize(
    "python_version", ["", "3", "2.7", "4.0", "3.x", "python3.12", "3.12tt", "3.100"]
)
def test_what_is_no_version_of_python_3_is_refused(python_version: str) -> None:
    with pytest.raises(UsageError, match=r"--python-version .* is not a version of Python 3"):
        Target.named(python_version, "linux")


@pytest.mark.parametrize(
    "platform_tag",
    ["", "atari", "manylinux", "manylinux_2_28", "macosx_14_0_ppc", "any", "macosx_999_0_arm64"],
)
def test_what_is_no_platform_is_refused(platform_tag: str) -> None:
    with pytest.raises(UsageError, match="is not a platform that wheels are built for"):
        Target.named("3.12", platform_tag)


@pytest.mark.parametrize(
    ("platform_tag", "right"),
    [
        ("manylinux_2_28_arm64", "manylinux_2_28_aarch64"),
        ("musllinux_1_2_AMD64", "musllinux_1_2_x86_64"),
        ("manylinux2014_X86_64", "manylinux2014_x86_64"),
        ("linux_arm64", "linux_aarch64"),
        ("linux_x86", "linux_i686"),
        ("manylinux_2_28_armhf", "manylinux_2_28_armv7l"),
    ],
)
def test_a_machine_that_linux_names_otherwise_is_refused(platform_tag: str, right: str) -> None:
    with pytest.raises(UsageError, match="no Linux calls a machine") as raised:
        Target.named("3.12", platform_tag)
    assert raised.value.hint == f"name it as {right}"
    assert Target.named("3.12", right).platform == right


@pytest.mark.parametrize("platform_tag", ["macosx_14_0_arm64", "win_arm64", "linux_armv7l"])
def test_machines_that_are_named_so_are_accepted(platform_tag: str) -> None:
    assert Target.named("3.12", platform_tag).platform == platform_tag


def test_a_target_reads_as_what_it_is() -> None:
    assert str(Target.named("3.12", "win_amd64")) == "CPython 3.12.0 on win_amd64"


def test_an_interpreter_built_from_a_checkout_has_a_version() -> None:
    environment = {**Target.named("3.14", "linux").environment, "python_full_version": "3.14.0+"}
    target = Target.from_facts(environment, platform="manylinux_2_28_x86_64", abis=["cp314"])
    assert target.python_version == Version("3.14.0")


def test_pypy_has_its_own_tags() -> None:
    environment = {
        **Target.named("3.10", "linux").environment,
        "implementation_name": "pypy",
        "platform_python_implementation": "PyPy",
    }
    target = Target.from_facts(environment, platform="manylinux_2_28_x86_64", abis=["pypy310_pp73"])
    assert Tag("pp310", "pypy310_pp73", "manylinux_2_28_x86_64") in target.tags
    assert Tag("py3", "none", "any") in target.tags
    assert not any(tag.interpreter.startswith("cp") for tag in target.tags)


@pytest.mark.parametrize("name", ["3.12", "3.12.4", "3.13t", "pypy3.11", "3.14.0rc1"])
def test_a_target_can_be_noted_and_named_again(name: str) -> None:
    target = Target.named(name, "manylinux_2_28_x86_64")
    assert target.to_table() == {"python": name, "platform": "manylinux_2_28_x86_64"}
    assert Target.from_table(target.to_table()) == target


@pytest.mark.parametrize(
    "table", [None, {}, {"python": 3, "platform": "linux"}, {"python": "2.7", "platform": "linux"}]
)
def test_a_note_that_is_none_is_unknown(table: object) -> None:
    assert Target.from_table(table) is None


def test_pypy_has_its_own_tags_and_markers() -> None:
    target = Target.named("pypy3.11", "manylinux_2_28_x86_64")
    assert Tag("pp311", "pypy311_pp73", "manylinux_2_28_x86_64") in target.tags
    assert Tag("py3", "none", "any") in target.tags
    assert not any(tag.interpreter.startswith("cp") for tag in target.tags)
    assert str(target) == "PyPy 3.11.0 on manylinux_2_28_x86_64"


def test_tags_that_were_forgotten_are_made_again() -> None:
    target = Target.named("3.12", "linux")
    tags = target.tags
    forget_tags()
    assert target.tags == tags
    assert target.tags is not tags
