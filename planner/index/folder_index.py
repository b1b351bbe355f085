"""A package index that is a folder of this machine, as mirrors and pip's ``file:`` URLs have it.

Source: https://packaging.python.org/specifications/simple-repository-api/: each project has a
folder with an ``index.html``.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from packaging.utils import NormalizedName

from executor import read_regular
from planner.index.errors import IndexAnswer
from planner.index.pages import MAX_PAGE_SIZE, ProjectPage, parse_page, with_path

__all__ = ["read_folder_page"]


def read_folder_page(name: NormalizedName, folder: str, index: str) -> ProjectPage:
    """Return the page of project ``name`` in ``folder``, which the index at the URL ``index`` is.

    Raise IndexAnswer if it cannot be read or is not a project page.
    """
    path = os.path.join(folder, name, "index.html")
    url = Path(os.path.abspath(path)).as_uri()
    try:
        content = read_regular(path, MAX_PAGE_SIZE, follow=True)
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.isdir(folder):
            raise IndexAnswer(index, "there is no such folder") from None
        return ProjectPage(name, exists=False)
    except OSError as error:
        raise IndexAnswer(url, error.strerror or str(error)) from None
    page = parse_page(name, content, content_type="text/html", url=url, index=index)
    files = {version: list(map(with_path, its)) for version, its in page.files.items()}
    return replace(page, files=files)
