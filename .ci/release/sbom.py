"""The bill of materials of lockstream.pyz, as CycloneDX 1.6 (ECMA-424) in JSON."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from importlib.metadata import metadata
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from release.modules import bundled_versions
from schemas.version import VERSION

__all__ = ["bill_of"]


def bill_of(pyz: Path, moment: int) -> str:
    """Return the bill of the file, with its hash; ``moment`` is its time, in seconds since 1970."""
    digest = hashlib.sha256(pyz.read_bytes()).hexdigest()
    program = _component("lockstream", VERSION, ComponentType.APPLICATION)
    program.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    parts = [
        _component(name, version, ComponentType.LIBRARY)
        for name, version in bundled_versions().items()
    ]
    bill = Bom(components=parts, serial_number=uuid5(NAMESPACE_URL, f"sha256:{digest}"))
    bill.metadata.component = program
    bill.metadata.timestamp = datetime.fromtimestamp(moment, UTC)
    bill.register_dependency(program, parts)
    return f"{JsonV1Dot6(bill).output_as_string(indent=2)}\n"


def _component(name: str, version: str, kind: ComponentType) -> Component:
    factory = LicenseFactory()
    licence = metadata(name)["License-Expression"]
    purl = PackageURL("pypi", None, name, version)
    return Component(
        name=name,
        version=version,
        type=kind,
        purl=purl,
        bom_ref=BomRef(purl.to_string()).value,
        licenses=[factory.make_from_string(licence)],
    )
