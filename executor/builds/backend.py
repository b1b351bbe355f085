"""The hooks of a build backend (PEP 517 and PEP 660), each run in a sandbox of its own.

Source: https://peps.python.org/pep-0517/. ``pyproject_hooks`` is loaded only here, and its errors
are translated here.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from executor.builds.build_system import BuildSystem, are_texts
from executor.builds.errors import BackendFailed, BackendUnusable, BuildKilled
from executor.builds.free_space import is_full, space_for
from executor.builds.sandbox import SandboxLimits, SandboxResult, contained
from executor.files.held_folder import HeldFolder
from executor.files.user_folders import home_folder
from schemas.builds import BuildFlags

__all__ = ["HOME", "Backend"]


T = TypeVar("T")


HOME = "home"
"""The folder, below that of a build, that is HOME for all its processes."""


_LOG_LINES = 25
"""Last lines of the log that an error shows."""


_QUESTION, _ANSWER = "input.json", "output.json"
"""Files of a call of a hook, as pyproject-hooks names them."""


_MAX_ANSWER = 1 << 20
"""Bytes; an answer is a file name, or a list of requirements."""


_MAX_REQUIREMENTS, _MAX_REQUIREMENT = 1000, 4096
"""Requirements that a hook may return, and the characters of one; real ones return a dozen."""


_REFUSALS = ("no_backend", "unsupported", "hook_missing")
_REASONS = ("traceback", "backend_error", "missing_hook_name")
"""Keys of an answer that say why there is none."""


_MAX_REASON = 20_000
"""Characters of a traceback that are kept."""


_MAX_METADATA = 16 << 20
"""Bytes; the longest METADATA on PyPI, with its description, has about 2 MiB."""


_MAX_LOG_TAIL = 64 << 10
"""Bytes of the log that are read for a message."""


_PASSED_ON = frozenset({
    "LANG", "LC_ALL", "LC_CTYPE", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "LD_LIBRARY_PATH",
    "LIBRARY_PATH", "CPATH", "CUDA_HOME", "JAVA_HOME", "RUSTUP_TOOLCHAIN", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "MACOSX_DEPLOYMENT_TARGET",
})  # fmt: skip
"""Environment variables that say where things are on a machine. A build does not see any others,
which may change what compilers do or hold credentials."""


_FOR_NETWORK = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
})  # fmt: skip


_NO_NETWORK = {"PIP_NO_INDEX": "1", "CARGO_NET_OFFLINE": "true"}
"""Make tools fail at once if they need the network, instead of retrying for long."""


def _is_named(name: str) -> bool:
    """Return whether a file can have this name: it has no zero byte, or half of a pair."""
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


@dataclass(kw_only=True)
class Backend:
    """The backend of one source tree in the build environment of one workspace."""

    package: str
    """The name that errors use."""
    tree: str
    system: BuildSystem
    python: str
    """The interpreter of the build environment."""
    folder: str
    """The folder that the build may write below; it holds the tree."""
    logs: str
    """A folder that the build cannot write to, for the output of its hooks."""
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    flags: BuildFlags = field(default_factory=BuildFlags)
    writable: tuple[str, ...] = ()
    """Folders outside of it that the build may write below as well."""
    result: SandboxResult | None = None
    """The result of the last hook."""

    def requires(self, kind: str = "wheel") -> list[str]:
        """Return requirements beyond ``[build-system] requires``, to build a wheel of ``kind``:
        ``wheel`` or ``editable``.

        Raises BuildFailed, as all hooks do.
        """
        found = self._run_hook(f"get_requires_for_build_{kind}")
        if not are_texts(found):
            raise BackendUnusable(
                self.package, f"its backend returned {found!r:.80}, not a list of requirements"
            )
        if len(found) > _MAX_REQUIREMENTS or any(len(one) > _MAX_REQUIREMENT for one in found):
            raise BackendUnusable(
                self.package,
                f"its backend returned more than {_MAX_REQUIREMENTS} requirements, or one of more "
                f"than {_MAX_REQUIREMENT} characters",
            )
        return list(found)

    def metadata(self, folder: str) -> bytes:
        """Return the METADATA of the future wheel, which the hook writes below ``folder``."""
        # Opened before the build can exchange it for a link.
        with HeldFolder.at(folder) as held:
            name = str(self._run_hook("prepare_metadata_for_build_wheel", folder))
            try:
                return held.read(f"{os.path.basename(name)}/METADATA", _MAX_METADATA)
            except OSError as error:
                problem = os.strerror(error.errno or 0)
                raise BackendUnusable(
                    self.package, f"its backend wrote no METADATA: {problem}"
                ) from None
            except ValueError:  # no name of a file: a zero byte, or half of a surrogate pair
                raise BackendUnusable(
                    self.package,
                    f"its backend returned {name!r:.80}, which is not a dist-info folder",
                ) from None

    def build(self, folder: str, kind: str = "wheel") -> str:
        """Build a wheel of ``kind`` into ``folder`` and return its path."""
        with HeldFolder.at(folder) as held:
            name = str(self._run_hook(f"build_{kind}", folder))
            path = os.path.join(folder, os.path.basename(name))
            # Not a link, nor the folder: it could lead to a file that the build may not read.
            is_same = held.is_in_place
            is_file = is_same and _is_named(name) and held.is_file(os.path.basename(name))
        if not is_file or not name.endswith(".whl"):
            raise BackendUnusable(
                self.package, f"its backend returned {name!r:.80}, which is not a wheel"
            )
        return path

    def _run_hook(self, hook: str, *arguments: Any) -> Any:
        """Return the answer of a hook. Raises BuildFailed and WorkspaceFull."""
        with space_for(self.package, os.path.dirname(self.logs)):
            return self._call(hook, *arguments)

    def _call(self, hook: str, *arguments: Any) -> Any:
        import pyproject_hooks  # noqa: PLC0415  # 1.5 MiB, only for builds

        log = os.path.join(self.logs, f"{hook}.log")

        def run(
            cmd: Sequence[str],
            cwd: str | None = None,
            extra_environ: Mapping[str, str] | None = None,
        ) -> None:
            # The last argument is the folder of the call. The build gets one of its own: whatever
            # it leaves there, only an answer that was checked comes back.
            *command, call = cmd
            place = tempfile.mkdtemp(prefix="call-", dir=self.folder)
            with HeldFolder.at(place) as held:
                shutil.copyfile(os.path.join(call, _QUESTION), os.path.join(place, _QUESTION))
                self.result = contained(
                    [*command, place],
                    folder=cwd or self.tree,
                    environment={**self._environment(), **(extra_environ or {})},
                    writable=[self.folder, *self.writable],
                    log=log,
                    limits=self.limits,
                )
                self._check(hook, self.result, log)
                answer = self._answer(held)
            with open(os.path.join(call, _ANSWER), "w", encoding="utf-8") as file:
                json.dump(answer, file)

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
                # Warnings are for the author of the project, and the log has them.
                warnings.simplefilter("ignore", pyproject_hooks.BuildBackendWarning)
                return call(*arguments, config_settings=dict(self.flags.config_settings))
        except pyproject_hooks.BackendUnavailable as error:
            last = str(error).strip().splitlines()[-1]
            raise BackendUnusable(
                self.package, f"its backend {self.system.backend} cannot be loaded: {last}"
            ) from None
        except (pyproject_hooks.HookMissing, pyproject_hooks.UnsupportedOperation) as error:
            raise BackendUnusable(
                self.package, f"its backend {self.system.backend} cannot do this: {error}"
            ) from None
        except (ValueError, OSError) as error:
            if isinstance(error, OSError) and is_full(error):
                raise
            raise BackendUnusable(self.package, f"its backend cannot be run: {error}") from None

    def _answer(self, place: HeldFolder) -> dict[str, Any]:
        """Return the answer of a hook. Raises BackendUnusable if it is not one."""
        try:
            answer = json.loads(place.read(_ANSWER, _MAX_ANSWER))
        except (OSError, ValueError, RecursionError) as error:
            raise BackendUnusable(
                self.package, f"its backend left no readable answer: {str(error)[:200]}"
            ) from None
        if not isinstance(answer, dict):
            raise BackendUnusable(self.package, "its backend left an answer that is not an object")
        # pyproject-hooks expects what its own program in the build wrote; the build may have
        # written anything. Its warnings are in the log.
        value = answer.get("return_val")
        return {
            "return_val": value if are_texts(value) or isinstance(value, str) else None,
            **{name: bool(answer.get(name)) for name in _REFUSALS},
            **{name: str(answer.get(name) or "")[:_MAX_REASON] for name in _REASONS},
        }

    def _check(self, hook: str, result: SandboxResult, log: str) -> None:
        """Raise BuildKilled or BackendFailed if ``hook`` did not end well."""
        reason = result.stopped or ("oom" if result.kills else "")
        if reason:
            raise BuildKilled(
                self.package,
                hook,
                reason,
                max(result.demand, result.charged_peak or 0 if reason == "oom" else 0),
                self.limits.limit,
                result.seconds,
                result.tier,
            )
        if result.status:
            raise BackendFailed(self.package, hook, result.status, _tail(log))

    def _environment(self) -> dict[str, str]:
        """Return the environment variables of the build, with the recorded flags."""
        kept = _PASSED_ON | (_FOR_NETWORK if self.limits.network else frozenset())
        home, temporary = os.path.join(self.folder, HOME), os.path.join(self.folder, "tmp")
        for folder in (home, temporary):
            os.makedirs(folder, exist_ok=True)
        programs = os.path.dirname(self.python)
        settings = {name: value for name, value in os.environ.items() if name in kept}
        return {
            **settings,
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "VIRTUAL_ENV": os.path.dirname(programs),
            "HOME": home,
            "TMPDIR": temporary,
            **_toolchains(),
            "CARGO_HOME": os.path.join(home, ".cargo"),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **({} if self.limits.network else _NO_NETWORK),
            **self.flags.environment,
        }


def _toolchains() -> dict[str, str]:
    """Return the variable that says where the user's Rust is, since HOME is another in a build."""
    if folder := os.environ.get("RUSTUP_HOME"):
        return {"RUSTUP_HOME": folder}
    home = home_folder()
    return {"RUSTUP_HOME": os.path.join(home, ".rustup")} if home else {}


def _tail(log: str) -> str:
    """Return the last lines of a log, each cut to a few lines of the terminal."""
    with open(log, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _MAX_LOG_TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    width = max(80, shutil.get_terminal_size().columns)
    return "\n".join(line[: 4 * width] for line in lines[-_LOG_LINES:])
