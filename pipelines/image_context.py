"""What an image is built from, as a tar stream: a program's own files, the recipe, and, for its first stage, the host's way to packages."""

import io
import os
import tarfile
from collections.abc import Mapping
from configparser import ConfigParser, Error
from pathlib import Path

from pipelines.code_digest import ROOT, program_files
from robo_poet.digest import digest_file, digest_json

PACKAGES = ("components", "serving", "robo_poet")
RECIPE = ("infra/images/Dockerfile", "infra/images/slim.py")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")  # Docker keeps these out of images by itself
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
PASSED_ON = ("index-url", "extra-index-url", "trusted-host", "timeout", "retries")
_BUILD = "/build/"  # where the recipe puts the host's files


def recipe_digest() -> str:
    """Digest of the recipe that all images share."""
    return digest_json([digest_file(ROOT / name) for name in RECIPE])


def context(program: str, group: str, environment: Mapping[str, str] = os.environ, home: Path | None = None) -> bytes:
    """The build context of a program's image, as an uncompressed tar; the same files give the same bytes. Our packages are in `code/`.

    Args:
        environment, home: whose CA bundle and package index settings are used.
    """
    needed = [path.relative_to(ROOT) for path in program_files(program, group)] + [Path(name) for name in RECIPE]
    files = {("code" / path if path.parts[0] in PACKAGES else path).as_posix(): (ROOT / path).read_bytes() for path in needed}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in sorted({**files, **host_files(environment, home or Path.home())}.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def host_files(environment: Mapping[str, str], home: Path) -> dict[str, bytes]:
    """`host/pip.conf`, and `host/ca.crt` if this host has a CA bundle: how packages are reached from here is how the build reaches them."""
    settings = pip_settings(environment, home)
    bundles = (settings.pop("cert", ""), environment.get("SSL_CERT_FILE", ""), *BUNDLES)
    bundle = next((Path(path) for path in bundles if path and Path(path).is_file()), None)
    files = {}
    if bundle:
        files["host/ca.crt"] = bundle.read_bytes()
        settings["cert"] = f"{_BUILD}ca.crt"
    lines = [f"{key} = {value}" for key, value in sorted({"retries": "10", **settings}.items())]
    return {**files, "host/pip.conf": "\n".join(["[global]", *lines, ""]).encode()}


def pip_settings(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """What pip is told on this host by its files and by `PIP_…`. Folders of this host are left out: a build cannot reach them."""
    parser = ConfigParser(interpolation=None)
    named = environment.get("PIP_CONFIG_FILE")
    for path in [Path(named)] if named else [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf"]:
        try:
            parser.read(path, encoding="utf-8")
        except (Error, UnicodeDecodeError):
            continue  # pip itself will say what is wrong with it
    found: dict[str, str] = {}
    for section in ("global", "install"):
        found |= dict(parser[section]) if parser.has_section(section) else {}
    found |= {key: environment[name] for key in ("cert", *PASSED_ON) if (name := f"PIP_{key.replace('-', '_')}".upper()) in environment}
    found |= {"timeout": environment["PIP_DEFAULT_TIMEOUT"]} if "PIP_DEFAULT_TIMEOUT" in environment else {}
    kept = {key: found[key] for key in ("cert", *PASSED_ON) if found.get(key)}
    for key in ("index-url", "extra-index-url"):
        reachable = [address for address in kept.get(key, "").split() if address.startswith(("http://", "https://"))]
        kept[key] = " ".join(reachable)
    return {key: value for key, value in kept.items() if value}
