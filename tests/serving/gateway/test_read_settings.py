import json
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.settings.serve import ServeSettings
from serving.gateway.__main__ import read_settings


def test_without_a_file_the_defaults_apply() -> None:
    assert read_settings(None, {}) == ServeSettings()
    assert (ServeSettings().deadline_seconds, ServeSettings().access.requests_per_minute, ServeSettings().port) == (30, 100, 8080)


@pytest.mark.parametrize("text", ['{"port": 81, "access": {"audience": "poets"}}', "port: 81\naccess: {audience: poets}\n"])
def test_environment_variables_override_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings").write_text(text)
    environment = {
        "ROBO_POET_SERVE_PORT": "82",
        "ROBO_POET_SERVE_ACCESS__REQUESTS_PER_MINUTE": "5",
        "PATH": "/bin",
        "ROBO_POET_SERVE_TRUSTED_PROXIES": "[10.0.0.0/8]",
    }
    found = read_settings(tmp_path / "settings", environment)
    assert (found.port, found.access.audience, found.access.requests_per_minute, found.trusted_proxies) == (82, "poets", 5, ("10.0.0.0/8",))


def test_written_settings_read_back_equal(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(ServeSettings(port=5).model_dump(mode="json")))
    assert read_settings(tmp_path / "s.json", {}) == ServeSettings(port=5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port: yes", "port: "), ("port: 70000", "port: "), ("no_such: 1", "no_such: "), ("access: {audience: ''}", "access.audience: "), ("- 1", "not a mapping"),
        ("{", "the settings cannot be read"), ("tls_key: a.pem", "given together"), ("trusted_proxies: [nonsense]", "trusted_proxies: "), ("model_server: ftp://x", "model_server: "),
    ],
)  # fmt: skip
def test_an_invalid_setting_is_named_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(BadInput, match=told) as refused:
        read_settings(tmp_path / "settings.yaml", {})
    assert "\n" not in str(refused.value)


def test_a_missing_settings_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the settings cannot be read"):
        read_settings(tmp_path / "none.yaml", {})
