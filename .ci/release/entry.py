"""The start of lockstream.pyz, as __main__.py inside of it. Any Python can read this file."""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "error: lockstream needs Python 3.11 or newer to run, and this is Python %d.%d\n"
        "hint: run it with a newer one, as in: python3.11 lockstream.pyz execute "
        "--python /usr/bin/python3\n" % sys.version_info[:2]
    )
    sys.exit(2)

import os

# zipimport has imported it; importlib.util would cost memory before that can be checked.
from _frozen_importlib_external import MAGIC_NUMBER
from zipimport import zipimporter


class Importer(zipimporter):
    """Reads each module once."""

    def get_filename(self, fullname):  # type: (str) -> str
        """Return the path of a module. zipimporter would read and decompress it for that, first."""
        path = os.path.join(self.archive, self.prefix, fullname.rpartition(".")[2])
        if self.is_package(fullname):
            path = os.path.join(path, "__init__")
        return path + (".pyc" if self.get_source(fullname) is None else ".py")


sys.path_hooks[sys.path_hooks.index(zipimporter)] = Importer

# Byte code of one version of Python is in one folder; the sources are for every other one. The
# path is absolute, because modules are imported after the working directory has changed, too.
archive = os.path.dirname(os.path.abspath(__file__))
code = "%s-%d" % (sys.implementation.cache_tag, int.from_bytes(MAGIC_NUMBER[:2], "little"))
sys.path[:1] = [os.path.join(archive, code), os.path.join(archive, "src")]

from lockstream import main

sys.exit(main())
