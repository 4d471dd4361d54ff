"""The bill of materials (SBOM, CycloneDX 1.6) of an image's environment: names, versions, package URLs and hashes from its lock."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_OURS = uuid.UUID("5b1a2f6e-8a57-4c1e-9d5c-2f0a7c1d9e34")  # UUID namespace: the same image always gets the same serial number


@dataclass(frozen=True)
class Package:
    """A package of a lock, with the SHA-256 of every file that pip accepts for it."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package URL, with the name normalised by PEP 503."""
        name = re.sub(r"[-_.]+", "-", self.name).lower()
        return f"pkg:pypi/{name}@{self.version.replace('+', '%2B')}"


def packages(lock: Path) -> Iterator[Package]:
    """Yield the packages of a hash-pinned lock."""
    name, version = "", ""
    hashes: list[str] = []
    for line in lock.read_text("utf-8").splitlines():
        if match := _PACKAGE.match(line):
            if name:
                yield Package(name, version, tuple(hashes))
            name, version, hashes = match["name"], match["version"], []
        hashes += _HASH.findall(line)
    if name:
        yield Package(name, version, tuple(hashes))


def sbom(program: str, code: str, lock: Path) -> dict[str, Any]:
    """Return the bill of materials of a program's image as JSON data. The base image is not included; it has a separate one.

    Args:
        code: content digest of the program, 64 hexadecimal digits.
    """
    image = {"type": "container", "bom-ref": f"image/{program}", "name": f"robo-poet/{program}", "version": code[:16]}
    components = [
        {
            "type": "library",
            "bom-ref": package.purl,
            "name": package.name,
            "version": package.version,
            "purl": package.purl,
            "hashes": [{"alg": "SHA-256", "content": digest} for digest in package.hashes],
        }
        for package in packages(lock)
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_OURS, code)}",
        "version": 1,
        "metadata": {"component": image},
        "components": components,
        "dependencies": [{"ref": image["bom-ref"], "dependsOn": [component["bom-ref"] for component in components]}],
    }
