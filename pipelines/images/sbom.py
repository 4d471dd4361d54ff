"""The bill of materials of an image's environment as CycloneDX 1.6, read off its lock: names, versions, package URLs and hashes."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_OURS = uuid.UUID("5b1a2f6e-8a57-4c1e-9d5c-2f0a7c1d9e34")  # a namespace of our own: the same image has the same serial number


@dataclass(frozen=True)
class Package:
    """A package of a lock, with the SHA-256 of every file that pip accepts for it."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL; names are written as PyPI does (PEP 503)."""
        name = re.sub(r"[-_.]+", "-", self.name).lower()
        return f"pkg:pypi/{name}@{self.version.replace('+', '%2B')}"


def packages(lock: Path) -> Iterator[Package]:
    """The packages of a hash-pinned lock."""
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
    """The bill of materials of a program's image.

    Args:
        code: its content digest, 64 hexadecimal digits.

    Says nothing of the base image, which has its own.
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
        "dependencies": [{"ref": image["bom-ref"], "dependsOn": [one["bom-ref"] for one in components]}],
    }
