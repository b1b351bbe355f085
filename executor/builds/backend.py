"""Backend: the hooks of PEP 517 and PEP 660, each in a contained process of its own.

Source: https://peps.python.org/pep-0517/. ``pyproject_hooks`` is loaded here only; its errors
become ours here.
"""

from __future__ import annotations

import os
import shutil
import tomllib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from executor.builds.errors import BackendFailed, BackendUnusable, BuildKilled
from executor.builds.sandbox import SandboxLimits, SandboxResult, contained
from schemas.builds import BuildFlags

__all__ = ["HOME", "Backend", "BuildSystem", "read_build_system"]


T = TypeVar("T")


HOME = "home"
"""The folder, in that of a build, that all its processes have as theirs."""


_DEFAULT = "setuptools.build_meta:__legacy__"
"""What builds a tree that names no backend (PEP 517)."""


_LOG_LINES = 25


_MAX_LOG_TAIL = 64 << 10
"""Bytes of the log that are read for a message."""


_PASSED_ON = frozenset({
    "LANG", "LC_ALL", "LC_CTYPE", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "LD_LIBRARY_PATH",
    "LIBRARY_PATH", "CPATH", "CUDA_HOME", "JAVA_HOME", "RUSTUP_TOOLCHAIN", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "MACOSX_DEPLOYMENT_TARGET",
})  # fmt: skip
"""Variables that tell where things are on a machine. All others, which may steer compilers or hold
credentials, a build does not see."""


_FOR_NETWORK = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
})  # fmt: skip


_NO_NETWORK = {"PIP_NO_INDEX": "1", "CARGO_NET_OFFLINE": "true"}
"""So that tools say so at once, in place of trying for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSystem:
    """What a source tree says of how it is built."""

    backend: str
    requires: tuple[str, ...]
    path: tuple[str, ...] = ()
    """Folders of the tree that hold the backend itself."""

    @property
    def module(self) -> str:
        """The top-level module of the backend, or the whole of one of setuptools."""
        name = self.backend.partition(":")[0]
        return name if name.startswith("setuptools") else name.partition(".")[0]


def read_build_system(package: str, tree: str) -> BuildSystem:
    """Read ``[build-system]`` of the source tree (PEP 518). Raises BackendUnusable."""
    path = os.path.join(tree, "pyproject.toml")
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file).get("build-system", {})
    except FileNotFoundError:
        if not os.path.exists(os.path.join(tree, "setup.py")):
            raise BackendUnusable(package, "has neither pyproject.toml nor setup.py") from None
        table = {}
    except (OSError, ValueError) as error:
        raise BackendUnusable(package, f"pyproject.toml cannot be read: {error}") from None
    requires, backend, folders = (
        table.get("requires", ["setuptools>=40.8.0"]),
        table.get("build-backend", _DEFAULT),
        table.get("backend-path", []),
    )
    if not (_are_texts(requires) and isinstance(backend, str) and _are_texts(folders)):
        raise BackendUnusable(package, "[build-system] of its pyproject.toml is malformed")
    return BuildSystem(backend=backend, requires=tuple(requires), path=tuple(folders))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


@dataclass(kw_only=True)
class Backend:
    """The backend of one source tree, in the environment of one interpreter."""

    package: str
    """What errors call it."""
    tree: str
    system: BuildSystem
    python: str
    """The interpreter of the build environment."""
    folder: str
    """Below which the build may write; tree and environment are in it."""
    terms: SandboxLimits = field(default_factory=SandboxLimits)
    flags: BuildFlags = field(default_factory=BuildFlags)
    writable: tuple[str, ...] = ()
    """Folders outside of it that the build may write to as well."""
    outcome: SandboxResult | None = None
    """Of the last hook."""

    def requires(self, kind: str = "wheel") -> list[str]:
        """What it needs beyond ``[build-system] requires``, for a ``wheel`` or an ``editable``.

        Raises BuildFailed, as all hooks do.
        """
        found: list[str] = self._call(f"get_requires_for_build_{kind}")
        return list(found)

    def metadata(self, folder: str) -> str:
        """Write the metadata that the wheel will have; the path of the dist-info folder."""
        name: str = self._call("prepare_metadata_for_build_wheel", folder)
        return os.path.join(folder, os.path.basename(name))

    def build(self, folder: str, kind: str = "wheel") -> str:
        """Build a ``wheel``, or an ``editable`` one, into ``folder``; its path."""
        name: str = self._call(f"build_{kind}", folder)
        path = os.path.join(folder, os.path.basename(name))
        if not os.path.isfile(path) or not name.endswith(".whl"):
            raise BackendUnusable(self.package, f"its backend names {name!r}, which is no wheel")
        return path

    def _call(self, hook: str, *arguments: Any) -> Any:
        import pyproject_hooks  # noqa: PLC0415  # 1.5 MiB, for builds alone

        log = os.path.join(self.folder, f"{hook}.log")

        def run(
            cmd: Sequence[str],
            cwd: str | None = None,
            extra_environ: Mapping[str, str] | None = None,
        ) -> None:
            self.outcome = contained(
                cmd,
                folder=cwd or self.tree,
                environment={**self._environment(), **(extra_environ or {})},
                # The last is the folder in which the hook leaves its answer.
                writable=[self.folder, *self.writable, cmd[-1]],
                log=log,
                terms=self.terms,
            )
            self._check(hook, self.outcome, log)

        try:
            caller = pyproject_hooks.BuildBackendHookCaller(
                self.tree,
                self.system.backend,
                backend_path=self.system.path or None,
                runner=run,
                python_executable=self.python,
            )
            call: Callable[..., Any] = getattr(caller, hook)
            with warnings.catch_warnings():
                # They are for the author of the project; the log has them.
                warnings.simplefilter("ignore", pyproject_hooks.BuildBackendWarning)
                return call(*arguments, config_settings=dict(self.flags.config_settings))
        except pyproject_hooks.BackendUnavailable as error:
            last = error.traceback.strip().splitlines()[-1:]
            raise BackendUnusable(
                self.package, f"its backend {self.system.backend} cannot be loaded: {last}"
            ) from None
        except (pyproject_hooks.HookMissing, pyproject_hooks.UnsupportedOperation) as error:
            raise BackendUnusable(
                self.package, f"its backend {self.system.backend} cannot do this: {error}"
            ) from None
        except (ValueError, OSError) as error:
            raise BackendUnusable(self.package, f"its backend cannot be run: {error}") from None

    def _check(self, hook: str, outcome: SandboxResult, log: str) -> None:
        reason = outcome.stopped or ("oom" if outcome.kills else "")
        if reason:
            raise BuildKilled(
                self.package,
                hook,
                reason,
                max(outcome.demand, outcome.charged_peak or 0 if reason == "oom" else 0),
                self.terms.limit,
                outcome.seconds,
                outcome.tier,
            )
        if outcome.status:
            raise BackendFailed(self.package, hook, outcome.status, _tail(log))

    def _environment(self) -> dict[str, str]:
        """What the build sees: where things are, and the recorded flags."""
        kept = _PASSED_ON | (_FOR_NETWORK if self.terms.network else frozenset())
        home, temporary = os.path.join(self.folder, HOME), os.path.join(self.folder, "tmp")
        for folder in (home, temporary):
            os.makedirs(folder, exist_ok=True)
        programs = os.path.dirname(self.python)
        user = os.path.expanduser("~")
        settings = {name: value for name, value in os.environ.items() if name in kept}
        return {
            **settings,
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "VIRTUAL_ENV": os.path.dirname(programs),
            "HOME": home,
            "TMPDIR": temporary,
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.join(user, ".rustup")),
            "CARGO_HOME": os.path.join(home, ".cargo"),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **({} if self.terms.network else _NO_NETWORK),
            **self.flags.environment,
        }


def _tail(log: str) -> str:
    with open(log, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _MAX_LOG_TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    width = max(80, shutil.get_terminal_size().columns)
    return "\n".join(line[: 4 * width] for line in lines[-_LOG_LINES:])
