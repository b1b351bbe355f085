"""Execute locks in a virtual machine with control groups of version 2: none may be killed.

    python -m stress.guest [--limits 32 48 64] [--locks mixed] [--root FOLDER] [--kernel DEB]

Makes a machine of Debian with its kernel, Python and this program, and executes locks there, from a
server on its loopback: onto ext4 with a journal, XFS, and overlays on both, in containers as Docker
shows them and in scopes of systemd. An execution has to be done (exit code 0) or refused (exit code
7); a refused one is executed again in a group of the size that it named. QEMU emulates the
processor, unless --accelerator names KVM: half an hour and more. Linux, as root, with
qemu-system-x86_64, debootstrap, kmod, busybox-static, cpio and mkfs.ext4.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from executor.files.folders import remove_tree
from helpers.containers import install_into, make_root
from stress.accepted import write_locks

TOOLS = ("qemu-system-x86_64", "debootstrap", "depmod", "busybox", "cpio", "mkfs.ext4", "dpkg-deb")

PACKAGES = ("python3", "systemd-sysv", "kmod", "xfsprogs", "e2fsprogs")

KERNEL = "linux-image-cloud-amd64"
"""A package that depends on the newest kernel of the distribution."""

EARLY = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
"""Modules without which the root is not found or not mounted; some kernels have them built in."""

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /order); do /bin/busybox insmod /modules/$module; done
for second in 1 2 3 4 5 6 7 8 9; do
    [ -b /dev/vda ] && break
    /bin/busybox sleep 1
done
/bin/busybox mount -t ext4 /dev/vda /root
exec /bin/busybox switch_root /root /lib/systemd/systemd
"""

SERVICE = """[Unit]
DefaultDependencies=no
After=sysinit.target
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -u /opt/guest/guest_program.py
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
"""

SETUP = (
    "modprobe xfs; modprobe overlay",
    "mkfs.ext4 -q /dev/vdb; mkdir -p /ext4; mount /dev/vdb /ext4",
    "mkfs.xfs -q /dev/vdc; mkdir -p /xfs; mount /dev/vdc /xfs",
    """for disk in ext4 xfs; do
    mkdir -p /$disk/lower /$disk/upper /$disk/work /over_$disk
    layers=lowerdir=/$disk/lower,upperdir=/$disk/upper,workdir=/$disk/work
    mount -t overlay -o $layers overlay /over_$disk
    done""",
)
"""Commands of the machine before the first execution. The first disk is its root."""

PLACES = ("/ext4", "/over_ext4", "/xfs", "/over_xfs")

MEMORY = 1024
"""MiB of the machine."""

HOURS = 2
"""After which the machine is stopped."""


def make_machine(work: Path, root: Path, kernel: Path, runs: Sequence[Sequence[Any]]) -> None:
    """Make the kernel, the first root and the disks of a machine in ``work``."""
    unpacked = work / "kernel"
    subprocess.run(["dpkg-deb", "-x", str(kernel), str(unpacked)], check=True)
    version = next((unpacked / "lib/modules").iterdir()).name
    subprocess.run(["depmod", "-b", str(unpacked), version], check=True)
    shutil.copyfile(unpacked / f"boot/vmlinuz-{version}", work / "vmlinuz")
    _first_root(work / "initrd", unpacked / "lib/modules" / version, work / "first")
    shutil.copytree(unpacked / "lib/modules", root / "lib/modules", dirs_exist_ok=True)
    install_into(root)
    program = root / "opt/guest"
    program.mkdir(parents=True)
    shutil.copyfile(Path(__file__).with_name("guest_program.py"), program / "guest_program.py")
    (program / "order.json").write_text(json.dumps({"setup": SETUP, "runs": runs}))
    (root / "etc/systemd/system/guest.service").write_text(SERVICE)
    target = root / "etc/systemd/system/default.target"
    target.unlink(missing_ok=True)
    target.write_text(
        "[Unit]\nDefaultDependencies=no\nRequires=sysinit.target guest.service\n"
        "After=sysinit.target guest.service\n"
    )
    _locks(root / "locks")
    for name, size in (("root", "2G"), ("ext4", "2G"), ("xfs", "2G")):
        image = work / f"{name}.image"
        with image.open("wb") as file:
            file.truncate(int(size[:-1]) << 30)
    subprocess.run(["mkfs.ext4", "-q", "-d", str(root), str(work / "root.image")], check=True)


def _locks(folder: Path) -> None:
    """Write the locks, with URLs of the server on the machine's loopback."""
    write_locks(folder)
    for lock in folder.glob("*/pylock.toml"):
        base = f"http://127.0.0.1:8000/{lock.parent.name}".replace(" ", "%20")
        text = re.sub(r'^path = "', f'url = "{base}/', lock.read_text(), flags=re.MULTILINE)
        lock.with_name("served.toml").write_text(text)


def _first_root(archive: Path, modules: Path, folder: Path) -> None:
    """Write the archive of files that mount the root disk."""
    (folder / "modules").mkdir(parents=True)
    (folder / "bin").mkdir()
    shutil.copy(shutil.which("busybox") or "busybox", folder / "bin/busybox")
    needed: dict[str, Path] = {}
    for name in EARLY:
        for path in _with_needed(modules, name):
            needed.setdefault(path.name, path)
    for path in needed.values():
        shutil.copy(path, folder / "modules")
    (folder / "order").write_text("\n".join(needed))
    (folder / "init").write_text(INIT)
    (folder / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"],
        cwd=folder,
        input=names.encode(),
        capture_output=True,
        check=True,
    )
    archive.write_bytes(gzip.compress(packed.stdout, 1))


def _with_needed(modules: Path, name: str) -> Iterator[Path]:
    """Yield the files of a module and of those that it needs, in the order of insertion."""
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, needs = line.partition(":")
        if Path(path).stem == name:
            # depmod lists what is needed last first.
            for need in reversed(needs.split()):
                yield modules / need
            yield modules / path


def results(work: Path, accelerator: str) -> Iterator[dict[str, Any]]:
    """Run the machine, and yield what it prints of each execution."""
    disks = [
        word
        for name in ("root", "ext4", "xfs")
        for word in ("-drive", f"file={work}/{name}.image,if=virtio,format=raw,cache=unsafe")
    ]
    command = [
        "qemu-system-x86_64", "-accel", accelerator, "-cpu", "max", "-smp", "2",
        "-m", str(MEMORY), "-nographic", "-no-reboot", "-nic", "none",
        "-kernel", str(work / "vmlinuz"), "-initrd", str(work / "initrd"), *disks,
        "-append", "console=ttyS0 panic=-1 quiet systemd.show_status=0",
    ]  # fmt: skip
    command = ["timeout", str(HOURS * 3600), *command]
    with (
        (work / "console").open("w") as console,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
        ) as machine,
    ):
        assert machine.stdout is not None
        for line in machine.stdout:
            console.write(line)
            console.flush()
            if line.startswith("RESULT "):
                yield json.loads(line.removeprefix("RESULT "))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--limits", type=int, nargs="+", default=[32, 48, 64], metavar="MIB")
    parser.add_argument("--locks", nargs="+", default=["mixed"], help="of stress.accepted")
    parser.add_argument("--places", nargs="+", default=list(PLACES), help=" ".join(PLACES))
    parser.add_argument("--kinds", nargs="+", default=["container", "scope"])
    parser.add_argument("--accelerator", default="tcg,thread=multi", help="of QEMU; kvm for KVM")
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="a root file system to copy")
    parser.add_argument("--kernel", type=Path, metavar="DEB", help="a package of a kernel")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep the machine there")
    given = parser.parse_args()
    if os.geteuid() != 0 or not all(map(shutil.which, TOOLS)):
        print(f"needs root, {', '.join(TOOLS)}")
        return 2
    work = given.work or Path(tempfile.mkdtemp(prefix="guest-", dir="/var/tmp"))
    work.mkdir(exist_ok=True)
    runs = [
        (place, kind, lock, limit)
        for place in given.places
        for kind in given.kinds
        for lock in given.locks
        for limit in given.limits
    ]
    try:
        root = work / "root"
        if given.root:
            subprocess.run(["cp", "-a", str(given.root), str(root)], check=True)
        else:
            make_root(root, PACKAGES)
        make_machine(work, root, given.kernel or _kernel(work), runs)
        shutil.rmtree(root)
        ended = [_shown(result) for result in results(work, given.accelerator)]
        print(f"{len(ended)} of {len(runs)} executions, {ended.count(False)} wrong")
        return 0 if all(ended) and len(ended) == len(runs) else 1
    finally:
        if not given.work:
            remove_tree(str(work))


def _kernel(work: Path) -> Path:
    """Download the package of the kernel that ``KERNEL`` depends on, and return it."""
    shown = subprocess.run(
        ["apt-cache", "depends", KERNEL], capture_output=True, text=True, check=True
    ).stdout
    name = shown.partition("Depends: ")[2].split()[0]
    subprocess.run(["apt-get", "download", "-qq", name], cwd=work, check=True)
    return next(work.glob(f"{name}_*.deb"))


def _shown(result: dict[str, Any]) -> bool:
    """Print how an execution ended; return whether that is right."""
    again = result.get("again")
    last = again or result
    is_right = last["status"] == 0 and not result["kills"] and not last["kills"]
    cell = _cell(result) + (f"; in {again['limit']} MiB {_cell(again)}" if again else "")
    print(
        f"{result['place']:11} {result['kind']:10} {result['lock']:12} {result['limit']:4} MiB  "
        f"{cell}{'' if is_right else '  WRONG'}",
        flush=True,
    )
    if not is_right:
        print(last["output"], flush=True)
    return is_right


def _cell(result: dict[str, Any]) -> str:
    ended = {0: "done", 7: "refused"}.get(result["status"], f"exit {result['status']}")
    peak = f", peak {result['peak']} MiB" if result["peak"] else ""
    return f"{ended} in {result['seconds']} s{peak}, {result['kills']} kills"


if __name__ == "__main__":
    sys.exit(main())
