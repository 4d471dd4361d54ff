import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.api_keys import KeyStore
from serving.access.authentication import Authenticator
from serving.refusal import Refused


def type_(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words, "--folder", str(folder)], env={"COLUMNS": "120"})


def test_a_key_is_created_listed_rotated_and_revoked(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    assert "no keys; to create one: .venv/bin/robo-poet keys create" in type_(folder, "list").stdout
    made = type_(folder, "create", "--user", "ann")
    text = made.stdout.strip()
    assert made.exit_code == 0 and "of ann, valid until" in made.stderr and text not in made.stderr
    access = Authenticator(AccessSettings(look_seconds=1e-9), folder, lambda line: None)
    assert access.authenticate(None, text).scopes == {"generate", "feedback"}
    id_ = text.split("_")[1]
    after = type_(folder, "rotate", id_, "--overlap-days", "0").stdout.strip()
    with pytest.raises(Refused, match="this API key has expired"):
        access.authenticate(None, text)
    assert access.authenticate(None, after).user == "ann"
    assert time.strftime("%H:%M UTC", time.gmtime(KeyStore(folder).key(id_).expires)) in type_(folder, "list").stdout
    revoked = type_(folder, "revoke", after.split("_")[1], "--why", "lost")
    assert revoked.exit_code == 0 and "is revoked (lost); a running gateway rejects it within a second" in revoked.stdout
    assert "keeps the first reason: lost" in type_(folder, "revoke", after.split("_")[1], "--why", "again").stdout
    with pytest.raises(Refused, match="this API key was revoked"):
        access.authenticate(None, after)
    shown = type_(folder, "list").stdout
    assert id_ in shown and "ann" in shown and "revoked" in shown and text.split("_", 2)[2] not in shown


def test_a_consent_is_given_listed_and_withdrawn(tmp_path: Path) -> None:
    id_ = type_(tmp_path / "keys", "create", "--user", "ann", "--consent", "user").stdout.split("_")[1]
    assert "user" in type_(tmp_path / "keys", "list").stdout.splitlines()[-2]
    assert "the consent of ann is withdrawn (1 key)" in type_(tmp_path / "keys", "withdraw", id_).stdout
    assert "no key of ann has a consent; nothing was changed" in type_(tmp_path / "keys", "withdraw", id_).stdout
    assert "withdrawn" in type_(tmp_path / "keys", "list").stdout
    assert KeyStore(tmp_path / "keys").key(id_).withdrawn


@pytest.mark.parametrize("words", [("list",), ("revoke", "a" * 16, "--why", "x"), ("rotate", "a" * 16), ("withdraw", "a" * 16)])
def test_a_missing_key_folder_is_an_error_and_not_created(tmp_path: Path, words: tuple[str, ...]) -> None:
    error = type_(tmp_path / "kyes", *words).exception
    assert isinstance(error, BadInput) and "no such key folder; create a first key: .venv/bin/robo-poet keys create" in str(error)
    assert not (tmp_path / "kyes").exists()


def test_an_unknown_scope_has_a_one_line_message(tmp_path: Path) -> None:
    wrong = type_(tmp_path / "keys", "create", "--user", "ann", "--scope", "fly")
    assert (
        isinstance(wrong.exception, BadInput)
        and str(wrong.exception) == "scope: unknown scope fly; choose from generate, feedback, metrics, internal-load, end-users"
    )


def test_a_wrong_consent_is_one_line_and_makes_no_folder(tmp_path: Path) -> None:
    printed = type_(tmp_path / "keys", "create", "--user", "ann", "--consent", "yes")
    assert isinstance(printed.exception, BadInput) and str(printed.exception) == "--consent yes: not a consent; give no, user, readers"
    assert not (tmp_path / "keys").exists()
