"""Follow-up commands name the registry that the user named."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from tests.repository.commands import commands_in_messages, fault, words_of


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[..., str]:
    """Run a command in the folder that contains the registry; return its output, or its error."""
    monkeypatch.chdir(folder.parent)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        return result.output + (str(result.exception) if result.exception else "")

    return run


def test_follow_up_commands_name_the_registry_of_the_user(typed: Callable[..., str], folder: Path) -> None:
    why, model = ("--why", "x"), "--model poems"
    folder.rename(folder.with_name("my models"))
    there, named = ("--registry", "my models"), "--registry 'my models'"
    refused = typed("registry", "promote", "2", *why, *there)
    assert refused.count(f"{model} --why 'your reason' {named}") == 2 and f"--name 'your name' --why 'your reason' {named} &&" in refused
    assert f"drift watch {model} {named}\n" in typed("drift", "history", *there)
    assert f"retrain listen {model} {named}\n" in typed("retrain", "list", *there)
    typed("registry", "override", "2", "--name", "Grace", *why, *there)
    assert f"registry set-share 2 {model} --share 0.1 --why 'your reason' {named}\n" in typed("registry", "start-canary", "2", *why, *there)
    folder.with_name("my models").rename(folder.with_name("registry"))
    assert "--registry" not in typed("drift", "history") and "--registry" not in typed("retrain", "list", "--registry", "registry")


def test_each_command_of_a_message_that_takes_the_option_is_complete_with_it() -> None:
    repeated = 0
    for place, function, text in commands_in_messages():
        words = words_of(text)
        if function == "command" and "--registry" not in words and not fault([*words, "--registry", "other"], whole=False):
            repeated += 1
            assert fault([*words, "--registry", "other"], whole=True) == "", f"{place}: {text}"
    assert repeated > 10
