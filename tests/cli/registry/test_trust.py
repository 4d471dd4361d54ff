import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.registry import app
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from tests.old_form import write_old_form

Call = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_registry_of_an_earlier_release_is_taken_over_by_name_and_reason(tmp_path: Path, call: Call) -> None:
    write_old_form(tmp_path / "old")
    nameless = call(tmp_path / "old", "adopt", "--name", " ", "--why", "release 1.0")
    assert isinstance(nameless.exception, BadInput) and "the name is empty" in str(nameless.exception)
    done = call(tmp_path / "old", "adopt", "--model", "poems", "--name", "Grace", "--why", "release 1.0")
    assert "2 versions now belong to the model poems, signed with your key" in done.stdout
    last = Registry(tmp_path / "old", "poems").log()[-1].statement
    assert (last.action, last.who[:7], last.why) == ("adopt", "Grace (", "release 1.0")
    again = call(tmp_path / "old", "adopt", "--name", "Grace", "--why", "again")
    assert isinstance(again.exception, BadInput) and "nothing needs to be taken over" in str(again.exception)
    (tmp_path / "old" / "poems" / "versions").joinpath(Registry(tmp_path / "old", "poems").version(2).folder.name, "x").write_text("")
    assert "x was added" in str(call(tmp_path / "old", "verify").exception)


def test_a_damaged_version_is_not_attested(tmp_path: Path, call: Call) -> None:
    write_old_form(tmp_path / "old")
    weights = next((tmp_path / "old" / "versions").glob("*/model/weights"))
    weights.write_text("forged")
    done = call(tmp_path / "old", "adopt", "--name", "Grace", "--why", "release 1.0")
    assert "now belong to the model shakespeare" in done.stdout and "it is not attested and cannot be released" in done.stdout


def test_a_registry_that_was_removed_is_noticed_until_a_person_accepts_it(folder: Path, call: Call) -> None:
    assert "signed by 1 trusted key: " in call(folder, "verify").stdout
    shutil.rmtree(folder)
    for words in (("list",), ("verify",), ("show", "1"), ("log",)):
        error = call(folder, *words).exception
        assert isinstance(error, BadInput) and "the log has no entry, but had 3 when it was last read" in str(error)
    assert "accepted the log with 0 entries" in call(folder, "accept-head", "--model", "poems").stdout
    assert "the registry is empty" in call(folder, "verify").stdout


def test_the_public_key_is_printed_for_colleagues_and_tools(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = CliRunner().invoke(app, ["key"]).stdout
    assert line.split()[0] in (home / "trusted_keys").read_text() and line.endswith(f" id={Trust().signer().public.id[:12]}\n")
    assert set(Trust([line.strip()]).keys()) == set(Trust().keys())
    monkeypatch.setenv("ROBO_POET_TRUSTED_KEYS", line.strip())
    assert Trust().keys().keys() == {Trust().signer().public.id}, "the help says that the line can be such a variable"
    monkeypatch.delenv("ROBO_POET_TRUSTED_KEYS")
    pem = CliRunner().invoke(app, ["key", "--pem"]).stdout
    assert pem == Trust().signer().public.pem


def test_a_copy_is_a_registry_that_can_be_used(folder: Path, tmp_path: Path, call: Call) -> None:
    def copy(*words: str) -> Result:
        return CliRunner().invoke(app, ["copy", *words])

    target = str(tmp_path / "copy")
    assert f"{target}/poems: 2 versions, 3 of 3 log entries are new" in copy(str(folder), target).stdout
    assert "2 versions, 0 of 3 log entries are new" in copy(str(folder), target, "--model", "poems").stdout
    assert "the log and 2 versions match" in call(Path(target), "verify").stdout
    assert "there is no registry" in str(copy(str(tmp_path / "none"), target).exception)
    assert "there is no model odes" in str(copy(str(folder), target, "--model", "odes").exception)
