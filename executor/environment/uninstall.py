"""Remove an installed distribution by its RECORD: its files, their byte code, emptied folders.

A removal can be repeated from any point. It never follows a link out of the environment. Source:
https://packaging.python.org/specifications/recording-installed-packages/.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing

from executor.environment.errors import RecordEscapes
from executor.environment.installed import Installed, recorded_files
from executor.environment.places import Places, Ways, is_below
from executor.files.folders import FOLDER
from executor.files.held_folder import HeldFolder
from executor.files.path_set import PathSet
from executor.files.regular import open_regular

__all__ = ["check_removal", "remove_files", "removed_entries", "shared_paths"]


_STAYS = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ENOTDIR, errno.EROFS})
"""Why a folder may stay: it has contents, something is mounted on it, it is a link, or it came with
a read-only mount, whose files were looked for before."""


_OF_FOLDERS = frozenset({errno.EISDIR, errno.EPERM, errno.EACCES, errno.EROFS})
"""What unlink(2) says of a folder: EISDIR on Linux, EPERM by POSIX. On a read-only mount Linux says
EROFS before it looks for the entry, which the mount may hide."""


_PART = (
    r"(?i)pyvenv\.cfg|(?:python|pypy)[\d.]*[td]?(?:\.exe)?|pythonw(?:\.exe)?"
    r"|(?:de)?activate(?:\.\w+)?"
)
"""Files of an environment itself, directly in one of its folders. A RECORD of a hostile wheel that
another tool has installed may list them."""


def check_removal(found: Installed, roots: Sequence[str]) -> None:
    """Raise if the RECORD of a distribution lists files outside of the environment.

    A wheel once made uv delete the files of others so (GHSA-pjjw-68hj-v9mw). Raises RecordEscapes
    and RecordUnreadable.
    """
    ways = Ways(roots)
    for path in found.files():
        if ways.entry(path) is None:
            raise RecordEscapes(found.name, found.version, path)


def removed_entries(found: Installed, ways: Ways) -> Iterator[str]:
    """Yield the real path of each entry that the removal of a distribution removes.

    If a package of it was replaced by a link that leads outside, that link is the entry. An entry
    may be yielded more than once, and may be absent.
    """
    last: str | None = None
    packages = os.path.realpath(os.path.dirname(found.path))
    for path in found.files():
        entry = _removed_entry(path, packages, ways)
        if entry is not None and entry != last:
            last = entry
            yield entry


def _removed_entry(path: str, packages: str, ways: Ways) -> str | None:
    """Return the real path of what removing ``path`` removes, or None if that is nothing.

    ``packages`` is the real path of the folder that holds the distribution. A link in it that leads
    outside was put in the place of a package, and goes; one elsewhere, such as ``share``, belongs
    to the layout that the user has chosen. The interpreter and the settings of an environment stay.
    """
    entry = ways.entry(path)
    if entry is None or (entry.leaves and not is_below(entry.path, [packages])):
        return None
    folder, _, name = entry.path.rpartition("/")
    if re.fullmatch(_PART, name) and folder in ways.roots and folder != packages:
        return None
    return entry.path


def shared_paths(
    remove: Sequence[Installed], others: Iterable[Installed], roots: Sequence[str]
) -> Iterator[str]:
    """Yield the real paths of entries of ``remove`` that stay, because ``others`` own them too."""
    if not remove:
        return
    ways, places = Ways(roots), Places()
    going = PathSet(places.key(entry) for found in remove for entry in removed_entries(found, ways))
    leaving = {found.path for found in remove}
    for other in others:
        if other.path not in leaving and other.is_complete:
            for entry in removed_entries(other, ways):
                if places.key(entry) in going:
                    yield entry


def remove_files(
    dist_info: HeldFolder, place: str, roots: Sequence[str], keep: Iterable[str]
) -> None:
    """Delete the files that the RECORD in ``dist_info`` lists, except ``keep``.

    ``place`` is where that folder was installed: RECORD's paths begin beside it. Nothing outside of
    the folders ``roots`` is touched. A file that is absent is not an error. Raises OSError.
    """
    root = os.path.dirname(place)
    with closing(_Removal(os.path.realpath(root), roots, keep)) as removal:
        path = dist_info.path_of("RECORD")
        try:
            record = dist_info.open("RECORD")
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            # A user may have put a link there; whatever it lists, nothing outside is removed.
            link = os.readlink("RECORD", dir_fd=dist_info.descriptor)
            path = os.path.normpath(os.path.join(os.path.realpath(place), link))
            try:
                record = open_regular(path)
            except FileNotFoundError:
                # A removal has removed it: of a package that lists it, or a begun one of this.
                return
        for file in recorded_files(path, root, record):
            removal.remove(file.path)
        removal.finish()


class _Removal:
    """The removal of one distribution, while its RECORD is read."""

    def __init__(self, packages: str, roots: Sequence[str], keep: Iterable[str]) -> None:
        self._packages = packages
        self._ways = Ways(roots)
        self._own = _own_folders(self._ways.roots)
        self._places = Places()
        self._kept = frozenset(map(self._places.key, keep))
        self._folder = ""
        """The folder of the last file, which is tidied up when the next one is elsewhere."""
        self._open = ExitStack()
        self._descriptor: int | None = None
        self._tidied: set[int] = set()
        """Hashes of folders that were tidied up."""
        self._later: set[str] = set()
        """Folders to tidy up in the end: those that RECORD comes back to, and lists as files."""

    def remove(self, path: str) -> None:
        """Remove what a row of RECORD names."""
        entry = _removed_entry(path, self._packages, self._ways)
        if entry is None or self._places.key(entry) in self._kept:
            return
        folder, _, name = entry.rpartition("/")
        if folder != self._folder:
            self._leave()
            self._folder = folder
            self._descriptor = self._open.enter_context(self._ways.opened(folder))
        if self._descriptor is None:
            return
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            pass
        except OSError as error:
            is_folder = os.path.isdir(entry) and not os.path.islink(entry)
            if is_folder and error.errno in _OF_FOLDERS:
                self._later.add(entry)
            elif error.errno != errno.EROFS or os.path.lexists(entry):
                raise

    def finish(self) -> None:
        """Tidy up the last folder, and those that were left for the end."""
        self._leave()
        for folder in sorted(self._later, reverse=True):
            self._tidy(folder)

    def close(self) -> None:
        """Close what is open, also after an error."""
        self._open.close()

    def _leave(self) -> None:
        """Close the folder of the last file, and tidy it up: once, however often it is left, for
        all its byte code is looked at.
        """
        self._open.close()
        if hash(self._folder) in self._tidied:
            self._later.add(self._folder)
        elif self._folder:
            self._tidied.add(hash(self._folder))
            self._tidy(self._folder)

    def _tidy(self, folder: str) -> None:
        """Remove byte code without a source, and folders without contents, from ``folder`` up."""
        self._remove_byte_code(folder)
        while folder not in self._own and is_below(folder, self._ways.roots):
            outer, name = os.path.split(folder)
            # A folder of packages that stayed unnoticed could be imported. Others may be in folders
            # that belong to another user.
            may_stay = not is_below(folder, [self._packages])
            if may_stay and folder in self._ways.led:
                return  # the link is the user's, and is to lead somewhere
            with self._ways.opened(outer) as descriptor:
                if descriptor is not None and not _is_gone(name, descriptor, may_stay=may_stay):
                    return
            folder = outer

    def _remove_byte_code(self, folder: str) -> None:
        with self._ways.opened(folder) as descriptor:
            if descriptor is None:
                return
            try:
                cache = os.open("__pycache__", FOLDER, dir_fd=descriptor)
            except (FileNotFoundError, NotADirectoryError):
                return
            except OSError as error:
                if error.errno == errno.ELOOP:
                    return
                raise
            try:
                for name in os.listdir(cache):
                    source = f"{name.partition('.')[0]}.py"
                    if name.endswith(".pyc") and not _exists(source, descriptor):
                        _unlink_file(name, cache)
            finally:
                os.close(cache)
            _is_gone("__pycache__", descriptor, may_stay=False)


def _own_folders(roots: Sequence[str]) -> frozenset[str]:
    """Return the folders that an environment has from the beginning, and keeps when they are
    emptied: the outermost of ``roots`` and the folders directly in them (``lib``, ``bin``).
    """
    own: set[str] = set()
    for root in roots:
        outer = [other for other in roots if is_below(root, [other])]
        if outer:
            outermost = min(outer, key=len)
            name = root[len(outermost) :].lstrip(os.sep).partition(os.sep)[0]
            own.add(os.path.join(outermost, name))
        else:
            own.add(root)
    return frozenset(own)


def _is_gone(name: str, descriptor: int, *, may_stay: bool) -> bool:
    """Remove the folder ``name`` in ``descriptor`` if it is empty, and return whether it is gone.

    Raises OSError; if it ``may_stay``, not because the user may not remove it: it or its folder may
    belong to another one.
    """
    try:
        os.rmdir(name, dir_fd=descriptor)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in _STAYS and not (may_stay and isinstance(error, PermissionError)):
            raise
        return False
    return True


def _unlink_file(name: str, descriptor: int) -> None:
    """Remove the entry ``name`` in ``descriptor``, unless it is a folder or absent."""
    try:
        os.unlink(name, dir_fd=descriptor)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        # As in ``_Removal.remove``.
        status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            raise
    except OSError as error:
        # Byte code without a source is not imported, so that of a mount may stay.
        if error.errno != errno.EROFS:
            raise


def _exists(name: str, descriptor: int) -> bool:
    try:
        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
