"""A shared machine: another user reads or replaces keys, and the umask is 000."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from robo_poet.errors import BadInput
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.gateway.assemble import assemble
from serving.model_server.tls import read_tls
from tests.certificates import Authority, ssl_config, written

ROOT = Path(__file__).resolve().parents[2]
OFF = {"toxicity": {"prompt": "off", "completion": "off"}}


def settings(folder: Path, **more: object) -> ServeSettings:
    return ServeSettings(**{
        "registry": str(folder / "registry"), "folder": str(folder / "serve"), "request_log": {"enabled": False}, "telemetry": {"audit": False}, "content_filter": OFF, **more,
    })  # type: ignore[arg-type]  # fmt: skip


@contextmanager
def without_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def writable(folder: Path) -> list[str]:
    """Return the paths in a folder that group or others can write."""
    return [str(path) for path in folder.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]


def test_with_umask_000_the_gateway_creates_nothing_that_others_can_write(tmp_path: Path) -> None:
    with without_umask():
        assemble(settings(tmp_path))
        KeyStore(tmp_path / "other" / "deep" / "keys").create("ann", ["generate"], 1)
    assert (tmp_path / "serve" / "pseudonyms.key").exists() and writable(tmp_path) == []


def test_with_umask_000_commands_and_their_children_create_nothing_that_others_can_write(tmp_path: Path) -> None:
    script = 'umask 000; cd "$1" && "$2" -m cli keys create --user ann'
    run = ["sh", "-c", script, "sh", str(tmp_path), sys.executable]
    subprocess.run(run, check=True, capture_output=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (tmp_path / ".serve" / "keys").is_dir() and writable(tmp_path) == []


def test_a_step_limits_its_umask(tmp_path: Path) -> None:
    code = "import os, sys; from components.gate_model.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\nsys.exit(os.umask(0) != 0o022)"
    done = subprocess.run(["sh", "-c", 'umask 000; "$0" -c "$1" >/dev/null', sys.executable, code], timeout=60, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["pseudonyms.key", "completions.key"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620])
def test_a_key_that_others_can_read_or_change_stops_the_gateway(tmp_path: Path, name: str, mode: int) -> None:
    assemble(settings(tmp_path))
    (tmp_path / "serve" / name).chmod(mode)
    with pytest.raises(
        BadInput, match=rf"{name}: other users can (read|write to) the key file; run chmod 600 .*, and treat the key as compromised"
    ):
        assemble(settings(tmp_path))


@pytest.mark.parametrize(("inner", "what"), [("", "folder of keys and logs"), ("keys", "key folder")])
@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777, 0o702])
def test_a_folder_in_which_others_can_add_keys_stops_the_gateway(tmp_path: Path, inner: str, what: str, mode: int) -> None:
    KeyStore(tmp_path / "serve" / "keys").create("ann", ["generate"], 1)
    (tmp_path / "serve" / inner).chmod(mode)
    with pytest.raises(BadInput, match=rf"other users can write to the {what}; run chmod "):
        assemble(settings(tmp_path))


def test_private_keys_of_tls_and_the_key_set_are_checked(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.issue("127.0.0.1")
    paths = {
        "certificate": written(tmp_path, "cert.pem", certificate),
        "key": written(tmp_path, "key.pem", key),
        "jwks": written(tmp_path, "jwks", '{"keys": []}'),
    }
    tls = {"tls_certificate": paths["certificate"], "tls_key": paths["key"]}
    client = {"model_server": "https://m:1", "model_server_certificate": paths["certificate"], "model_server_key": paths["key"]}
    tokens = {"access": {"jwks": paths["jwks"], "issuer": "https://login.example.org"}}
    Path(paths["key"]).chmod(0o644)
    Path(paths["jwks"]).chmod(0o666)
    for more, message in (
        (tls, "read the file with a secret; run chmod 600"),
        (client, "read the file with a secret"),
        (tokens, "write to the key set; run chmod 644"),
    ):
        with pytest.raises(BadInput, match=f"other users can {message}"):
            assemble(settings(tmp_path, **more))
    config = ssl_config(tmp_path / "ssl.config", certificate, key)
    config.chmod(0o640)
    with pytest.raises(BadInput, match=r"other users can read the file with the private key; run chmod 600 .* \(for a volume with fsGroup"):
        read_tls(config)


def test_a_volume_of_a_group_is_accepted_where_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes gives each file of a volume with fsGroup the mode 0660, and each folder 2770."""
    assemble(settings(tmp_path))
    for path in [tmp_path / "serve", *(tmp_path / "serve").rglob("*")]:
        path.chmod(0o2770 if path.is_dir() else 0o660)
    with pytest.raises(BadInput, match="set ROBO_POET_GROUP_ACCESS=1"):
        assemble(settings(tmp_path))
    monkeypatch.setenv("ROBO_POET_GROUP_ACCESS", "1")
    assemble(settings(tmp_path))
    (tmp_path / "serve" / "completions.key").chmod(0o664)
    with pytest.raises(BadInput, match="other users can read the key file"):
        assemble(settings(tmp_path))


def test_a_registry_that_others_can_change_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry").chmod(0o777)
    assemble(settings(tmp_path))
    [line] = [record.getMessage() for record in caplog.records]
    assert line == f"{tmp_path / 'registry'}: other users can write to the registry; run chmod 755 {tmp_path / 'registry'}"


def test_serving_warns_of_a_registry_that_others_can_change(tmp_path: Path) -> None:
    (tmp_path / "registry" / "poems").mkdir(parents=True)
    (tmp_path / "registry").chmod(0o777)
    words = ["serve", "--port", "0", "--model", "poems", "--registry", str(tmp_path / "registry"), "--folder", str(tmp_path / "serve")]
    result = CliRunner().invoke(app, words)
    assert f"warning: {tmp_path / 'registry'}: other users can write to the registry; run chmod 755 " in result.stderr


def test_a_run_warns_of_folders_that_others_can_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("registry", ".store", "runs"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(app, ["run", "--corpus", str(tmp_path / "empty")])
    lines = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.split(": ")[1].split()[-1] for line in lines] == ["registry", ".store", "runs"] and all(
        "run chmod 755 " in line for line in lines
    )
