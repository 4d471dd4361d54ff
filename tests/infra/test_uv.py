"""`make` on a machine without uv or Python 3.11. The downloads come from a server on loopback."""

import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "cut", "sort", "tail", "sed", "mkdir", "ln", "cat", "dirname", "rm", "env", "chmod")
LEFT_OUT = {"test", "site-packages", "idlelib", "tkinter", "turtledemo", "lib2to3", "__pycache__"}
BUILT = next((path for path in (ROOT / ".tools" / "bin" / "uv", Path(shutil.which("uv") or "none")) if path.is_file()), None)
STANDALONE = "https://github.com/astral-sh/python-build-standalone/releases/download"  # the part of an address that a mirror replaces
needs_uv = pytest.mark.skipif(BUILT is None, reason="there is no uv; make setup installs it")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with infra/uv.sh and a PATH of basic tools in `bin`, without any Python."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "infra" / "uv.sh", tmp_path / "infra")
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "installer.txt", tmp_path / "requirements")
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def program(project: Path, name: str, script: str) -> None:
    (project / "bin" / name).write_text(f"#!{shutil.which('bash')}\n{script}\n")
    (project / "bin" / name).chmod(0o755)


def sourced(project: Path, then: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": str(project / "bin"),
        "HOME": str(project),
        "UV_NO_CONFIG": "1",
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(project / "cache"),
        **environment,
    }
    command = f"set -euo pipefail; . infra/uv.sh; {then}"
    return subprocess.run(
        [str(project / "bin" / "bash"), "-c", command], cwd=project, env=variables, capture_output=True, text=True, timeout=120
    )


def test_a_new_uv_on_the_path_is_used_and_an_old_one_is_not(project: Path) -> None:
    program(project, "uv", "echo uv 99.1.0")
    assert sourced(project, 'echo "$UV"').stdout == f"{project}/bin/uv\n"
    program(project, "uv", "echo uv 0.4.2")
    old = sourced(project, 'echo "$UV"')
    assert old.returncode == 2 and old.stderr == (
        "error: no uv, and no Python 3.9 or newer that can install it; install your system's python3-venv package, or uv\n"
    )


@pytest.mark.parametrize("has_venv", [True, False])
def test_any_python_from_39_installs_uv_in_the_project(project: Path, has_venv: bool) -> None:
    """A stand-in for Python 3.9 with or without venv; Debian's has none. Its pip writes a program in place of uv."""
    pip = 'while [ $# -gt 0 ]; do [ "$1" = --target ] && to=$2/bin; shift; done; mkdir -p "${to:=.tools/bin}"; echo "echo uv 0.13.9" > "$to/uv"; chmod +x "$to/uv"'
    venv = 'mkdir -p .tools/bin; ln -sf "$0" .tools/bin/python' if has_venv else "exit 1"
    program(project, "python3.9", f'case "$1 ${{2:-}}" in "-c "*) exit 0;; "-m venv") {venv};; "-m pip") {pip};; esac')
    program(project, "python3", 'case "$1" in -c) exit 1;; *) exit 3;; esac')  # Python 3.8
    ended = sourced(project, '"$UV" --version')
    assert (ended.returncode, ended.stderr) == (0, "") and ended.stdout.endswith(" → .tools\nuv 0.13.9\n")
    assert (project / ".tools" / ("bin" if has_venv else "packages/bin") / "uv").is_file()


@pytest.mark.skipif(not any(Path(sys.base_prefix).glob("lib/python3.11/*-packages/pip")), reason="this Python has no pip")
def test_a_uv_with_another_digest_is_not_installed(project: Path) -> None:
    """A package index that delivers another file as uv 0.13.9: pip refuses it and installs nothing."""
    wheel = project / "packages" / "uv-0.13.9-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("uv-0.13.9.data/scripts/uv", "#!/bin/sh\necho evil\n")
        files.writestr("uv-0.13.9.dist-info/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0.13.9\n")
        files.writestr("uv-0.13.9.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files.writestr("uv-0.13.9.dist-info/RECORD", "")
    program(
        project, "python3.11", f'case "$1 ${{2:-}}" in "-m venv") exit 1;; esac; exec {Path(sys.base_prefix) / "bin" / "python3.11"} "$@"'
    )
    ended = sourced(project, '"$UV" --version', PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent), PIP_CONFIG_FILE=os.devnull)
    assert ended.returncode == 2 and "DO NOT MATCH THE HASHES" in ended.stderr and "evil" not in ended.stdout
    assert not (project / ".tools" / "packages").exists()


def test_a_version_without_digests_is_an_error(project: Path) -> None:
    (project / "requirements" / "installer.txt").write_text("uv==0.1.0 \\\n    --hash=sha256:00\n")
    program(project, "python3.11", "exit 0")
    ended = sourced(project, '"$UV" --version')
    assert ended.returncode == 2 and ended.stderr.startswith("error: requirements/installer.txt has no hashes of uv 0.13.9; run make lock ")


@pytest.fixture
def with_uv(project: Path) -> Path:
    (project / ".tools" / "bin").mkdir(parents=True)
    (project / ".tools" / "bin" / "uv").symlink_to(str(BUILT))
    return project


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves one archive for every path, and keeps the paths."""

    archive: bytes | None = None
    asked: list[str] = []  # noqa: RUF012  emptied by the fixture

    def do_GET(self) -> None:
        self.asked.append(unquote(self.path))
        self.send_response(404 if self.archive is None else 200)
        self.send_header("Content-Length", str(len(self.archive or b"")))
        self.end_headers()
        self.wfile.write(self.archive or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror() -> Iterator[str]:
    Mirror.archive = None
    Mirror.asked.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def packed_python() -> bytes:
    """Return this Python as an archive of the form that uv downloads, without what a virtual environment does not need."""
    buffer, prefix = io.BytesIO(), Path(sys.base_prefix)

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if LEFT_OUT & set(Path(member.name).parts) or "/config-" in member.name else member

    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        executable = Path(sys.base_prefix) / "bin" / "python3.11"
        for name in ("python3.11", "python3", "python"):
            archive.add(executable.resolve(), f"python/bin/{name}")
        archive.add(prefix / "lib" / "python3.11", "python/lib/python3.11", filter=kept)
        for library in prefix.glob("lib/libpython3*.so*"):
            archive.add(library.resolve(), f"python/lib/{library.name}")
    return buffer.getvalue()


def downloads(project: Path) -> Path:
    """Write the list of downloads of uv with the newest CPython 3.11, but without its digest, because the mirror has another build."""
    listed = subprocess.run(
        [str(BUILT), "python", "list", "3.11", "--only-downloads", "--output-format", "json", "--show-urls", "--no-config"],
        capture_output=True, text=True, check=True, env={"HOME": str(project), "PATH": os.environ["PATH"]},
    ).stdout  # fmt: skip
    newest = next(entry for entry in json.loads(listed) if entry["implementation"] == "cpython")
    entry = {
        "name": "cpython", "arch": {"family": newest["arch"], "variant": None}, "os": newest["os"], "libc": newest["libc"], **newest["version_parts"],
        "prerelease": "", "url": "/".join([STANDALONE, *newest["url"].split("/")[-2:]]), "sha256": None, "variant": None, "build": "20260101",
    }  # fmt: skip
    path = project / "downloads.json"
    path.write_text(json.dumps({newest["key"]: entry}))
    return path


@needs_uv
def test_uv_provides_python_from_the_mirror(with_uv: Path, mirror: str) -> None:
    Mirror.archive = packed_python()
    ended = sourced(with_uv, "python_311", UV_PYTHON_INSTALL_MIRROR=mirror, UV_PYTHON_DOWNLOADS_JSON_URL=str(downloads(with_uv)))
    assert ended.returncode == 0, ended.stderr
    python = Path(ended.stdout.strip())
    assert python.is_relative_to(with_uv / ".tools" / "python")
    assert (
        subprocess.run([str(python), "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=True).stdout
        == "(3, 11)\n"
    )
    [path] = Mirror.asked
    assert "/cpython-3.11." in path and path.endswith(".tar.gz")
    again = sourced(with_uv, "python_311", UV_PYTHON_DOWNLOADS="never")
    assert (again.returncode, again.stdout) == (0, ended.stdout)


@needs_uv
def test_a_mirror_without_python_is_one_line(with_uv: Path, mirror: str) -> None:
    ended = sourced(with_uv, "python_311", UV_PYTHON_INSTALL_MIRROR=mirror)
    assert ended.returncode == 2 and len(Mirror.asked) == 1
    line = ended.stderr.splitlines()[-1]
    assert line.startswith("error: Python 3.11 is not on this machine, and uv could not download it (") and "404" in line
    assert line.endswith("install python3.11, or set UV_PYTHON_INSTALL_MIRROR") and ended.stderr.count("error: ") == 1


@needs_uv
def test_a_forbidden_download_is_one_line(with_uv: Path, mirror: str) -> None:
    ended = sourced(with_uv, "python_311", UV_PYTHON_INSTALL_MIRROR=mirror, UV_PYTHON_DOWNLOADS="never")
    assert (ended.returncode, ended.stdout, Mirror.asked) == (2, "", [])
    assert ended.stderr == (
        "error: Python 3.11 is not on this machine, and UV_PYTHON_DOWNLOADS=never forbids its download; install python3.11, or unset UV_PYTHON_DOWNLOADS\n"
    )
