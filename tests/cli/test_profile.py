import json

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app


def call(*words: str) -> Result:
    return CliRunner().invoke(app, ["profile", *words])


def test_list_shows_each_profile_with_its_description() -> None:
    lines = call("list").stdout.splitlines()
    assert {"base", "ci", "local", "rtx"} <= {line.split()[0] for line in lines}
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [("train.epochs", "2", "--set"), ("tokenizer.vocabulary", "1024", "local.yaml"), ("train.beta_1", "0.9", "default")],
)
def test_show_prints_value_and_origin(key: str, value: str, origin: str) -> None:
    [row] = [line.split() for line in call("show", "--set", "train.epochs=2").stdout.splitlines() if line.startswith(f"{key} ")]
    assert row[1] == value and origin in row[2]


def test_show_prints_the_gates_with_their_bounds() -> None:
    gates = call("show", "--profile", "base").stdout.partition("\nGates")[2]
    assert "perplexity" in gates and "<=" in gates


def test_json_has_all_settings() -> None:
    settings = json.loads(call("show", "--json", "--set", "train.epochs=2").stdout)
    assert settings["train"]["epochs"] == 2 and settings["serve"]["port"] == 8080


def test_show_prints_what_the_unknown_does_and_where_that_comes_from() -> None:
    gates = call("show").stdout.partition("\nGates")[2]
    [row] = [line for line in gates.splitlines() if "(edge_megabytes)" in line]
    assert "warn (profiles/local.yaml)" in row and row.split()[-1] == "profiles/base.yaml"
    assert "reject" in call("show", "--profile", "base").stdout.partition("\nGates")[2]
