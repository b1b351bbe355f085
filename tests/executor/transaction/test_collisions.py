"""Collisions: one path has one content, whoever owns it and whatever scheme it came through."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executor.environment.installed import Installed, RecordedFile, installed_distributions
from executor.environment.places import Places, Ways
from executor.environment.schemes import Schemes
from executor.files.held_folder import HeldFolder
from executor.files.path_set import PathSet
from executor.transaction import collisions
from executor.transaction.collisions import refuse_collisions
from executor.transaction.commit import WheelMoves, moves_of
from executor.transaction.errors import FileConflict
from executor.transaction.landing import Landings
from executor.wheels.errors import WheelRefused
from executor.wheels.staged_wheel import StagedWheel
from helpers.environments import schemes_below, stage
from helpers.wheels import Wheel, build_wheel
from schemas.errors import ExitCode


@pytest.fixture(name="schemes")
def _schemes(tmp_path: Path) -> Schemes:
    schemes = schemes_below(tmp_path / "env")
    Path(schemes.purelib).mkdir(parents=True)
    return schemes


def wheel_of(name: str, files: dict[str, str], data_files: dict[str, str] | None = None) -> Wheel:
    return build_wheel(name, files=dict(files), data_files=dict(data_files or {}))


def check(
    tmp_path: Path,
    schemes: Schemes,
    *wheels: Wheel,
    going: tuple[str, ...] = (),
    last: bool = False,
) -> None:
    staging = tmp_path / "staging"
    staged: list[StagedWheel] = [
        stage(wheel, staging / str(number), schemes=schemes) for number, wheel in enumerate(wheels)
    ]
    with HeldFolder.at(str(staging)) as held:
        arrivals = [
            WheelMoves(wheel.filename, tuple(moves_of(wheel, schemes, held))) for wheel in staged
        ]
        moves = [move for arrival in arrivals for move in arrival.moves]
        ways = Ways(schemes.roots)
        refuse_collisions(
            arrivals,
            Landings(moves, held, ways),
            ways,
            held,
            going=PathSet(map(Places().key, going)),
            installed=list(installed_distributions(schemes.purelib)),
            last_wins=last,
        )


def refusal(tmp_path: Path, schemes: Schemes, *wheels: Wheel) -> str:
    with pytest.raises(FileConflict) as caught:
        check(tmp_path, schemes, *wheels)
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
    return str(caught.value)


ONE = wheel_of("one", {"shared/x.py": "1", "shared/one.py": ""})
OTHER = wheel_of("other", {"shared/x.py": "2", "shared/other.py": ""})


class TestBetweenWheels:
    def test_a_path_with_two_contents_is_refused_and_both_owners_are_named(
        self, tmp_path: Path, schemes: Schemes
    ) -> None:
        assert refusal(tmp_path, schemes, ONE, OTHER) == (
            f"{schemes.purelib}/shared/x.py: belongs to {ONE.filename} and, "
            f"with other contents, to {OTHER.filename}"
        )

    @pytest.mark.parametrize("part", [1, 2, 7])
    def test_the_first_of_many_shared_paths_is_named_in_whatever_parts_they_are_compared(
        self, tmp_path: Path, schemes: Schemes, monkeypatch: pytest.MonkeyPatch, part: int
    ) -> None:
        monkeypatch.setattr(collisions, "_PART", part)
        names = [f"shared/{number:02}.py" for number in range(20)]
        one, other = dict.fromkeys(names, "1"), dict.fromkeys(names, "1")
        check(tmp_path / "equal", schemes, wheel_of("one", one), wheel_of("other", other))
        other |= {"shared/07.py": "2", "shared/13.py": "2"}
        text = refusal(tmp_path / "two", schemes, wheel_of("one", one), wheel_of("other", other))
        assert text.startswith(f"{schemes.purelib}/shared/07.py: belongs to ")

    def test_thousands_of_shared_paths_are_not_held(
        self, tmp_path: Path, schemes: Schemes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peaks = []
        compare = collisions._first_shared

        def measured(*arguments: Any) -> Any:
            tracemalloc.start()
            found = compare(*arguments)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            return found

        monkeypatch.setattr(collisions, "_first_shared", measured)
        files = {f"shared/{number:05}.py": "" for number in range(5000)}
        check(tmp_path, schemes, wheel_of("one", files), wheel_of("other", files))
        assert max(peaks) < 1 << 20

    def test_a_path_with_one_content_is_shared(self, tmp_path: Path, schemes: Schemes) -> None:
        check(tmp_path, schemes, ONE, wheel_of("other", {"shared/x.py": "1"}))

    @pytest.mark.parametrize("name", ["shared/X.py", "Shared/x.py"])
    def test_a_path_in_another_case_is_the_same_path(
        self, tmp_path: Path, schemes: Schemes, name: str
    ) -> None:
        message = refusal(tmp_path, schemes, ONE, wheel_of("other", {name: "2"}))
        assert message.endswith(
            f"belongs to {ONE.filename} and, with other contents, to other-1.0-py3-none-any.whl"
        ) or (f"to {ONE.filename}" in message)
        check(tmp_path / "same", schemes, ONE, wheel_of("other", {name: "1"}))
        check(tmp_path / "last", schemes, ONE, wheel_of("other", {name: "2"}), last=True)

    def test_folders_that_are_linked_are_one(self, tmp_path: Path, schemes: Schemes) -> None:
        """Where a system has lib64, it is a link to lib."""
        linked = tmp_path / "env/lib64"
        linked.symlink_to(tmp_path / "env/lib")
        schemes = replace(schemes, platlib=str(linked / "site-packages"))
        binary = build_wheel("other", files={"shared/x.py": "2"}, purelib=False)
        assert "shared/x.py: belongs to" in refusal(tmp_path, schemes, ONE, binary)

    def test_contents_of_one_size_are_compared_to_their_end(
        self, tmp_path: Path, schemes: Schemes
    ) -> None:
        long = "x" * 200_000
        one, same = (wheel_of(name, {"x": long + "1"}) for name in ("one", "same"))
        check(tmp_path, schemes, one, same)
        other = wheel_of("other", {"x": long + "2"})
        assert "/x: belongs to" in refusal(tmp_path / "again", schemes, one, other)

    def test_the_last_may_win_where_the_user_says_so(
        self, tmp_path: Path, schemes: Schemes
    ) -> None:
        check(tmp_path, schemes, ONE, OTHER, last=True)

    @pytest.mark.parametrize("last", [False, True])
    def test_a_file_in_the_place_of_a_folder_is_always_refused(
        self, tmp_path: Path, schemes: Schemes, last: bool
    ) -> None:
        with pytest.raises(FileConflict):
            check(tmp_path, schemes, ONE, wheel_of("other", {"shared": "file"}), last=last)

    @pytest.mark.parametrize(
        ("path", "data"),
        [
            pytest.param("bin/run", {"scripts/run": "#!/bin/sh\n"}, id="scripts"),
            pytest.param("lib/site-packages/x.py", {"purelib/x.py": "1"}, id="purelib"),
            pytest.param("include/other/x.h", {"headers/x.h": "1"}, id="headers"),
        ],
    )
    def test_a_path_that_is_reached_through_two_schemes_is_one_path(
        self, tmp_path: Path, schemes: Schemes, path: str, data: dict[str, str]
    ) -> None:
        one = wheel_of("one", {}, data_files={f"data/{path}": "of another"})
        other = wheel_of("other", {}, data_files=data)
        for number, wheels in enumerate([(one, other), (other, one)]):
            message = refusal(tmp_path / str(number), schemes, *wheels)
            assert message.startswith(f"{schemes.data}/{path}: belongs to ")

    def test_purelib_and_platlib_apart_do_not_meet(self, tmp_path: Path, schemes: Schemes) -> None:
        apart = replace(schemes, platlib=f"{schemes.data}/lib64")
        one = build_wheel("one", files={"x.py": "1"})
        other = build_wheel("other", files={"x.py": "2"}, purelib=False)
        check(tmp_path, apart, one, other)
        assert "/x.py: belongs to" in refusal(tmp_path / "together", schemes, one, other)


class TestInOneWheel:
    @pytest.mark.parametrize("last", [False, True])
    @pytest.mark.parametrize("inner", ["x.py", "x.py/inner"])
    def test_two_contents_of_one_path_are_refused_whatever_the_user_says(
        self, tmp_path: Path, schemes: Schemes, inner: str, last: bool
    ) -> None:
        clash = wheel_of("one", {"x.py": "1"}, {f"purelib/{inner}": "2"})
        with pytest.raises(WheelRefused) as caught:
            check(tmp_path, schemes, clash, last=last)
        assert str(caught.value) == (
            f"{clash.filename}: two of its members go to {schemes.purelib}/x.py, and differ"
        )
        assert "lock another version" in caught.value.hint

    def test_it_is_refused_also_where_another_would_win(
        self, tmp_path: Path, schemes: Schemes
    ) -> None:
        clash = wheel_of("two", {"x.py": "1"}, {"purelib/x.py": "2"})
        with pytest.raises(WheelRefused):
            check(tmp_path, schemes, wheel_of("one", {"x.py": "0"}), clash, last=True)

    def test_equal_contents_are_one_file(self, tmp_path: Path, schemes: Schemes) -> None:
        check(tmp_path, schemes, wheel_of("one", {"x.py": "1"}, {"purelib/x.py": "1"}), last=True)

    def test_names_that_only_look_alike_are_two_in_any_scheme(
        self, tmp_path: Path, schemes: Schemes
    ) -> None:
        check(tmp_path, schemes, wheel_of("one", {"x.py": "1"}, {"purelib/X.py": "2"}))


class TestWithWhatIsInstalled:
    def install(self, schemes: Schemes, path: str, text: str) -> Path:
        place = Path(schemes.purelib, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def test_another_content_is_refused(self, tmp_path: Path, schemes: Schemes) -> None:
        self.install(schemes, "shared/x.py", "mine")
        assert refusal(tmp_path, schemes, ONE) == (
            f"{schemes.purelib}/shared/x.py: belongs to no distribution, but is there already "
            f"and, with other contents, to {ONE.filename}"
        )

    def test_its_owner_is_named(self, tmp_path: Path, schemes: Schemes) -> None:
        self.install(schemes, "shared/x.py", "mine")
        self.install(schemes, "mine-3.dist-info/RECORD", "shared/x.py,,\n")
        assert "belongs to mine 3, which is installed and" in refusal(tmp_path, schemes, ONE)

    def test_the_same_content_is_shared(self, tmp_path: Path, schemes: Schemes) -> None:
        self.install(schemes, "shared/x.py", "1")
        check(tmp_path, schemes, ONE)

    def test_what_goes_is_in_nobodys_way(self, tmp_path: Path, schemes: Schemes) -> None:
        place = self.install(schemes, "shared/x.py", "old")
        check(tmp_path, schemes, ONE, going=(str(place),))

    @pytest.mark.parametrize("target", ["elsewhere", "missing"])
    def test_a_link_is_never_written_through(
        self, tmp_path: Path, schemes: Schemes, target: str
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        Path(schemes.purelib, "shared").symlink_to(tmp_path / target)
        assert "/shared: belongs to no distribution" in refusal(tmp_path, schemes, ONE)

    def test_a_link_to_the_same_content_is_not_the_same_file(
        self, tmp_path: Path, schemes: Schemes
    ) -> None:
        (tmp_path / "x.py").write_text("1")
        Path(schemes.purelib, "shared").mkdir()
        Path(schemes.purelib, "shared/x.py").symlink_to(tmp_path / "x.py")
        assert "/x.py: belongs to no distribution" in refusal(tmp_path, schemes, ONE)

    @pytest.mark.parametrize("more", [(), ("thing/sub/__pycache__/x.cpython-311.pyc",)])
    def test_a_folder_whose_files_all_go_is_in_nobodys_way(
        self, tmp_path: Path, schemes: Schemes, more: tuple[str, ...]
    ) -> None:
        packages = Path(schemes.purelib)
        for name in ("thing/sub/x.py", *more):
            (packages / name).parent.mkdir(parents=True, exist_ok=True)
            (packages / name).write_text("")
        going = (f"{packages}/thing/sub/x.py",)
        new = wheel_of("new", {"thing": "a file now"})
        check(tmp_path, schemes, new, going=going)
        (packages / "thing/other").write_text("")
        with pytest.raises(FileConflict):
            check(tmp_path / "again", schemes, new, going=going)

    def test_the_owners_of_many_files_are_read_once(
        self, tmp_path: Path, schemes: Schemes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The files of a package may have lost their dist-info folder."""
        names = [f"many/{number}.py" for number in range(50)]
        for name in names:
            self.install(schemes, name, "old")
        self.install(schemes, "other-1.0.dist-info/RECORD", "other.py,,\n")
        read: list[str] = []
        recorded = Installed.recorded

        def counted(found: Installed) -> Iterator[RecordedFile]:
            read.append(found.name)
            return recorded(found)

        monkeypatch.setattr(Installed, "recorded", counted)
        check(tmp_path, schemes, wheel_of("many", dict.fromkeys(names, "new")), last=True)
        assert len(read) < 5


class TestThroughLinks:
    @pytest.fixture(name="env")
    def _env(self, schemes: Schemes) -> Path:
        """As on many systems: ``lib64`` -> ``lib`` and ``man`` -> ``share/man``."""
        env = Path(schemes.data)
        (env / "share/man").mkdir(parents=True)
        (env / "lib64").symlink_to("lib")
        (env / "man").symlink_to("share/man")
        return env

    def test_a_link_that_stays_inside_is_a_folder(
        self, tmp_path: Path, schemes: Schemes, env: Path
    ) -> None:
        assert env.is_dir()
        check(tmp_path, schemes, wheel_of("one", {}, {"data/man/man1/x.1": "", "data/lib64/x": ""}))

    def test_two_ways_to_one_path_meet(self, tmp_path: Path, schemes: Schemes, env: Path) -> None:
        one = wheel_of("one", {}, {"data/man/man1/x.1": "1"})
        other = wheel_of("other", {}, {"data/share/man/man1/x.1": "2"})
        message = refusal(tmp_path, schemes, one, other)
        assert message.startswith(f"{env}/share/man/man1/x.1: belongs to ")
        same = wheel_of("other", {}, {"data/share/man/man1/x.1": "1"})
        check(tmp_path / "same", schemes, one, same)

    def test_a_way_into_site_packages_meets_what_is_there(
        self, tmp_path: Path, schemes: Schemes, env: Path
    ) -> None:
        (env / "lib/site-packages/x.py").write_text("mine")
        one = wheel_of("one", {}, {"data/lib64/site-packages/x.py": "1"})
        assert f"{env}/lib/site-packages/x.py: " in refusal(tmp_path, schemes, one)

    @pytest.mark.parametrize("last", [False, True])
    def test_a_file_never_replaces_a_way(
        self, tmp_path: Path, schemes: Schemes, env: Path, last: bool
    ) -> None:
        with pytest.raises(FileConflict):
            check(tmp_path, schemes, wheel_of("one", {}, {"data/man": "file"}), last=last)
        assert (env / "man").is_symlink()


class TestWhereFoldersAreNeeded:
    """A file where another wheel needs a folder would stop the commit in the middle."""

    @pytest.mark.parametrize(
        ("path", "data"),
        [
            # The folders of the environment themselves are refused when a wheel is staged.
            ("include/other", {"headers/x.h": ""}),
            ("share/other", {"data/share/other/deep/x": ""}),
            ("lib/site-packages/x", {"purelib/x/y.py": ""}),
        ],
    )
    @pytest.mark.parametrize("last", [False, True])
    def test_a_data_file_there_is_refused(
        self, tmp_path: Path, schemes: Schemes, path: str, data: dict[str, str], last: bool
    ) -> None:
        evil, other = wheel_of("evil", {}, {f"data/{path}": ""}), wheel_of("other", {}, data)
        for number, wheels in enumerate([(evil, other), (other, evil)]):
            with pytest.raises(FileConflict) as caught:
                check(tmp_path / str(number), schemes, *wheels, last=last)
            assert caught.value.path == f"{schemes.data}/{path}"

    @pytest.mark.parametrize("kind", ["file", "link to nothing"])
    def test_what_is_there_already_is_refused(
        self, tmp_path: Path, schemes: Schemes, kind: str
    ) -> None:
        if kind == "file":
            Path(schemes.scripts).write_text("")
        else:
            Path(schemes.scripts).symlink_to("nowhere")
        with pytest.raises(FileConflict) as caught:
            check(tmp_path, schemes, wheel_of("one", {}, {"scripts/run": "#!/bin/sh\n"}))
        assert caught.value.path == schemes.scripts
        assert caught.value.hint == "move it away: one is a file, the other a folder"

    @pytest.mark.parametrize("spelling", ["share", "link/share"])
    def test_who_has_files_in_a_folder_that_is_in_the_way_is_named(
        self, tmp_path: Path, schemes: Schemes, spelling: str
    ) -> None:
        env, dist_info = Path(schemes.data), Path(schemes.purelib, "mine-3.dist-info")
        (env / "share").mkdir()
        (env / "link").symlink_to(".")
        (env / "share/x").write_text("mine")
        dist_info.mkdir()
        (dist_info / "RECORD").write_text(f"{env}/{spelling}/x,,\n")
        message = refusal(tmp_path, schemes, wheel_of("one", {}, {"data/share": "file"}))
        assert "belongs to mine 3, which is installed and" in message


@pytest.mark.parametrize(
    ("mine", "files", "hint"),
    [
        ("", {"x.py": "2"}, "or let the later name win with --on-collision last"),
        (
            "x.py",
            {"x.py": "2"},
            "move it away, or let the wheel replace it with --on-collision last",
        ),
        ("", {"x.py/sub": "2"}, "lock only one of the two: one has a file where the other needs"),
    ],
)
def test_the_hint_names_the_way_out(
    tmp_path: Path, schemes: Schemes, mine: str, files: dict[str, str], hint: str
) -> None:
    wheels = [wheel_of("one", {"x.py": "1"}), wheel_of("two", files)]
    if mine:
        Path(schemes.purelib, mine).write_text("mine")
        wheels.pop(0)
    with pytest.raises(FileConflict) as caught:
        check(tmp_path, schemes, *wheels)
    assert hint in caught.value.hint
    if "--on-collision" in hint:
        check(tmp_path / "last", schemes, *wheels, last=True)
