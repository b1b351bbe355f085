"""Byte code of the modules for one version of Python. A program, run by that Python: it reads
sources from standard input as JSON, and writes code as JSON.

zipimport keeps no byte code, so without any the program would be compiled at each start.
"""

from __future__ import annotations

import ast
import base64
import json
import marshal
import sys
from importlib.util import MAGIC_NUMBER, source_hash

UNCHECKED_HASH = 0b01
"""Flags of byte code that is never compared with its source (PEP 552)."""


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove what only readers of the source need: 0.4 MiB of memory."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                del node.body[0]
                if not node.body:
                    node.body.append(ast.copy_location(ast.Pass(), first))
    return tree


def compiled(path: str, source: bytes) -> bytes:
    """Return the content of the ``.pyc`` file of the module at ``path``."""
    tree = ast.parse(source)
    # click shows the docstrings of commands.
    if "/cli/" not in path and path != "lockstream.py":
        tree = without_docstrings(tree)
    code = compile(tree, path, "exec", dont_inherit=True, optimize=0)
    head = MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little") + source_hash(source)
    return head + marshal.dumps(code)


if __name__ == "__main__":
    sources = json.load(sys.stdin)
    tag = f"{sys.implementation.cache_tag}-{int.from_bytes(MAGIC_NUMBER[:2], 'little')}"
    code = {
        path: base64.b64encode(compiled(path, source.encode())).decode()
        for path, source in sorted(sources.items())
    }
    json.dump({"tag": tag, "version": sys.version.split()[0], "code": code}, sys.stdout)
