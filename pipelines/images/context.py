"""Build contexts of images as tar streams: a program's code, and the files that install its environment."""

import io
import os
import shlex
import tarfile
from collections.abc import Mapping
from configparser import ConfigParser, Error
from pathlib import Path

from pipelines.images.programs import ROOT, program_files
from robo_poet.digest import digest_file, digest_json

PACKAGES = ("components", "serving", "monitoring", "robo_poet")
INSTALLER = tuple(
    f"{folder}/{name}"
    for folder, names in (
        ("infra/images", ("installer.sh", "from_source.sh", "install.sh", "uv.toml", "slim.py", "compile.py")),
        ("requirements", ("installer.txt",)),
    )
    for name in names
)
RECIPE = ("infra/images/Dockerfile", *INSTALLER)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
PASSED_ON = ("index-url", "extra-index-url", "trusted-host", "timeout", "retries")
# pip setting → environment variable of uv. All indexes have equal priority, as in pip: the lock's hashes decide which file is right.
UV = {
    "index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "trusted-host": "UV_INSECURE_HOST", "timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES", "cert": "SSL_CERT_FILE",
}  # fmt: skip
UV_ALWAYS = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
_UNPACKED = "/tmp/"  # folder in the container where the layer context is unpacked; it is in memory


def recipe_digest(files: tuple[str, ...] = RECIPE) -> str:
    """Return the digest of the recipe files that all images share."""
    return digest_json([digest_file(ROOT / name) for name in files])


def program_context(program: str, group: str) -> bytes:
    """Return the build context of a program's image as an uncompressed tar, code in `code/`. The same files give the same bytes."""
    files = [path.relative_to(ROOT) for path in program_files(program, group)]
    code = {f"code/{path.as_posix()}": (ROOT / path).read_bytes() for path in files if path.parts[0] in PACKAGES}
    return _tar({**code, RECIPE[0]: (ROOT / RECIPE[0]).read_bytes()})


def layer_context(lock: str, last: bool, environment: Mapping[str, str] = os.environ, home: Path | None = None) -> bytes:
    """Return the tar that a container unpacks to `/tmp` to install the packages of `lock`.

    It contains the lock as `packages.txt`, the recipe, the files of `host_files` and, for the last layer, the empty file `last`.

    Args:
        last: whether this is the last layer of the environment.
        environment, home: source of CA bundle, proxies and package index settings.
    """
    files = {Path(name).name: (ROOT / name).read_bytes() for name in INSTALLER} | {"packages.txt": lock.encode()}
    return _tar({**files, **({"last": b""} if last else {}), **host_files(environment, home or Path.home())})


def host_files(environment: Mapping[str, str], home: Path) -> dict[str, bytes]:
    """Return the files with which a container can download packages as this host does.

    - `host/pip.conf`: settings of pip.
    - `host/settings`: the same settings for uv and the proxies, a shell file to source.
    - `host/ca.crt`: the CA bundle, if this host has one.
    """
    settings = {"retries": "10", **pip_settings(environment, home)}
    bundles = (settings.pop("cert", ""), environment.get("SSL_CERT_FILE", ""), *BUNDLES)
    bundle = next((Path(path) for path in bundles if path and Path(path).is_file()), None)
    files = {}
    if bundle:
        files["host/ca.crt"] = bundle.read_bytes()
        settings["cert"] = f"{_UNPACKED}host/ca.crt"
    lines = [f"{key} = {value}" for key, value in sorted(settings.items())]
    files["host/pip.conf"] = "\n".join(["[global]", *lines, ""]).encode()
    exported = {UV[key]: " ".join(value.split()) for key, value in settings.items()}
    exported |= {"HOME": _UNPACKED, **UV_ALWAYS, **{name: environment[name] for name in PROXIES if name in environment}}
    files["host/settings"] = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(exported.items())).encode()
    return files


def pip_settings(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return pip's settings on this host, from its files and `PIP_…` variables. Local folders are left out: a build cannot reach them."""
    parser = ConfigParser(interpolation=None)
    named = environment.get("PIP_CONFIG_FILE")
    for path in [Path(named)] if named else [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf"]:
        try:
            parser.read(path, encoding="utf-8")
        except (Error, UnicodeDecodeError):
            continue  # pip reports the fault itself
    settings: dict[str, str] = {}
    for section in ("global", "install"):
        settings |= dict(parser[section]) if parser.has_section(section) else {}
    settings |= {key: environment[name] for key in ("cert", *PASSED_ON) if (name := f"PIP_{key.replace('-', '_')}".upper()) in environment}
    settings |= {"timeout": environment["PIP_DEFAULT_TIMEOUT"]} if "PIP_DEFAULT_TIMEOUT" in environment else {}
    passed_on = {key: settings[key] for key in ("cert", *PASSED_ON) if settings.get(key)}
    for key in ("index-url", "extra-index-url"):
        reachable = [address for address in passed_on.get(key, "").split() if address.startswith(("http://", "https://"))]
        passed_on[key] = " ".join(reachable)
    return {key: value for key, value in passed_on.items() if value}


def _tar(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
