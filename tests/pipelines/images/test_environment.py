"""Layers that environments share: each lock cut, nothing lost, nothing added."""

import base64
import hashlib
import os
import runpy
import shutil
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.images import environment
from pipelines.images.build import BASES
from pipelines.images.environment import FAMILIES, SOURCE_ONLY, Environments, Layer, layers
from pipelines.images.programs import PROGRAMS, ROOT, lock_file
from pipelines.images.sbom import packages
from pipelines.run.container import engine
from pipelines.run.container.engine import LABEL, Owner
from robo_poet.errors import BadInput

pytestmark = pytest.mark.images

GROUPS = sorted({program.group for program in PROGRAMS.values()} | {group for family in FAMILIES for group in family})


def blocks(lock: str) -> Counter[str]:
    """A lock's lines by the package that they belong to."""
    found: list[str] = []
    for line in lock.splitlines():
        if line[:1].isalnum():
            found.append(line)
        elif line.strip() and not line.startswith("#"):
            found[-1] += f"\n{line}"
    return Counter(found)


@pytest.mark.parametrize("group", GROUPS)
def test_the_layers_together_are_the_lock(group: str) -> None:
    chain = layers(group)
    assert sum((blocks(layer.lock) for layer in chain), Counter()) == blocks(lock_file(group).read_text())
    assert [layer.last for layer in chain] == [False] * (len(chain) - 1) + [True]
    assert chain == layers(group)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_shares_its_layers(family: tuple[str, ...]) -> None:
    shared = {group: {layer.name: layer.lock for layer in layers(group) if not layer.last} for group in family}
    name = f"{family[0]}-shared"
    assert len({below[name] for below in shared.values()}) == 1 and shared[family[0]][name]


def test_large_packages_are_installed_once() -> None:
    at = {group: next(layer.name for layer in layers(group) if "\ntensorflow==" in f"\n{layer.lock}") for group in FAMILIES[0]}
    assert set(at.values()) == {"model-server-shared"}
    assert next(layer.name for layer in layers("gateway") if "\nspacy==" in f"\n{layer.lock}") == "scrub-shared"


def test_slim_removes_tests_and_headers_but_keeps_what_a_report_needs(tmp_path: Path) -> None:
    names = ("pandas/tests/test_a.py", "numpy/include/a.h", "scipy/a.pyx", "evidently/legacy/tests/base.py", "pandas/core.py")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    slim = runpy.run_path(str(ROOT / "infra" / "images" / "slim.py"))["slim"]
    assert slim(tmp_path) == 3
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"evidently/legacy/tests/base.py", "pandas/core.py"}


def test_the_layers_build_all_source_only_packages_of_a_lock() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        if path.stem in GROUPS:
            wanted = {one.name for one in packages(path)} & set(SOURCE_ONLY)
            assert {line.split("==")[0] for layer in layers(path.stem) for line in layer.from_source.splitlines() if "==" in line} == wanted
    assert layers("validate")[-1].from_source.startswith("pyfarmhash==") and "--hash=sha256:" in layers("validate")[-1].from_source


PREFIX = "robo-poet-test"
WHEEL = "verse-1.0-py3-none-any.whl"
SECRET = "a-word-of-mine"


@pytest.fixture
def base() -> str:
    try:
        engine.find()
    except BadInput as error:
        pytest.skip(str(error))
    found = engine.images([name for name in (os.environ.get("BASE_IMAGE", ""), *BASES) if name])
    return next(iter(found), "") or pytest.skip("the engine has no base image; infra/images/base.sh makes one")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("wheel") / WHEEL
    facts = {
        "METADATA": "Metadata-Version: 2.1\nName: verse\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        files = {"verse/__init__.py": "LINE = 'my heart burns'\n", "verse/tests/test_verse.py": "", "verse/verse.h": ""}
        files |= {f"verse-1.0.dist-info/{name}": text for name, text in facts.items()}
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("verse-1.0.dist-info/RECORD", "".join(f"{name},,\n" for name in [*files, "verse-1.0.dist-info/RECORD"]))
    return path.read_bytes()


@pytest.fixture
def index(wheel: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A package index on this machine that wants a password, and this host's settings for it."""
    wanted = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers.get("Authorization") == wanted
            body = wheel if self.path.endswith(WHEEL) else f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Type", "application/octet-stream" if self.path.endswith(WHEEL) else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:{SECRET}@127.0.0.1:{server.server_port}/simple")
    yield hashlib.sha256(wheel).hexdigest()
    server.shutdown()
    server.server_close()


@pytest.fixture
def environments(base: str, tmp_path: Path) -> Iterator[Environments]:
    """With this host's uv as the installer: the index here has no other."""
    uv = ROOT / ".tools" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("there is no .tools/bin/uv; make setup installs it where the machine has none")
    folder = tmp_path / "pip" / "bin"
    folder.mkdir(parents=True)
    shutil.copy(uv, folder / "uv")
    with Environments(PREFIX, base, engine.images([base])[base], tmp_path / "logs", lambda name: None) as made:
        made._installer = engine.call("create", "--volume=/mnt", f"--label={LABEL}={Owner.me()}", base, "true").out.strip()
        assert engine.call("cp", str(tmp_path / "pip"), f"{made._installer}:/mnt").status == 0
        yield made
    assert not engine.call("ps", "--all", "--quiet", f"--filter=label={LABEL}={Owner.me()}").out
    for line in engine.call("images", "--format={{.Repository}}:{{.Tag}}", f"{PREFIX}/environment").out.split():
        engine.call("rmi", "--force", line)


def lock(*digests: str) -> str:
    return "verse==1.0 \\\n" + " \\\n".join(f"    --hash=sha256:{digest}" for digest in digests) + "\n"


@pytest.mark.timeout(120)
def test_a_layer_contains_its_packages_and_no_files_of_the_host(
    environments: Environments, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = [Layer("below", "", last=False), Layer("verse", lock(index, "0" * 64), last=True)]
    monkeypatch.setattr(environment, "layers", lambda group: chain)
    name = environments.get("verse")
    assert environments.get("verse") == name and list(engine.images([name])) == [name]
    script = "import verse, pathlib as p; r = p.Path(verse.__file__).parent; print(verse.LINE, sorted(f.name for f in r.rglob('*')), verse.__cached__)"
    said = engine.call("run", "--rm", "--network=none", "--read-only", name, "/opt/venv/bin/python", "-c", script)
    assert said.out.startswith("my heart burns ['__init__.cpython-311.pyc', '__init__.py', '__pycache__'] /opt/venv/"), said.out + said.err
    look = f"find /mnt /tmp -mindepth 1; grep -rlE '{SECRET}|127.0.0.1:[0-9]' /opt /root /etc /var"
    assert engine.call("run", "--rm", "--network=none", name, "sh", "-c", look) == engine.Answer(1, "", "")  # grep: nothing
    config = engine.images([name])[name]["Config"]
    assert not config["Entrypoint"] and config["Cmd"] == ["python3"] and not config["Volumes"], config
    everything = engine.call("history", "--no-trunc", name).out + engine.call("inspect", name).out
    assert SECRET not in everything and "://" not in everything
    assert not engine.labels(engine.images([name])[name]).get(LABEL)


@pytest.mark.timeout(120)
def test_a_file_of_another_hash_is_not_installed(environments: Environments, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "layers", lambda group: [Layer("verse", lock("0" * 64), last=True)])
    with pytest.raises(BadInput, match=r"^environment verse: the build failed: .*; see its output in .*environment-verse.log$"):
        environments.get("verse")
    assert "Hash mismatch" in (environments._logs / "environment-verse.log").read_text()
    assert not engine.call("images", "--quiet", f"{PREFIX}/environment").out
