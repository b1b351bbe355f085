"""Give wheels whose paths get in each other's way to environments that are traps.

    python -m stress.destinations [--trials 400] [--seed 1] [--users root,user] [--no-trace]

A trial is an environment (plain, ``lib64`` a link, or packages directly in a folder), perhaps with
links, files and an older installation in it, and two or three wheels that share a vocabulary of
paths: ancestors of each other, other cases, every scheme, reserved names. It must end in a way that
is known, and leave no wedge:

- exit code 0 or 6; after a refusal the environment is what it was, to the bit;
- a lock without the wheels installs afterwards, and a run that removes all else succeeds;
- what is beside the environment is untouched, and strace sees no path changed outside of it.

Each trial is done by root and by another user. Needs root; strace unless ``--no-trace``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

# Imported before the rights of root are given away, as in helpers.users.
import executor.install.decide
import executor.transaction.journal_check
import executor.transaction.transaction
from executor.api import execute
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from helpers.environments import environment_below
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.users import NOBODY
from helpers.wheels import Wheel, build_wheel
from schemas.errors import ExitCode, LockstreamError

__all__ = ["Outcome", "Trial", "attempt", "changed_paths", "make_trial"]

_LATE = (executor.install.decide, executor.transaction.transaction, shutil)

LAYOUTS = ("plain", "lib64", "target")

PLAIN_INSIDE = (
    *("a", "a/b", "a/b/c", "A/b", "a.py", "bin/run", "share/x", "é", "e\u0301/x", "a/b.pth"),
    *("l", "l/x", "gone", "gone/x", "way/x", "way", "old", "old/extra.py", "old/__init__.py"),
)
"""Paths that a wheel may have at its root, or below a scheme that holds packages."""

PLAIN_BESIDE = (
    *("bin/run", "bin/a", "lib64/a", "lib/site-packages/a", "lib/site-packages/a/b", "a", "a/b"),
    *("include/one/x.h", "include/two", "share", "share/l", "share/l/x", "share/man/man1/x.1"),
    *("man", "man/x", "etc", "etc/x"),
)
"""Paths that a wheel may have below the data scheme."""

INSIDE = (
    *("a", "a/b", "a/b/c", "A/b", "a.py", "bin", "bin/run", "lib", "lib/site-packages/a"),
    *("include", "share/x", "é", "e\u0301/x", "__pycache__/a.cpython-311.pyc"),
    *("a.pth", "a/b.pth", "a.start", "python._pth", "pyvenv.cfg", "sitecustomize.py"),
    *("old/__init__.py", "old-1.0.dist-info/METADATA", "OLD.egg-info/PKG-INFO", "b.egg-link"),
    *(".lockstream", ".lockstream/journal", ".lockstream-new", ".lockstream-unsettled", ".hidden"),
    *("l", "l/x", "gone", "gone/x", "way/x", "way", "old", "old/extra.py"),
)
"""The same, with names that are reserved or belong to others."""

BESIDE = (
    *("bin", "bin/run", "bin/a", "bin/python", "bin/python._pth", "bin/pyvenv.cfg", "bin/run/x"),
    *("lib", "lib64", "lib64/a", "lib/site-packages", "lib/site-packages/a"),
    *("lib/site-packages/a/b", "lib64/site-packages/a/b", "lib/site-packages/A/b"),
    *("lib/site-packages/a.pth", "lib/site-packages/old-1.0.dist-info/RECORD"),
    *("lib/site-packages/.lockstream/journal", "lib/site-packages/.lockstream", "pyvenv.cfg"),
    *("lib/site-packages/sitecustomize.py", "lib/python3.11/sitecustomize.py", "PYVENV.CFG"),
    *("include", "include/one", "include/one/x.h", "include/two", "share", "share/l", "share/l/x"),
    *("share/man/man1/x.1", "man", "man/x", "../up", "a", "a/b", ".lockstream/x", "etc"),
)
"""The same, with parts of an environment."""

HEADERS = ("x.h", "x.h/y", "a/b.h", "../three/x.h", ".lockstream/x")
SCRIPTS = ("run", "a", "python", "python3._pth", "pyvenv.cfg", "Run", ".lockstream", "x/run", "..")
COMMANDS = ("run", "a", "bin", "zz", "python", "../up")

TRAPS: Mapping[str, tuple[str, str]] = {
    "package outside": ("{packages}/l", "{outside}/folder"),
    "file outside": ("{packages}/a", "{outside}/file"),
    "dangling": ("{packages}/gone", "{outside}/absent"),
    "inner": ("{packages}/way", "{root}/share"),
    "share outside": ("{root}/share", "{outside}/folder"),
    "share inner link": ("{root}/share/l", "{outside}/folder"),
    "man inside": ("{root}/man", "share/man"),
    "script outside": ("{root}/bin/run", "{outside}/file"),
    "bin outside": ("{root}/bin", "{outside}/folder"),
    "include outside": ("{root}/include", "{outside}/folder"),
    "own header outside": ("{root}/include/one", "{outside}/folder"),
    "staging outside": ("{packages}/.lockstream", "{outside}/folder"),
    "cache outside": ("{packages}/__pycache__", "{outside}/folder"),
    "old outside": ("{packages}/old", "{outside}/folder"),
}
"""Links of an environment: where each is, and where it leads."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One environment and the wheels that go there, below a folder of its own."""

    place: str
    layout: str
    traps: Sequence[str]
    wheels: Sequence[str]
    """What each wheel holds, for a report."""
    last_wins: bool

    @property
    def environment(self) -> Environment:
        return _environment(Path(self.place), self.layout)

    def __str__(self) -> str:
        wheels = "; ".join(self.wheels)
        return f"{self.layout}, traps: {', '.join(self.traps) or 'none'}, wheels: {wheels}"


@dataclass(slots=True)
class Outcome:
    """What became of a trial: how it ended, and what is wrong."""

    ended: str
    wrong: list[str] = field(default_factory=list)


def make_trial(place: Path, source: random.Random) -> Trial:
    """Make a trial in the new folder ``place``: wheels, locks, environment, and what is beside."""
    layout = source.choice(LAYOUTS)
    environment = _environment(place, layout)
    packages = Path(environment.interpreter.schemes.purelib)
    outside = place / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder/keep.py").write_text("keep")
    (outside / "file").write_text("file")
    locks = place / "locks"
    locks.mkdir()
    packages.mkdir(parents=True, exist_ok=True)
    if layout == "lib64":
        (place / "env/lib64").symlink_to("lib")
    _write_lock(
        locks, "good", [build_wheel("zz", files={"zz.py": ""}, entry_points=_commands("zz"))]
    )
    _write_lock(locks, "old", [build_wheel("old", files={"old/__init__.py": "", "old.py": ""})])
    names = source.sample(("one", "two", "old", "Three"), source.choice((2, 2, 3)))
    chosen = [_wheel(name, source) for name in names]
    _write_lock(locks, "evil", [wheel for wheel, _ in chosen])
    if source.random() < 0.5:
        execute(str(locks / "old/pylock.toml"), environment, durability="kill")
    traps = tuple(
        name
        for name in source.sample(sorted(TRAPS), source.choice((0, 1, 1, 2)))
        if _lay(name, packages, Path(environment.path), outside)
    )
    return Trial(
        place=str(place),
        layout=layout,
        traps=traps,
        wheels=tuple(text for _, text in chosen),
        last_wins=source.random() < 0.25,
    )


def _environment(place: Path, layout: str) -> Environment:
    environment = environment_below(place / "env")
    schemes, root = environment.interpreter.schemes, str(place / "env")
    if layout == "lib64":
        schemes = replace(schemes, platlib=f"{root}/lib64/site-packages")
    elif layout == "target":
        schemes = replace(schemes, purelib=root, platlib=root)
    return replace(environment, interpreter=replace(environment.interpreter, schemes=schemes))


def _commands(*names: str) -> Mapping[str, Mapping[str, str]]:
    return {"console_scripts": dict.fromkeys(names, "a:main")}


def _wheel(name: str, source: random.Random) -> tuple[Wheel, str]:
    content = source.choice(("same", "same", "same", name))
    pools = [
        *((prefix, PLAIN_INSIDE) for prefix in ("", "", "", "", "purelib/", "platlib/")),
        *[("data/", PLAIN_BESIDE)] * 6,
        *((prefix, INSIDE) for prefix in ("", "purelib/", "platlib/")),
        ("data/", BESIDE),
        ("headers/", HEADERS),
        ("scripts/", SCRIPTS),
    ]
    files: dict[str, str] = {}
    data: dict[str, str] = {}
    for _ in range(source.choice((1, 2, 3))):
        prefix, pool = source.choice(pools)
        (data if prefix else files)[prefix + source.choice(pool)] = content
    commands = [source.choice(COMMANDS)] if source.random() < 0.2 else []
    wheel = build_wheel(
        name,
        files=files or {f"{name}.py": ""},
        data_files=data,
        entry_points=_commands(*commands) if commands else None,
        purelib=source.random() < 0.7,
    )
    return wheel, f"{name} ({', '.join([*files, *data, *(f'={one}' for one in commands)])})"


def _write_lock(folder: Path, name: str, wheels: Sequence[Wheel]) -> None:
    place = folder / name
    place.mkdir()
    write_lock(place, wheels)


def _lay(name: str, packages: Path, root: Path, outside: Path) -> bool:
    """Put a link into an environment, in the place of what is there; return whether it could be."""
    spelled, target = (
        text.format(packages=packages, root=root, outside=outside) for text in TRAPS[name]
    )
    link = Path(spelled)
    if link.is_symlink() or packages.is_relative_to(link):
        return False
    if link.is_dir():
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    if not os.path.lexists(link.parent):
        link.parent.mkdir(parents=True)
    if not link.parent.resolve().is_relative_to(root):
        return False
    link.symlink_to(target)
    return True


def attempt(trial: Trial) -> Outcome:
    """Do a trial, and look at what it left."""
    place, environment = Path(trial.place), trial.environment
    run = partial(execute, environment=environment, durability="kill", lanes=1)
    locks = {name: str(place / f"locks/{name}/pylock.toml") for name in ("evil", "good")}
    before, beside = snapshot(place / "env"), snapshot(place / "outside")
    outcome = Outcome(_ended(partial(run, locks["evil"], last_wins=trial.last_wins)))
    if outcome.ended not in {"installed", "refused"}:
        outcome.wrong.append(outcome.ended)
    if outcome.ended != "installed" and snapshot(place / "env") != before:
        outcome.wrong.append("a refusal left another environment")
    # An environment whose own folders lead elsewhere is never used, with whatever lock.
    expected = "installed" if _is_whole(environment) else "refused"
    for what, sync in (("another lock", Sync()), ("a removal of all else", Sync(exact=True))):
        ended = _ended(partial(run, locks["good"], sync=sync))
        if ended != expected:
            outcome.wrong.append(f"wedged: {what} afterwards: {ended}")
    if snapshot(place / "outside") != beside:
        outcome.wrong.append("what is outside has changed")
    if any(path.name == ".lockstream" for path in (place / "env").rglob(".lockstream*")) and (
        "staging outside" not in trial.traps
    ):
        outcome.wrong.append("a staging folder is left")
    return outcome


def _is_whole(environment: Environment) -> bool:
    schemes = environment.interpreter.schemes
    root = os.path.realpath(schemes.data)
    staging = os.path.join(schemes.purelib, ".lockstream")
    return not os.path.islink(staging) and all(
        f"{os.path.realpath(folder)}/".startswith(f"{root}/") for folder in schemes.roots
    )


def _ended(work: Callable[[], object]) -> str:
    try:
        work()
    except LockstreamError as error:
        if error.exit_code is ExitCode.ARTIFACT_REFUSED:
            return "refused"
        return f"exit code {int(error.exit_code)}: {error}"
    except Exception as error:  # noqa: BLE001  # it is what is looked for
        return f"{type(error).__name__}: {error}"
    return "installed"


# What strace saw


_CHANGES = (
    "creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,"
    "symlinkat,mknod,mknodat,truncate,chmod,fchmodat,chown,lchown,fchownat,utime,utimes,utimensat,"
    "setxattr,lsetxattr,open,openat"
)
"""System calls that change what a path names."""

_CALL = re.compile(r"^(?:\d+ +)?(?P<call>[a-z0-9_]+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
_OPENED = re.compile(r"= \d+<(?P<path>[^>]*)>$")
_ARGUMENT = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_PEAKS = frozenset({"memory.max_usage_in_bytes", "memory.peak"})
_WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")


def changed_paths(lines: Iterable[str]) -> Iterator[str]:
    """Yield the real path of each thing that a trace of ``strace -y`` says was changed."""
    for line in lines:
        found = _CALL.match(line)
        if not found or found["result"].startswith("-"):
            continue
        if found["call"] in {"open", "openat"}:
            opened = _OPENED.search(line.rstrip())
            if opened and any(flag in found["arguments"] for flag in _WRITES):
                yield opened["path"]
            continue
        named = list(_ARGUMENT.finditer(found["arguments"]))
        # The first argument of symlink(2) is what the link says.
        for argument in named[found["call"].startswith("symlink") :]:
            path = argument["path"].encode().decode("unicode_escape").encode("latin-1")
            folder, name = os.path.split(os.path.join(argument["folder"] or "/", os.fsdecode(path)))
            yield os.path.join(os.path.realpath(folder), name)


def _traced(work: Path, user: int, is_traced: bool) -> tuple[list[Outcome], list[str]]:
    """Do the trials of ``work`` as a user; return what became of them, and paths outside."""
    command = [sys.executable, "-m", "stress.destinations", "--worker", str(work), str(user)]
    trace = work / f"trace-{user}"
    if is_traced:
        command = [
            "strace",
            "-f",
            "-qq",
            "-y",
            "-e",
            f"trace={_CHANGES}",
            "-o",
            str(trace),
            *command,
        ]
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    outcomes = [Outcome(**json.loads(line)) for line in done.stdout.splitlines()]
    if done.returncode:
        raise SystemExit(f"a worker ended with {done.returncode}:\n{done.stderr[-2000:]}")
    if not is_traced:
        return outcomes, []
    with trace.open(errors="surrogateescape") as lines:
        paths = sorted({path for path in changed_paths(lines) if not _is_expected(path, work)})
    trace.unlink()
    return outcomes, paths


def _is_expected(path: str, work: Path) -> bool:
    # An execution sets the peak of its own control group back, to report what it took.
    if path.startswith("/sys/fs/cgroup/") and os.path.basename(path) in _PEAKS:
        return True
    below = re.match(rf"{re.escape(str(work.resolve()))}/(?:\d+/env|warm)(?:/|$)", path)
    return bool(below) or path.startswith(("/dev/null", "pipe:", "socket:", "anon_inode:"))


def _work(work: Path, user: int) -> None:
    """Do the trials of ``work`` as a user, and print what became of each."""
    # What is imported late is imported before: the interpreter may be in a folder of root.
    (work / "warm").mkdir()
    for number in range(6):
        attempt(make_trial(work / f"warm/{number}", random.Random(number)))
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    for text in (work / "trials.json").read_text().splitlines():
        fields = json.loads(text)
        trial = Trial(
            **{**fields, "traps": tuple(fields["traps"]), "wheels": tuple(fields["wheels"])}
        )
        outcome = attempt(trial)
        print(json.dumps({"ended": outcome.ended, "wrong": outcome.wrong}), flush=True)


def _own(folder: Path, user: int) -> None:
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(os.path.join(place, name), user, user, follow_symlinks=False)


def _batch(
    work: Path, seeds: Sequence[int], user: int, *, is_traced: bool
) -> tuple[Counter[str], int]:
    """Make and do trials; print what is wrong. Return the ends, and the number of faults."""
    trials = [make_trial(work / str(n), random.Random(seed)) for n, seed in enumerate(seeds)]
    rows = ({name: getattr(one, name) for name in Trial.__slots__} for one in trials)
    (work / "trials.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    work.chmod(0o755)
    if user:
        for number in range(len(trials)):
            _own(work / str(number), user)
    outcomes, outside = _traced(work, user, is_traced)
    faults = len(outside)
    for path in outside:
        print(f"outside: {path}")
    for seed, trial, outcome in zip(seeds, trials, outcomes, strict=True):
        for wrong in outcome.wrong:
            faults += 1
            print(f"seed {seed}, user {user}: {wrong}\n    {trial}")
    return Counter(outcome.ended for outcome in outcomes), faults


def main() -> int:
    if sys.argv[1:2] == ["--worker"]:
        _work(Path(sys.argv[2]), int(sys.argv[3]))
        return 0
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", default="root,user")
    parser.add_argument("--no-trace", action="store_true")
    options = parser.parse_args()
    faults = 0
    for name in options.users.split(","):
        ends, seeds = Counter[str](), range(options.seed, options.seed + options.trials)
        for start in range(0, len(seeds), 50):
            work = Path(tempfile.mkdtemp(prefix="destinations-"))
            try:
                found, wrong = _batch(
                    work,
                    seeds[start : start + 50],
                    NOBODY if name == "user" else 0,
                    is_traced=not options.no_trace,
                )
            finally:
                shutil.rmtree(work)
            ends += found
            faults += wrong
        counts = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        print(f"as {name}: {options.trials} trials: {counts}", flush=True)
    print(f"{faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
