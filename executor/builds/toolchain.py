"""The flags that limit the memory of a build, and the facts of a machine that it depends on.

Most build tools run as many compilers at once as there are processors, and each tool has a variable
of its own for that; gcc sizes its heap by the memory of the machine, not of the container. The
flags are recorded in the lock, so that a later version may choose other ones.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping

from executor.files.child_output import NoAnswer, TooMuchOutput, output_of
from schemas.builds import BuildFlags
from schemas.target import Target

__all__ = ["default_flags", "describe", "with_jobs"]


_GCC_FLAGS = "-g0 --param ggc-min-expand=10 --param ggc-min-heapsize=8192"
"""No debug information, and the heap that gcc itself uses on small machines: the code is the same
to the byte, the memory half, the time up to 1.4 times."""


_EPOCH = "315532800"
"""1980, the first year that a zip can record: two builds have the same dates."""


_JOBS = (
    "MAX_JOBS",  # torch's extensions
    "CMAKE_BUILD_PARALLEL_LEVEL",  # everything that runs cmake --build
    "CARGO_BUILD_JOBS",
    "GRPC_PYTHON_BUILD_EXT_COMPILER_JOBS",
    "NPY_NUM_BUILD_JOBS",
    "PYTHON_CPU_COUNT",  # os.cpu_count() from Python 3.13 on
    "OMP_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "GOMAXPROCS",
)


_JEMALLOC = "dirty_decay_ms:0,muzzy_decay_ms:0"
"""Return pages as soon as they are free, not ten seconds later: rustc, which has jemalloc built in,
held 249 MiB instead of 263, in the same time
(http://jemalloc.net/jemalloc.3.html, opt.dirty_decay_ms)."""


_FIXED = {
    "NVCC_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_CONF": _JEMALLOC,
    "SOURCE_DATE_EPOCH": _EPOCH,
}


_VERSION = re.compile(r"(\d+)\.\d+")


_PROBE_SECONDS = 20.0


def default_flags(backend: str) -> BuildFlags:
    """Return flags that limit the memory of a build with ``backend``, but not what it builds."""
    environment = dict(_FIXED)
    if _compiler().startswith("gcc"):
        environment.update(CFLAGS=_GCC_FLAGS, CXXFLAGS=_GCC_FLAGS, FFLAGS=_GCC_FLAGS)
    return with_jobs(BuildFlags(environment=environment), backend, 1)


def with_jobs(flags: BuildFlags, backend: str, jobs: int) -> BuildFlags:
    """Return the same flags for ``jobs`` compilers at once."""
    environment = {
        **flags.environment,
        **dict.fromkeys(_JOBS, str(jobs)),
        "MAKEFLAGS": f"-j{jobs}",
    }
    settings = dict(flags.config_settings)
    if backend == "mesonpy":
        # It reads no variable (https://mesonbuild.com/meson-python/reference/config-settings.html).
        given = settings.get("compile-args", [])
        several = [given] if isinstance(given, str) else given
        kept = [one for one in several if not re.fullmatch(r"-j\d+", one)]
        settings["compile-args"] = [*kept, f"-j{jobs}"]
    return BuildFlags(config_settings=settings, environment=environment, jobs=jobs)


def describe(target: Target, backend: str) -> Mapping[str, str]:
    """Return the facts that the memory of a build depends on; builds with equal facts are alike."""
    found = {
        "machine": target.environment["platform_machine"],
        "python": target.environment["python_version"],
        "platform": target.platform,
    }
    if compiler := _compiler():
        found["compiler"] = compiler
    if backend in {"maturin", "setuptools_rust"} and (rust := _version_of("rustc")):
        found["rust"] = rust
    return found


def _compiler() -> str:
    """Return ``gcc 12`` or ``clang 18``; empty if the machine has no compiler."""
    first = _first_line("cc")
    kind = "clang" if "clang" in first else "gcc" if first else ""
    version = _VERSION.search(first.rpartition(")")[2] or first)
    return f"{kind} {version[1]}" if version else kind


def _version_of(program: str) -> str:
    version = re.search(r"\d+\.\d+", _first_line(program))
    return version[0] if version else ""


def _first_line(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        return ""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        run = output_of([found, "--version"], _PROBE_SECONDS, environment)
    except (OSError, NoAnswer, TooMuchOutput):
        return ""
    return run.output.decode(errors="replace").partition("\n")[0]
