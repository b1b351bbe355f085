"""Selected is what packaging.pylock selects, or an error names the package and the target."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Environment as MarkerEnvironment
from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError

from executor.lock.errors import (
    Ambiguous,
    InsecureHashes,
    NeedsBuild,
    NoCompatibleWheel,
    NotForThisTarget,
    NotInstallable,
    UnknownName,
)
from executor.lock.options import SelectOptions
from executor.lock.selection import Selector
from executor.lock.step import Step, fixed_order
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode, LockstreamError
from schemas.hints import WheelHints
from schemas.target import Target
from schemas.wheel_filename import parse_wheel_filename

LINUX = Target.named("3.12.4", "manylinux_2_28_x86_64")
MAC = Target.named("3.11", "macosx_14_0_arm64")
WINDOWS = Target.named("3.13t", "win_amd64")
CANDIDATE = replace(LINUX, environment={**LINUX.environment, "python_full_version": "3.12.0rc1"})
CHECKOUT = replace(LINUX, environment={**LINUX.environment, "python_full_version": "3.12.4+"})
TARGETS = [LINUX, MAC, WINDOWS, CANDIDATE, CHECKOUT]

SHA = {"sha256": hashlib.sha256(b"").hexdigest()}


def wheel(filename: str, **more: Any) -> dict[str, Any]:
    return {"url": f"https://example.com/{filename}", "hashes": SHA, **more}


def package(name: str = "demo", *tags: str, **more: Any) -> dict[str, Any]:
    wheels = [wheel(f"{name}-1.0-{tag}.whl") for tag in tags or ("py3-none-any",)]
    table = {"name": name, "version": "1.0", "wheels": wheels, **more}
    return {key: value for key, value in table.items() if value is not None}


def lock(*packages: Mapping[str, Any], **header: Any) -> Pylock:
    named = {key.replace("_", "-"): value for key, value in header.items()}
    document = {"lock-version": "1.0", "created-by": "tests", **named}
    return Pylock.from_dict({**document, "packages": list(packages)})


def select(
    pylock: Pylock, target: Target = LINUX, wanted: SelectOptions | None = None
) -> list[Step]:
    selector = Selector(pylock, target, wanted or SelectOptions())
    steps = (selector.select(found, line) for line, found in enumerate(pylock.packages, 1))
    chosen = [step for step in steps if step is not None]
    selector.finish()
    return chosen


def highest_build_first(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a package whose wheels are in the order in which packaging has to prefer them."""
    wheels = list(table.get("wheels") or ())
    wheels.sort(
        key=lambda one: parse_wheel_filename(one["url"].rpartition("/")[2])[2], reverse=True
    )
    return {**table, "wheels": wheels}


def selected_by_packaging(
    pylock: Pylock,
    target: Target,
    extras: Collection[str] = (),
    groups: Collection[str] | None = None,
) -> list[tuple[Package, Any]]:
    return list(
        pylock.select(
            environment=cast("MarkerEnvironment", dict(target.environment)),
            tags=target.tags,
            extras=extras,
            dependency_groups=groups,
        )
    )


def test_a_version_of_python_that_no_number_holds_is_named() -> None:
    huge = f">={'9' * 5000}"
    with pytest.raises(NotInstallable, match="demo: its requires-python is unusable: Exceeds"):
        select(lock(package(**{"requires-python": huge})))
    with pytest.raises(NotInstallable, match="the lock: its requires-python is unusable"):
        select(lock(requires_python=huge))


@pytest.mark.parametrize(
    ("builds", "chosen"),
    [
        (["1.0", "1.0-1"], "1.0-1"),
        (["1.0-2", "1.0-10", "1.0-9"], "1.0-10"),
        (["1.0-1b", "1.0-1a"], "1.0-1b"),
        (["1.0", "1.0-0"], "1.0-0"),
    ],
)
def test_the_highest_build_number_of_one_tag_is_selected(builds: list[str], chosen: str) -> None:
    for order in (builds, builds[::-1]):
        wheels = [wheel(f"demo-{build}-py3-none-any.whl") for build in order]
        (step,) = select(lock(package("demo", wheels=wheels)))
        assert step.filename == f"demo-{chosen}-py3-none-any.whl"


def test_a_better_tag_counts_more_than_a_build_number() -> None:
    names = ("demo-1.0-9-py3-none-any.whl", "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl")
    (step,) = select(lock(package("demo", wheels=[wheel(name) for name in names])))
    assert step.filename == names[1]


def refusal(kind: type[LockstreamError], *packages: Mapping[str, Any], **header: Any) -> str:
    with pytest.raises(kind) as caught:
        select(lock(*packages, **header))
    assert caught.value.hint
    return str(caught.value)


def archive(filename: str, **more: Any) -> dict[str, Any]:
    url = f"https://user:secret@example.com/{filename}?token=secret#fragment"
    source = {"url": url, "hashes": SHA, **more.pop("source", {})}
    return package(archive=source, wheels=None, version=None, **more)


class TestAgreement:
    TAGS = (
        "py3-none-any", "py2.py3-none-any", "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64", "cp312-abi3-linux_x86_64",
        "cp38-abi3-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_39_x86_64",
        "cp312-cp312-musllinux_1_2_x86_64", "cp311-cp311-macosx_11_0_arm64",
        "cp311-cp311-macosx_11_0_universal2", "cp313-cp313t-win_amd64", "cp313-cp313-win_amd64",
        "py312-none-manylinux_2_5_x86_64", "cp312-none-any", "2-py3-none-any", "10-py3-none-any",
        "1-cp312-cp312-manylinux_2_17_x86_64",
    )  # fmt: skip
    MARKERS = (
        None, "sys_platform == 'linux'", "python_version < '3.12'", "'x' in extras",
        "'x' not in extras and os_name == 'posix'", "'dev' in dependency_groups",
        "'dev' in dependency_groups or 'x' in extras", "platform_machine == 'arm64'",
        "python_full_version >= '3.12.4'", "implementation_name == 'cpython'",
        "platform_release > '5'", "'test' in dependency_groups and python_version in '3.11 3.13'",
    )  # fmt: skip
    PYTHONS = (None, ">=3.8", ">=3.12", "<3.12", "~=3.12.1", "!=3.12.4", ">=3.12.0rc1", "==3.12.*")

    packages = st.builds(
        lambda name, tags, marker, python, sdist: package(
            name,
            *tags,
            **{"marker": marker, "requires-python": python},
            sdist=wheel(f"{name}-1.0.tar.gz") if sdist or not tags else None,
        ),
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.sampled_from(TAGS), max_size=5, unique=True),
        st.sampled_from(MARKERS),
        st.sampled_from((None, None, *PYTHONS)),
        st.booleans(),
    )
    headers = st.fixed_dictionaries(
        {"extras": st.just(["x", "y"]), "dependency_groups": st.just(["dev", "test"])},
        optional={
            "default_groups": st.sampled_from([["dev"], ["base"], []]),
            "requires_python": st.sampled_from([">=3.8", ">=3.12", "<3.13", ">=3.12.0rc1"]),
            "environments": st.lists(
                st.sampled_from(
                    ["sys_platform == 'linux'", "os_name == 'nt'", "python_version >= '3.12'"]
                ),
                min_size=1,
                max_size=2,
            ),
        },
    )

    @given(
        st.lists(packages, max_size=4),
        headers,
        st.sampled_from(TARGETS),
        st.sets(st.sampled_from(["x", "y"])),
        st.none() | st.sets(st.sampled_from(["dev", "test"])),
    )
    def test_every_lock_is_selected_from_as_packaging_does(
        self,
        tables: list[dict[str, Any]],
        header: dict[str, Any],
        target: Target,
        extras: set[str],
        groups: set[str] | None,
    ) -> None:
        pylock = lock(*tables, **header)
        wanted = SelectOptions(
            extras=frozenset(extras),
            groups=frozenset(groups or ()),
            default_groups=groups is None,
        )
        try:
            ordered = lock(*map(highest_build_first, tables), **header)
            expected = selected_by_packaging(ordered, target, extras, groups)
        except PylockSelectError:
            with pytest.raises((NotForThisTarget, Ambiguous, NoCompatibleWheel, NeedsBuild)):
                select(pylock, target, wanted)
            return
        if all(isinstance(file, PackageWheel) for _, file in expected):
            steps = select(pylock, target, wanted)
            assert [(step.name, step.filename) for step in steps] == [
                (found.name, file.filename) for found, file in expected
            ]
        else:
            with pytest.raises(NeedsBuild):
                select(pylock, target, wanted)
            skipping = replace(wanted, skip_unbuildable=True)
            assert [step.filename for step in select(pylock, target, skipping)] == [
                file.filename for _, file in expected if isinstance(file, PackageWheel)
            ]

    @pytest.mark.parametrize("group", ["Dev_Tools", "dev.tools", "DEV-TOOLS"])
    @pytest.mark.parametrize("spelled", ["dev-tools", "Dev_Tools"])
    def test_groups_are_the_same_however_they_are_spelled(self, group: str, spelled: str) -> None:
        pylock = lock(
            package(marker=f"'{spelled}' in dependency_groups"), dependency_groups=[spelled]
        )
        assert len(select(pylock, wanted=SelectOptions(groups=frozenset({group})))) == 1
        assert len(selected_by_packaging(pylock, LINUX, groups=[spelled])) == 1

    def test_extras_are_the_same_however_they_are_spelled(self) -> None:
        pylock = lock(package(marker="'a-b' in extras"), extras=["a-b"])
        assert len(select(pylock, wanted=SelectOptions(extras=frozenset({"A_b"})))) == 1


class TestWanted:
    LOCK = lock(
        *(package(f"e{name}", marker=f"'{name}' in extras") for name in ("x", "y")),
        *(package(f"g{name}", marker=f"'{name}' in dependency_groups") for name in ("a", "b", "c")),
        extras=["x", "y"],
        dependency_groups=["a", "b"],
        default_groups=["a", "c"],
    )

    @pytest.mark.parametrize(
        ("wanted", "names"),
        [
            (SelectOptions(), "ga gc"),
            (SelectOptions(default_groups=False), ""),
            (SelectOptions(all_extras=True), "ex ey ga gc"),
            (SelectOptions(all_groups=True), "ga gb gc"),
            (SelectOptions(all_groups=True, default_groups=False), "ga gb"),
            (SelectOptions(extras=frozenset("y"), groups=frozenset("b")), "ey ga gb gc"),
        ],
    )
    def test_extras_and_groups_are_what_is_asked_for(
        self, wanted: SelectOptions, names: str
    ) -> None:
        assert [step.name for step in select(self.LOCK, wanted=wanted)] == names.split()

    @pytest.mark.parametrize(
        ("wanted", "message"),
        [
            (SelectOptions(extras=frozenset("z")), "the lock has no extra 'z'; it has x, y"),
            (
                SelectOptions(groups=frozenset("z")),
                "the lock has no dependency group 'z'; it has a, b",
            ),
        ],
    )
    def test_one_that_the_lock_has_not_is_refused(
        self, wanted: SelectOptions, message: str
    ) -> None:
        with pytest.raises(UnknownName) as caught:
            select(self.LOCK, wanted=wanted)
        assert str(caught.value) == message
        assert caught.value.exit_code is ExitCode.USAGE
        assert caught.value.hint

    def test_a_lock_without_any_says_so(self) -> None:
        with pytest.raises(UnknownName, match=r"^the lock has no extra 'z'; it has none$"):
            select(lock(), wanted=SelectOptions(extras=frozenset("z")))

    def test_what_is_left_out_is_named(self) -> None:
        sdist = package("source", wheels=None, sdist=wheel("source-1.0.tar.gz"))
        pylock = lock(sdist, package("demo"))
        selector = Selector(pylock, LINUX, SelectOptions(skip_unbuildable=True))
        steps = [selector.select(found, 1) for found in pylock.packages]
        assert [step.name for step in steps if step] == ["demo"]
        assert selector.skipped == ["source"]


class TestStep:
    def test_it_tells_all_that_fetching_needs(self) -> None:
        hints = WheelHints(unpacked_size=10, files=2, largest_file=8, streamable=False)
        tool = {"lockstream": {"wheels": {"demo-1.0-py3-none-any.whl": hints.to_table()}}}
        file = wheel("demo-1.0-py3-none-any.whl", path="wheels/x", size=7)
        file |= {"name": "demo-1.0-py3-none-any.whl"}
        assert select(lock(package(wheels=[file], tool=tool))) == [
            Step(
                name="demo",
                version="1.0",
                filename="demo-1.0-py3-none-any.whl",
                url="https://example.com/demo-1.0-py3-none-any.whl",
                path="wheels/x",
                size=7,
                hashes=tuple(SHA.items()),
                hints=hints,
                is_direct=False,
            )
        ]

    @pytest.mark.parametrize(
        "tool", [{"lockstream": 1}, {"lockstream": {"wheels": []}}, {"other": {}}, {}]
    )
    def test_hints_that_are_none_are_unknown(self, tool: dict[str, Any]) -> None:
        assert select(lock(package(tool=tool)))[0].hints is None

    def test_a_lock_of_built_wheels_is_selected_whole(self) -> None:
        wheels = [build_wheel("one"), build_wheel("two", "2.0")]
        pylock = Pylock.from_dict(tomllib.loads(lock_of(wheels, folder="wheels/", hints=True)))
        assert [
            (step.name, step.version, step.path, step.size, step.hints) for step in select(pylock)
        ] == [
            (made.name, made.version, f"wheels/{made.filename}", made.size, made.hints)
            for made in wheels
        ]

    def test_the_order_is_largest_first_then_by_name(self) -> None:
        sizes: Iterable[tuple[str, int | None]] = [("b", 1), ("d", None), ("a", 1), ("c", 5)]
        files = [
            package(name, wheels=[wheel(f"{name}-1.0-py3-none-any.whl", **_size(size))])
            for name, size in sizes
        ]
        steps = select(lock(*files))
        assert [step.name for step in fixed_order(steps)] == ["c", "a", "b", "d"]
        assert fixed_order(reversed(steps)) == fixed_order(steps)


def _size(size: int | None) -> dict[str, int]:
    return {} if size is None else {"size": size}


class TestArchives:
    FILE = "demo-1.0-py3-none-any.whl"

    def test_one_that_is_a_wheel_is_a_step(self) -> None:
        (step,) = select(lock(archive(self.FILE)))
        assert (step.filename, step.version, step.is_direct) == (self.FILE, "1.0", True)

    def test_its_version_may_be_spelled_otherwise(self) -> None:
        table = {**archive("demo-1.0.0-py3-none-any.whl"), "version": "1.0"}
        assert len(select(lock(table))) == 1

    @pytest.mark.parametrize(
        ("table", "kind", "message"),
        [
            pytest.param(
                archive("other-1.0-py3-none-any.whl"),
                NotInstallable,
                "demo: other-1.0-py3-none-any.whl is a wheel of other 1.0",
                id="another project",
            ),
            pytest.param(
                {**archive("demo-2.0-py3-none-any.whl"), "version": "1.0"},
                NotInstallable,
                "demo: demo-2.0-py3-none-any.whl is a wheel of demo 2.0",
                id="another version",
            ),
            pytest.param(
                archive("demo.whl"),
                NotInstallable,
                "demo: 'demo.whl' is not named as a wheel is",
                id="no wheel name",
            ),
            pytest.param(
                archive(FILE, source={"subdirectory": "x"}),
                NotInstallable,
                f"demo: {FILE} is a wheel, it has no subdirectory",
                id="subdirectory",
            ),
            pytest.param(
                archive("demo-1.0-cp39-cp39-win32.whl"),
                NoCompatibleWheel,
                f"demo 1.0: none of its wheels suits {LINUX}; "
                "the lock lists demo-1.0-cp39-cp39-win32.whl",
                id="another platform",
            ),
            pytest.param(
                archive("demo-1.0.tar.gz"),
                NeedsBuild,
                "the lock has no wheels of these packages, which must be built: "
                "demo (source archive)",
                id="source",
            ),
        ],
    )
    def test_any_other_is_refused_without_its_secrets(
        self, table: dict[str, Any], kind: type[LockstreamError], message: str
    ) -> None:
        assert refusal(kind, table) == message


class TestRefusals:
    @pytest.mark.parametrize(
        ("source", "kind"),
        [
            (
                {"vcs": {"type": "git", "url": "https://example.com/x", "commit-id": "0"}},
                "git repository",
            ),
            ({"directory": {"path": "."}}, "directory"),
            ({"sdist": wheel("demo-1.0.tar.gz")}, "source distribution"),
            (
                {
                    "sdist": wheel("demo-1.0.tar.gz"),
                    "wheels": [wheel("demo-1.0-cp39-cp39-win32.whl")],
                },
                "source distribution",
            ),
        ],
        ids=["vcs", "directory", "sdist", "sdist where no wheel suits"],
    )
    def test_what_would_have_to_be_built_is_named(self, source: dict[str, Any], kind: str) -> None:
        table = package(**{"wheels": None, "version": None, **source})
        assert refusal(NeedsBuild, table) == (
            f"the lock has no wheels of these packages, which must be built: demo ({kind})"
        )
        assert NeedsBuild.exit_code is ExitCode.NO_SOLUTION

    def test_a_package_without_a_wheel_for_the_target_is_named_with_those_it_has(self) -> None:
        tags = [f"cp3{minor}-cp3{minor}-win32" for minor in range(8)]
        listed = ", ".join(f"demo-1.0-{tag}.whl" for tag in tags[:5])
        assert refusal(NoCompatibleWheel, package("demo", *tags)) == (
            "demo 1.0: none of its wheels suits CPython 3.12.4 on manylinux_2_28_x86_64; "
            f"the lock lists {listed} and 3 more"
        )

    def test_two_packages_of_one_name_are_refused_with_their_lines(self) -> None:
        message = refusal(Ambiguous, package("demo"), package("other"), package("demo"))
        assert message == "package 'demo' is selected twice, at lines 1 and 3"
        assert Ambiguous.exit_code is ExitCode.INVALID_INPUT

    def test_two_packages_of_one_name_may_exclude_each_other(self) -> None:
        first = package(marker="os_name == 'nt'")
        assert len(select(lock(first, package(marker="os_name != 'nt'")))) == 1

    @pytest.mark.parametrize(
        ("header", "demand"),
        [
            ({"requires_python": ">=3.13"}, "Python >=3.13"),
            (
                {"environments": ["os_name == 'nt'", "sys_platform == 'darwin'"]},
                'os_name == "nt" or sys_platform == "darwin"',
            ),
        ],
    )
    def test_a_lock_for_others_is_refused_with_what_it_is_for(
        self, header: dict[str, Any], demand: str
    ) -> None:
        assert refusal(NotForThisTarget, package(), **header) == (
            f"the lock is for {demand}, but the target is {LINUX}"
        )
        assert NotForThisTarget.exit_code is ExitCode.NO_SOLUTION

    def test_a_package_for_other_pythons_is_refused(self) -> None:
        assert refusal(NotForThisTarget, package(**{"requires-python": "<3.10"})) == (
            f"demo is for Python <3.10, but the target is {LINUX}"
        )

    @pytest.mark.parametrize(
        "header",
        [{"requires_python": ">=3.11.2"}, {"environments": ["python_full_version >= '3.11.2'"]}],
    )
    def test_a_python_without_a_release_is_the_first_that_the_lock_is_for(
        self, header: dict[str, Any]
    ) -> None:
        tables = [
            package(name, marker=f"python_full_version {sign} '3.11.2'")
            for name, sign in (("older", "<"), ("first", "=="), ("newer", ">"))
        ]
        named = Target.named("3.11", "linux")
        assert [one.name for one in select(lock(*tables, **header), named)] == ["first"]
        with pytest.raises(NotForThisTarget) as caught:
            select(lock(*tables, **header), Target.named("3.11.0", "linux"))
        assert "but the target is CPython 3.11.0 on" in str(caught.value)
        with pytest.raises(NotForThisTarget):
            select(lock(*tables, **header), Target.named("3.10", "linux"))

    def test_a_package_for_later_releases_is_for_a_python_without_one(self) -> None:
        table = package(**{"requires-python": ">=3.11.2"})
        assert len(select(lock(table), Target.named("3.11", "linux"))) == 1
        with pytest.raises(NotForThisTarget):
            select(lock(table), Target.named("3.11.1", "linux"))

    def test_the_hint_for_another_python_names_the_options_that_choose_one(self) -> None:
        with pytest.raises(NotForThisTarget) as caught:
            select(lock(package(), requires_python=">=3.13"))
        assert "--python-version if the environment is a --target" in caught.value.hint
        assert "lockstream plan --python-version 3." in caught.value.hint

    def test_a_package_that_is_not_selected_may_be_for_other_pythons(self) -> None:
        table = package(**{"requires-python": "<3.10"}, marker="os_name == 'nt'")
        assert select(lock(table)) == []

    def test_hashes_that_mean_nothing_are_refused(self) -> None:
        file = wheel("demo-1.0-py3-none-any.whl", hashes={"sha1": "00", "md5": "00"})
        assert refusal(InsecureHashes, package(wheels=[file])) == (
            "demo-1.0-py3-none-any.whl: its hashes are md5, sha1, none of them is secure"
        )
        assert InsecureHashes.exit_code is ExitCode.INVALID_INPUT
