"""One requirement: a dependency specifier, or the address of a distribution or a source.

Sources: https://packaging.python.org/specifications/dependency-specifiers/ and
https://pip.pypa.io/en/stable/reference/requirement-specifiers/; pip also accepts an address or a
path without a name.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, unquote, urldefrag, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from executor import read_input
from planner.inputs.errors import InvalidRequirementLine, UnsupportedRequirementLine
from planner.model.specifiers import with_whole_versions
from schemas.builds import project_name
from schemas.numbers import has_huge_number
from schemas.toml import parse_toml
from schemas.urls import UNQUOTED_HINT, has_unquoted_login, hidden, redacted, without_dots

__all__ = ["MAX_SHOWN", "limited", "names_extra", "parse_requirement", "quoted"]


_EDITABLE_HINT = (
    "in its place, name the folder of the project as PROJECT, what it depends on is planned; of a "
    "repository, write NAME @ git+https://..."
)
"""What to do about ``-e`` in a project, as PDM has it."""


MAX_SHOWN = 200
"""Characters of a line that an error shows."""


_FETCHED = {
    *("https", "http", "file"),
    *("git+https", "git+http", "git+ssh", "git+git", "git+file"),
}
"""The schemes of addresses that may take the place of a version."""


_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


_SCP = re.compile(r"(?:git\+)?[\w.-]+@[\w.-]+:[^/\s]\S*")
"""An address as ssh takes it (https://git-scm.com/docs/git-clone#_git_urls)."""


_ARCHIVE = re.compile(r"\.(?:whl|zip|tar|tgz|tbz|txz|tar\.(?:gz|bz2|xz|lzma|Z))$", re.IGNORECASE)
"""The names that pip takes for a file even without a slash."""


_NAME = re.compile(r"\s*[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[^\]]*\])?\s*@\s*")
"""The name and the extras before the address of a direct reference."""


_URL_MARKER = re.compile(r"\s;|;\s")
"""A semicolon may be a part of a URL, so a space separates the marker from one."""


_VARIABLE = r"(?:python(?:_full)?|implementation)_version"
_OPERATOR = "(?:[<>]=?|[=!~]=)"
_COMPARED = re.compile(
    rf'\b({_VARIABLE}) {_OPERATOR} "([^"]*)"|"([^"]*)" {_OPERATOR} ({_VARIABLE})\b'
)
"""A comparison of versions in a marker."""


_SHORT_COMPATIBLE = re.compile(r"~=\s*\d+\s*(?:[,;)]|$)")


_HOW_TO_WRITE_IT = "write it as NAME, NAME==1.0, NAME[EXTRA]>=2; MARKER or NAME @ URL"


_PATH_MARKER = re.compile(r"\s*;")


def parse_requirement(
    text: str, origin: str, *, written: str | None = None, folder: str = os.curdir
) -> Requirement:
    """Return the requirement of a dependency specifier, or of an address or a path alone.

    ``written`` is the text at ``origin`` before variables were expanded: errors show nothing that
    came from the environment. Relative paths start from ``folder``.

    Raise InvalidRequirementLine, or UnsupportedRequirementLine for an address that cannot be used.
    """
    if has_huge_number(text):
        raise InvalidRequirementLine(origin, "it has a number of 1,000 digits or more")
    if text.startswith(("-e ", "--editable")):
        raise UnsupportedRequirementLine(origin, "-e is not supported", hint=_EDITABLE_HINT)
    try:
        requirement = _read(text, origin, folder)
        if (variable := _compared_with_text(requirement.marker)) is None:
            return requirement
        problem = "has a marker that means nothing"
        reason = f"it compares {variable} with what is not a version"
    except InvalidRequirement as error:
        problem, reason = "is not a requirement", str(error).partition("\n")[0]
        if _SHORT_COMPATIBLE.search(text):
            reason = "~= takes a version of two numbers or more, such as ~=2.0"
    except ValueError as error:
        problem, reason = "has a malformed URL", str(error)
    if written is not None and written != text:
        reason = "with the values of its variables"
    shown = quoted(written or text)
    raise InvalidRequirementLine(origin, f"{shown} {problem}: {reason}", hint=_HOW_TO_WRITE_IT)


def _compared_with_text(marker: Marker | None) -> str | None:
    """Return a variable that ``marker`` compares as a version with what is none, if there is one:
    most such comparisons are false, whatever was meant.
    """
    for left, value, other, right in _COMPARED.findall(str(marker or "")):
        try:
            Version((value or other).removesuffix(".*"))
        except InvalidVersion:
            return str(left or right)
    return None


def names_extra(requirement: Requirement) -> bool:
    """Return whether the marker of a requirement has a condition on an extra."""
    return re.search(r"\bextra\b", re.sub('"[^"]*"', "", str(requirement.marker or ""))) is not None


def limited(requirement: Requirement, marker: Marker | None) -> Requirement:
    """Return the requirement on the further condition of ``marker``."""
    if marker is None:
        return requirement
    found = Requirement(str(requirement))
    own = found.marker
    found.marker = Marker(f"({own}) and ({marker})") if own else marker
    return found


def quoted(line: str) -> str:
    """Return a line as errors show it: quoted, and cut, since it may be a file of another kind."""
    return repr(line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}...")


def _read(text: str, origin: str, folder: str) -> Requirement:
    text = with_whole_versions(text)
    if not _begins_with_place(text):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            # The grammar of specifiers has no spaces in an address, and a path may have some.
            if "/" not in text.partition(";")[0]:
                raise
        else:
            if requirement.url:
                requirement.url = _absolute(requirement.url, origin, folder)
            return requirement
    named = _NAME.match(text)
    name = named[0].partition("@")[0].strip() if named else ""
    place = text[named.end() :] if named else text
    marker = ""
    if found := (_URL_MARKER if _SCHEME.match(place) else _PATH_MARKER).search(place):
        place, marker = place[: found.start()], f" ; {place[found.end() :].strip()}"
    extras = ""
    if not named and place.endswith("]") and "[" in place:
        place, bracket, extras = place.rpartition("[")
        extras = bracket + extras
    url = _absolute(place.strip(), origin, folder)
    return Requirement(f"{name or _name_of(url, origin)}{extras} @ {url}{marker}")


def _begins_with_place(text: str) -> bool:
    """Return if ``text`` begins with a URL or a path, not with the name of a project."""
    start = re.split(r"[\s;@\[]", text, maxsplit=1)[0]
    return bool(_SCHEME.match(text) or "/" in start or start[:1] == "." or _ARCHIVE.search(start))


def _absolute(place: str, origin: str, folder: str) -> str:
    """Return the URL of ``place``, a URL or a path. Raise ValueError if it is malformed, or
    UnsupportedRequirementLine if nothing can be fetched from there.
    """
    if _SCP.fullmatch(place):
        raise UnsupportedRequirementLine(
            origin,
            "the address of a git repository is written as a URL",
            hint="begin it with git+ssh://, and write / in the place of the colon behind the host",
        )
    if not _SCHEME.match(place):
        path, hash_sign, fragment = place.partition("#")
        url = Path(os.path.abspath(os.path.join(folder, path))).as_uri()
        return url + hash_sign + fragment
    if has_unquoted_login(place):
        # Not shown: what looks like its scheme or its host may be a part of the password.
        raise UnsupportedRequirementLine(
            origin, "its address has an unquoted login", hint=UNQUOTED_HINT
        )
    # Not urldefrag: it makes file:///a of file:a#b.
    address, _hash_sign, fragment = place.partition("#")
    if _is_marker(place.rpartition(";")[2]):
        raise UnsupportedRequirementLine(
            origin,
            "there is no space between its address and its marker, which would be a part of it",
            hint="write a space before the semicolon",
        )
    parts = urlsplit(address)
    _ = parts.port  # raises ValueError if it is not a port
    if parts.scheme not in _FETCHED or (not parts.netloc and "file" not in parts.scheme):
        raise _unsupported_address(origin)
    if parts.scheme != "file":
        return without_dots(place)
    if parts.netloc not in {"", "localhost"}:
        raise ValueError(f"{redacted(place)} names a file of another host")
    path = os.path.abspath(os.path.join(folder, unquote(parts.path)))
    return Path(path).as_uri() + (f"#{fragment}" if fragment else "")


def _is_marker(text: str) -> bool:
    with suppress(InvalidMarker):
        Marker(text)
        return True
    return False


def _name_of(url: str, origin: str) -> str:
    """Return the name of the project at ``url``, with the extras of its fragment.

    Raise UnsupportedRequirementLine if neither the address nor a folder there says the name.
    """
    address, fragment = urldefrag(url)
    egg = parse_qs(fragment).get("egg", [""])[0]
    if egg:
        return egg
    parts = urlsplit(address)
    path = unquote(parts.path)
    filename = path.rstrip("/").rpartition("/")[2]
    if filename.endswith(".whl"):
        return filename.partition("-")[0]
    if not parts.scheme.startswith("git+"):
        with suppress(InvalidSdistFilename):
            return parse_sdist_filename(filename)[0]
    if parts.scheme == "file" and (name := _name_in(path)):
        return name
    if parts.scheme == "file" and os.path.isdir(path):
        raise UnsupportedRequirementLine(
            origin,
            f"no pyproject.toml in {path} says the name of its project",
            hint="write NAME @ and the folder",
        )
    if parts.scheme == "file" and not os.path.exists(path):
        raise UnsupportedRequirementLine(
            origin,
            f"there is nothing at {hidden(path)}",
            hint="correct the path; a relative one starts from the working folder",
        )
    raise UnsupportedRequirementLine(
        origin,
        "its address does not say which project is there",
        hint="write NAME @ and the address",
    )


def _name_in(folder: str) -> str | None:
    """Return the name of the project in ``folder``, if its pyproject.toml says it."""
    try:
        path = os.path.join(folder, "pyproject.toml")
        return project_name(parse_toml(read_input(path).decode()))
    except (OSError, ValueError):
        return None


def _unsupported_address(origin: str) -> UnsupportedRequirementLine:
    return UnsupportedRequirementLine(
        origin,
        "an address in place of a version has to be that of a wheel, an archive, a folder or a git "
        "repository",
        hint="write NAME @ URL, with https:, file: or git+https:; a wheel may stand alone",
    )
