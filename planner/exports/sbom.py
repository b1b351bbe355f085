"""A lock as a bill of materials: CycloneDX 1.6 (ECMA-424) in JSON.

The same lock and selection give the same bytes: the serial number is made of the content, and a
time is stated only if the user gives one.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel, Pylock

from planner.exports.addresses import files_of, plain_url, repository_url
from planner.exports.depends import Depends
from planner.exports.direct import Direct
from planner.exports.purl import package_url, plain_package_url
from planner.exports.selection import ExportedPackage
from schemas.errors import UsageError
from schemas.hints import TOOL_NAME
from schemas.text import json_text
from schemas.version import VERSION

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, HashType
    from cyclonedx.model.component import Component

__all__ = ["bill_of_materials"]

_HASHES = {
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "sha3_256": "SHA3-256",
    "sha3_384": "SHA3-384",
    "sha3_512": "SHA3-512",
    "blake2b": "BLAKE2b-512",
}
"""Algorithms of a lock, as CycloneDX calls them."""


def bill_of_materials(
    lock: Pylock, packages: Sequence[ExportedPackage], direct: Direct | None, moment: int | None
) -> str:
    """Return the bill of ``packages`` of ``lock``. ``moment`` is its time in seconds since 1970;
    None for no time.

    Raises UsageError if the library of CycloneDX is not installed.
    """
    try:
        from cyclonedx.model.bom import Bom  # noqa: PLC0415  # an extra, and a tenth of a second
        from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415
    except ModuleNotFoundError:
        raise UsageError(
            "--format cyclonedx requires the library of CycloneDX, which is not installed",
            hint="pip install 'lockstream[sbom]'",
        ) from None
    components = dict(zip(map(id, packages), _components(packages), strict=True))
    bill = Bom(components=components.values())
    bill.metadata.tools.components.add(
        _library(TOOL_NAME, VERSION, plain_package_url(TOOL_NAME, VERSION))
    )
    if direct is not None and direct.project:
        root = bill.metadata.component = _root(direct)
        bill.register_dependency(
            root, [components[id(one)] for one in packages if one.name in direct.names]
        )
    depends = Depends(lock, packages)
    for one in packages:
        bill.register_dependency(
            components[id(one)], [components[id(other)] for other in depends.of(one)]
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a project that requires nothing, it warns
        document = json.loads(JsonV1Dot6(bill).output_as_string())
    if not depends.are_known:
        # What is not in the graph has unknown dependencies; an empty entry would mean none.
        known = [one for one in document.pop("dependencies", ()) if one.get("dependsOn")]
        document |= {"dependencies": known} if known else {}
    return _reproducible(document, moment)


def _components(packages: Sequence[ExportedPackage]) -> Iterator[Component]:
    """Yield the component of each package, each with a reference of its own."""
    from cyclonedx.model import Property  # noqa: PLC0415

    seen: dict[str, int] = {}
    for one in packages:
        purl = package_url(one)
        reference = purl or str(one)
        seen[reference] = seen.get(reference, 0) + 1
        if seen[reference] > 1:
            reference += f"#{seen[reference]}"
        component = _library(one.name, str(one.version or ""), purl, reference)
        component.external_references.update(_references(one.package))
        if one.marker is not None:
            component.properties.add(Property(name=f"{TOOL_NAME}:marker", value=str(one.marker)))
        yield component


def _library(name: str, version: str, purl: str | None, reference: str = "") -> Component:
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    return Component(
        name=name,
        version=version or None,
        type=ComponentType.LIBRARY if reference else ComponentType.APPLICATION,
        purl=PackageURL.from_string(purl) if purl else None,
        bom_ref=reference or None,
    )


def _root(direct: Direct) -> Component:
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415

    return Component(
        name=direct.project,
        version=direct.version or None,
        type=ComponentType.APPLICATION,
        bom_ref="project",
    )


def _references(package: Package) -> Iterator[ExternalReference]:
    """Yield the places of the files and of the repository of ``package``."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri  # noqa: PLC0415

    if url := repository_url(package):
        yield ExternalReference(type=ExternalReferenceType.SCM, url=XsUri(url))
    for file in files_of(package):
        is_source = isinstance(file, PackageSdist) or (
            isinstance(file, PackageArchive) and not _place(file).endswith(".whl")
        )
        yield ExternalReference(
            type=ExternalReferenceType.SOURCE_DISTRIBUTION
            if is_source
            else ExternalReferenceType.DISTRIBUTION,
            url=XsUri(_place(file)),
            hashes=_hashes(file),
        )


def _place(file: PackageArchive | PackageSdist | PackageWheel) -> str:
    return plain_url(file.url) if file.url else quote(file.path or "")


def _hashes(file: PackageArchive | PackageSdist | PackageWheel) -> list[HashType]:
    from cyclonedx.model import HashAlgorithm, HashType  # noqa: PLC0415

    return [
        HashType(alg=HashAlgorithm(_HASHES[name]), content=digest.lower())
        for name, digest in file.hashes.items()
        if name in _HASHES
    ]


def _reproducible(document: dict[str, Any], moment: int | None) -> str:
    """Return the text of a bill, with the time and the serial number that its content has."""
    document.pop("serialNumber", None)
    document["metadata"].pop("timestamp", None)
    if moment is not None:
        document["metadata"]["timestamp"] = datetime.fromtimestamp(moment, UTC).isoformat()
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    document["serialNumber"] = uuid5(NAMESPACE_URL, f"sha256:{digest}").urn
    return f"{json_text(document, sort_keys=True)}\n"
