"""The groups of this process are found in the layouts that container engines make."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from executor.budget.cgroups import _contents as contents
from executor.budget.cgroups import own_groups, processes_of, read_int, read_table, write_int

Layout = Callable[[str, str, Sequence[str]], list[str]]


@pytest.fixture(name="layout")
def prepared_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Return the groups that are found with these memberships, mounts and folders of groups."""

    def layout(cgroup: str, mounts: str, folders: Sequence[str]) -> list[str]:
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "cgroup.procs").write_text("1\n")
        stated = {
            "/proc/self/cgroup": cgroup.encode(),
            "/proc/self/mountinfo": mounts.replace("@", str(tmp_path)).encode("latin-1"),
        }

        monkeypatch.setattr(
            "executor.budget.cgroups._contents",
            lambda path: stated[path] if path in stated else contents(path),
        )
        return [os.path.relpath(folder, tmp_path) for folder, _ in own_groups("memory")]

    return layout


DOCKER = "/docker/4f3a9c"
POD = "/kubepods/burstable/pod1b2c/4f3a9c"
SLICE = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b.slice/cri-4f.scope"
USER = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-4f.scope/container"
V1 = "35 31 0:32 {} @/memory ro,nosuid - cgroup cgroup rw,memory\n"
V2 = "35 31 0:32 {} @/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n"


@pytest.mark.parametrize(
    ("cgroup", "mounts", "folders", "expected"),
    [
        # https://docs.docker.com/engine/containers/runmetrics/: the own part is bind-mounted.
        pytest.param(f"4:memory:{DOCKER}\n", V1.format(DOCKER), ["memory"], ["memory"],
                     id="Docker, version 1"),
        # https://docs.docker.com/engine/containers/run/ (--cgroupns=private, the default)
        pytest.param("0::/\n", V2.format("/"), ["cgroup"], ["cgroup"], id="Docker, version 2"),
        # --cgroupns=host: the whole tree is mounted.
        pytest.param(
            "0::/system.slice/docker-4f.scope\n", V2.format("/"),
            ["cgroup", "cgroup/system.slice", "cgroup/system.slice/docker-4f.scope"],
            ["cgroup/system.slice/docker-4f.scope", "cgroup/system.slice", "cgroup"],
            id="Docker, version 2, groups of the host",
        ),
        # https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ names the classes; the
        # drivers are those of https://kubernetes.io/docs/setup/production-environment/
        # container-runtimes/#cgroup-drivers.
        pytest.param(f"9:memory:{POD}\n", V1.format(POD), ["memory"], ["memory"],
                     id="Kubernetes, version 1, driver cgroupfs"),
        pytest.param(f"0::{SLICE}\n", V2.format(SLICE), ["cgroup"], ["cgroup"],
                     id="Kubernetes, version 2, driver systemd"),
        # https://docs.podman.io/en/latest/markdown/podman-run.1.html (--cgroupns)
        pytest.param(
            f"0::{USER}\n", V2.format("/"), [f"cgroup{USER}"],
            [f"cgroup{folder}" for folder in
             [USER, *map(str, list(Path(USER).parents)[:-1])]] + ["cgroup"],
            id="Podman, rootless",
        ),
        # https://www.freedesktop.org/software/systemd/man/latest/systemd-run.html (--scope)
        pytest.param("0::/user.slice/run-u7.scope\n", V2.format("/"),
                     ["cgroup/user.slice/run-u7.scope"],
                     ["cgroup/user.slice/run-u7.scope", "cgroup/user.slice", "cgroup"],
                     id="a scope of systemd"),
        # https://linuxcontainers.org/lxc/manpages/man5/lxc.container.conf.5.html
        pytest.param("4:memory:/lxc.payload.box\n", V1.format("/lxc.payload.box"), ["memory"],
                     ["memory"], id="LXC"),
        # https://github.com/docker-library/docker/blob/master/dockerd-entrypoint.sh: the outer
        # container shows its part, the inner one its own.
        pytest.param(f"4:memory:{DOCKER}/docker/77\n", V1.format(f"{DOCKER}/docker/77"),
                     ["memory"], ["memory"], id="Docker in Docker, inside"),
        pytest.param(f"4:memory:{DOCKER}/docker/77\n", V1.format(DOCKER),
                     ["memory", "memory/docker/77"],
                     ["memory/docker/77", "memory/docker", "memory"],
                     id="Docker in Docker, the outer one's groups are mounted"),
        pytest.param("4:memory:/job\n", V1.format("/"), ["memory/job"], ["memory/job", "memory"],
                     id="a machine, version 1"),
        # A group whose name only begins like the mounted one is not below it.
        pytest.param("4:memory:/docker/abc\n", V1.format("/docker/ab"), ["memory"], ["memory"],
                     id="another container's part is all there is"),
        # cgroup_namespaces(7): a process outside of the namespace.
        pytest.param("0::/../other\n", V2.format("/"), ["cgroup", "other"], ["cgroup"],
                     id="outside of the cgroup namespace"),
        # opencontainers/runtime-tools#652, cilium/cilium#4832
        pytest.param("0::/\n", "30 29 0:31 / /tmp rw - tmpfs  rw\n" + V2.format("/"), ["cgroup"],
                     ["cgroup"], id="a mount with an empty source"),
        pytest.param("0::/\n", "30 29 0:31 / /mnt/\xff\xfe rw - nfs \xe9:/x rw\n" + V2.format("/"),
                     ["cgroup"], ["cgroup"], id="names that are not UTF-8"),
        pytest.param("0::/\n", "35 31 0:32 / @/my\\040groups ro - cgroup2 cgroup rw\n",
                     ["my groups"], ["my groups"], id="a mount point with a space"),
        pytest.param("4:memory:/job\n", "35 31 0:3 / @/covered ro - cgroup cgroup rw,memory\n"
                     + V1.format("/"), ["memory/job"], ["memory/job", "memory"],
                     id="the first mount is masked"),
        pytest.param("4:memory:/job\n", "30 29 0:31 / /tmp rw - tmpfs tmpfs rw\n", [], [],
                     id="nothing is mounted"),
        pytest.param("broken\n\n4:memory:/job\n", "short line\n" + V1.format("/"), ["memory/job"],
                     ["memory/job", "memory"], id="lines of another form"),
    ],
)  # fmt: skip
def test_the_own_group_and_its_ancestors_are_found(
    layout: Layout, cgroup: str, mounts: str, folders: list[str], expected: list[str]
) -> None:
    assert layout(cgroup, mounts, folders) == expected


def test_a_mount_that_lists_this_process_goes_before_one_that_does_not(
    layout: Layout, tmp_path: Path
) -> None:
    mounts = "".join(
        f"35 31 0:3 /a/{name} @/{name} ro - cgroup2 cgroup rw\n" for name in ("one", "two")
    )
    (tmp_path / "two").mkdir()
    layout("0::/elsewhere\n", mounts, ["one", "two"])
    (tmp_path / "two" / "cgroup.procs").write_text(f"1\n{os.getpid()}\n")
    assert [folder for folder, _ in own_groups("memory")] == [str(tmp_path / "two")]


def test_processes_are_those_of_a_group_and_of_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "cgroup.procs").write_text("1\n0\n")
    (tmp_path / "a" / "b" / "cgroup.procs").write_text("17\n")
    assert list(processes_of(str(tmp_path))) == [1, 0, 17]
    assert list(processes_of(str(tmp_path / "absent"))) == []


def test_a_number_is_read_where_there_is_one(tmp_path: Path) -> None:
    for content, expected in (("17\n", 17), ("max\n", None), ("", None)):
        (tmp_path / "file").write_text(content)
        assert read_int(str(tmp_path / "file")) == expected
    assert read_int(str(tmp_path / "absent")) is None


def test_a_table_leaves_out_what_is_not_a_number(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("anon 17\nslab -3\nfile 5\nlast\n")
    assert read_table(str(tmp_path / "stat")) == {"anon": 17, "file": 5}
    assert read_table(str(tmp_path / "absent")) == {}


def test_a_number_that_is_written_is_read_again(tmp_path: Path) -> None:
    path = str(tmp_path / "memory.max")
    write_int(path, 1 << 30)
    assert read_int(path) == 1 << 30
    with pytest.raises(FileNotFoundError):
        write_int(str(tmp_path / "gone/memory.max"), 1)
