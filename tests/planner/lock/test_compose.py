"""The lock is what PEP 751 says, the same each time, and holds no secret."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.pylock import Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.wheels import Wheel as MadeWheel
from helpers.wheels import build_wheel
from planner.index.pages import ProjectFile
from planner.lock.compose import LockContent, build_lock
from planner.lock.errors import SecretInURL
from planner.lock.merge import Entry
from planner.lock.references import Subject
from planner.lock.writer import render_lock
from planner.metadata.remote_metadata import SizedFile
from planner.model.environments import group_targets
from schemas.blocks import scan_blocks
from schemas.hints import WheelHints, wheel_hints
from schemas.target import Target

TARGET = Target.named("3.11", "manylinux_2_28_x86_64")


def package(made: MadeWheel, *dependencies: str, **told: Any) -> tuple[Entry, list[SizedFile]]:
    """An entry of one wheel, which needs the others always."""
    entry = {"url": f"https://files.example/{made.filename}", **told}
    index = "https://index.example/simple"
    file = ProjectFile(made.filename, f"{index}/demo/", entry, index)
    sized = SizedFile(size=made.size, digests={"sha256": made.sha256}, hints=made.hints)
    return Entry(
        name=canonicalize_name(made.name),
        version=Version(made.version),
        marker=None,
        files=(file,),
        sources=(),
        dependencies=tuple(Subject(canonicalize_name(name)) for name in dependencies),
        requires=tuple(dependencies),
    ), [sized]


def render(*packages: tuple[Entry, list[SizedFile]], **changes: Any) -> str:
    content = LockContent(
        environments=group_targets([TARGET]),
        entries=packages,
        extras=(),
        groups=(),
        inputs={"requirements": ["requirements.in"]},
    )
    return render_lock(build_lock(replace(content, **changes)))


APP = build_wheel("app", "2.0")
BASE = build_wheel("base", "1.0")


def test_a_lock_says_all_that_was_planned() -> None:
    told = {"requires-python": ">=3.9", "upload-time": "2026-01-02T03:04:05.678901Z"}
    text = render(package(APP, "base", **told))
    sha256 = APP.sha256
    assert text == (
        f'lock-version = "1.0"\n'
        f"environments = [\n"
        f'    "implementation_name == \\"cpython\\" and platform_machine == \\"x86_64\\" and '
        f'python_version == \\"3.11\\" and sys_platform == \\"linux\\"",\n'
        f"]\n"
        f'requires-python = ">=3.11"\n'
        f"extras = []\n"
        f"dependency-groups = []\n"
        f'created-by = "lockstream"\n'
        f"\n"
        f"[tool.lockstream]\n"
        f"targets = [\n"
        f'    {{ python = "3.11", platform = "manylinux_2_28_x86_64" }},\n'
        f"]\n"
        f"\n"
        f"[tool.lockstream.inputs]\n"
        f"requirements = [\n"
        f'    "requirements.in",\n'
        f"]\n"
        f"\n"
        f"[[packages]]\n"
        f'name = "app"\n'
        f'version = "2.0"\n'
        f'requires-python = ">=3.9"\n'
        f"dependencies = [\n"
        f'    {{ name = "base" }},\n'
        f"]\n"
        f'index = "https://index.example/simple"\n'
        f"\n"
        f"[[packages.wheels]]\n"
        f"upload-time = 2026-01-02 03:04:05.678901+00:00\n"
        f'url = "https://files.example/app-2.0-py3-none-any.whl"\n'
        f"size = {APP.size}\n"
        f"\n"
        f"[packages.wheels.hashes]\n"
        f'sha256 = "{sha256}"\n'
        f"\n"
        f"[packages.tool.lockstream]\n"
        f"requires = [\n"
        f'    "base",\n'
        f"]\n"
        f"\n"
        f'[packages.tool.lockstream.wheels."app-2.0-py3-none-any.whl"]\n'
        f"unpacked-size = {APP.hints.unpacked_size}\n"
        f"files = {APP.hints.files}\n"
        f"largest-file = {APP.hints.largest_file}\n"
    )


def test_another_reader_selects_the_same_wheels() -> None:
    text = render(package(APP, "base"), package(BASE))
    lock = Pylock.from_dict(tomllib.loads(text))
    chosen = lock.select(environment=TARGET.environment, tags=TARGET.tags)  # type: ignore[arg-type]
    assert [wheel.url for _, wheel in chosen] == [  # type: ignore[union-attr]
        f"https://files.example/{made.filename}" for made in (APP, BASE)
    ]


def test_each_package_is_one_block() -> None:
    text = render(package(APP), package(BASE))
    blocks = list(scan_blocks([text.encode()]))
    assert [block.is_package for block in blocks] == [False, True, True]
    hints = wheel_hints(tomllib.loads(blocks[2].text)["packages"][0]["tool"], BASE.filename)
    assert hints == BASE.hints


def test_another_package_changes_no_other_line() -> None:
    both = render(package(APP), package(BASE))
    assert both.startswith(render(package(APP)))


def test_a_lock_of_nothing_lists_nothing() -> None:
    assert tomllib.loads(render())["packages"] == []


def test_the_tool_tables_can_be_deleted() -> None:
    document = tomllib.loads(render(package(APP)))
    del document["tool"], document["packages"][0]["tool"]
    Pylock.from_dict(document)


def test_extras_and_groups_are_told() -> None:
    document = tomllib.loads(render(extras=("a", "b"), groups=("test",)))
    assert (document["extras"], document["dependency-groups"]) == (["a", "b"], ["test"])


def test_an_entry_tells_where_it_is_needed_and_which_version_it_needs() -> None:
    entry, sizes = package(APP)
    needs = (Subject(canonicalize_name("base"), Version("1.0")), Subject(canonicalize_name("part")))
    entry = replace(entry, marker=Marker('"x" in extras'), dependencies=needs)
    (told,) = tomllib.loads(render((entry, sizes)))["packages"]
    assert told["marker"] == '"x" in extras'
    assert told["dependencies"] == [{"name": "base", "version": "1.0"}, {"name": "part"}]


def test_a_lock_holds_from_the_oldest_of_its_pythons_on() -> None:
    targets = [Target.named(version, "linux") for version in ("3.13", "3.9", "3.10")]
    document = tomllib.loads(render(environments=group_targets(targets)))
    assert document["requires-python"] == ">=3.9"
    assert len(document["environments"]) == 3


def test_a_wheel_that_cannot_be_streamed_is_marked() -> None:
    entry, (sized,) = package(APP)
    hints = WheelHints(unpacked_size=1, files=1, largest_file=1, streamable=False)
    assert "streamable = false" in render((entry, [replace(sized, hints=hints)]))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), id="UTC"),
        pytest.param("2026-01-02T03:04:05+01:00", datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
                     id="another zone"),
        pytest.param("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                     id="no zone"),
        pytest.param("yesterday", None, id="no time"),
        pytest.param(None, None, id="not told"),
    ],
)  # fmt: skip
def test_upload_times_are_in_utc(told: str | None, expected: datetime | None) -> None:
    text = render(package(APP, **{"upload-time": told}))
    (wheel,) = tomllib.loads(text)["packages"][0]["wheels"]
    assert wheel.get("upload-time") == expected


def test_a_requires_python_that_cannot_be_read_is_left_out() -> None:
    text = render(package(APP, **{"requires-python": "3.x"}))
    assert "requires-python" not in tomllib.loads(text)["packages"][0]


def test_a_requires_python_that_its_files_do_not_share_is_left_out() -> None:
    entry, sizes = package(APP, **{"requires-python": ">=3.9"})
    (other,) = package(APP)[0].files
    both = replace(entry, files=(*entry.files, other))
    assert "requires-python" not in tomllib.loads(render((both, sizes * 2)))["packages"][0]


def test_the_name_is_told_where_the_address_does_not() -> None:
    text = render(package(APP, url="https://files.example/download/17"))
    (wheel,) = tomllib.loads(text)["packages"][0]["wheels"]
    assert (wheel["name"], wheel["url"]) == (APP.filename, "https://files.example/download/17")


def test_an_escaped_address_tells_the_name() -> None:
    made = build_wheel("app", "2.0+cpu")
    url = f"https://files.example/{made.filename.replace('+', '%2B')}"
    (wheel,) = tomllib.loads(render(package(made, url=url)))["packages"][0]["wheels"]
    assert "name" not in wheel


def test_no_user_and_no_password_is_written() -> None:
    text = render(package(APP, url="https://ada:s3cret@files.example/a.whl#frag"))
    assert "s3cret" not in text
    assert 'url = "https://files.example/a.whl"' in text


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Signature=s3cret&X-Amz-Date=1", "X-Goog-Signature=s3cret", "sig=s3cret&se=1",
        "token=s3cret", "Expires=1&Signature=s3cret&Key-Pair-Id=1", "access_token=s3cret",
    ],
)  # fmt: skip
def test_an_address_that_is_signed_is_refused_and_not_shown(query: str) -> None:
    with pytest.raises(SecretInURL) as raised:
        render(package(APP, url=f"https://files.example/a.whl?{query}"))
    assert "s3cret" not in str(raised.value)
    assert APP.filename in str(raised.value)


def test_a_plain_query_belongs_to_the_address() -> None:
    text = render(package(APP, url="https://files.example/get?file=a.whl"))
    assert 'url = "https://files.example/get?file=a.whl"' in text


def test_files_of_several_indexes_have_no_common_one() -> None:
    entry, sizes = package(APP)
    (file,) = entry.files
    both = replace(entry, files=(file, replace(file, index="https://other.example/simple")))
    assert "index" not in tomllib.loads(render((both, sizes * 2)))["packages"][0]


def test_a_file_of_this_machine_is_told_by_its_path_from_the_lock(tmp_path: Path) -> None:
    entry, sizes = package(APP)
    path = APP.write(tmp_path)
    (file,) = entry.files
    local = replace(entry, files=(replace(file, index="", path=str(path)),))
    text = render((local, sizes), folder=str(tmp_path / "ci"))
    (wheel,) = tomllib.loads(text)["packages"][0]["wheels"]
    assert (wheel["path"], "url" in wheel) == (f"../{APP.filename}", False)
