"""Grounds that an environment may lie on: plain folders, links, volumes, the layers of an image."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from executor.environment.environment import Environment

__all__ = ["GROUNDS", "PLAIN", "Ground"]


class Ground:
    """Plain folders, all on one file system."""

    name = "plain"
    is_layered = False
    """Whether folders are in a lower layer, which cannot be renamed."""

    def dress(self, environment: Environment) -> Environment:
        """Change the layout of an environment that is filled; return it as it is now."""
        return environment

    def lay(self, template: Path, root: Path) -> None:
        """Make the environment at ``root`` what it is in ``template``."""
        shutil.copytree(template, root, symlinks=True)

    def clear(self, root: Path) -> None:
        """Remove the environment at ``root``."""
        shutil.rmtree(root)


class _Links(Ground):
    """``lib64`` -> ``lib``, as platlib is spelled, and ``bin`` below a link too."""

    name = "links"

    def dress(self, environment: Environment) -> Environment:
        root = Path(environment.path)
        (root / "lib64").symlink_to("lib")
        (root / "share/doc").mkdir(parents=True, exist_ok=True)
        (root / "share/one").symlink_to("doc")
        schemes = environment.interpreter.schemes
        schemes = replace(schemes, platlib=str(root / "lib64/site-packages"))
        return replace(environment, interpreter=replace(environment.interpreter, schemes=schemes))


class _Volume(Ground):
    """Scripts and a namespace on file systems of their own."""

    name = "volumes"
    _VOLUMES = ("bin", "lib/site-packages/shared")

    def lay(self, template: Path, root: Path) -> None:
        super().lay(template, root)
        for volume in self._VOLUMES:
            place = root / volume
            place.mkdir(parents=True, exist_ok=True)
            aside = place.with_name("aside")
            place.rename(aside)
            place.mkdir()
            _run("mount", "-t", "tmpfs", "volume", str(place))
            shutil.copytree(aside, place, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(aside)

    def clear(self, root: Path) -> None:
        for volume in self._VOLUMES:
            with suppress(subprocess.CalledProcessError):
                _run("umount", str(root / volume))
        super().clear(root)


class _Layers(Ground):
    """A lower layer of an image, in an overlay without ``redirect_dir``."""

    name = "layers"
    is_layered = True

    def lay(self, template: Path, root: Path) -> None:
        # An overlay cannot be the upper layer of another one, which the root often is.
        above = root.with_name("above")
        above.mkdir(exist_ok=True)
        _run("mount", "-t", "tmpfs", "above", str(above))
        for folder in (above / "upper", above / "work", root):
            folder.mkdir(exist_ok=True)
        options = (
            f"lowerdir={template},upperdir={above}/upper,workdir={above}/work,redirect_dir=off"
        )
        _run("mount", "-t", "overlay", "-o", options, "layers", str(root))

    def clear(self, root: Path) -> None:
        if os.path.ismount(root):
            _run("umount", str(root))
            _run("umount", str(root.with_name("above")))
            root.rmdir()
        else:
            super().clear(root)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


PLAIN = Ground()

GROUNDS = (_Links(), _Volume(), _Layers())
