"""The command line of a declared step. The tests of each step cover its own arguments."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.step.declaration import Artifact, Input, Metrics, Output, Result, View, step
from robo_poet.step.program import Call, program


class CopySettings(BaseModel, extra="forbid"):
    times: int = Field(1, ge=1, description="How often the text is written.")


@step(group="data")
def copy_text(
    text: Input[Artifact],
    settings: dict,
    seed: int,
    note: str | None,
    copied: Output[Artifact],
    metrics: View[Metrics],
    length: Result[int],
) -> None:
    """Copy a text 100 % as it is.

    Args:
        text: The text.
        settings: Section `copy` of the profile.
        seed: Not used.
        note: Not used either.

    Returns:
        copied: The copy.
        metrics: Its length.
        length: Characters of the copy.
    """


def work(call: Call) -> None:
    written = call.inputs["text"].read_text() * call.settings.times
    call.outputs["copied"].write_text(written)
    call.result("length", len(written))
    call.describe("copied", characters=len(written))
    if written == "bad":
        raise BadInput("it is bad", where="text", remedy="write a good one")


def run(folder: Path, text: str = "abc", *more: str) -> int:
    (folder / "text").write_text(text)
    flags = ["--text", str(folder / "text"), "--copied", str(folder / "out" / "copied"), "--seed", "1"]
    return program(copy_text, work, [*flags, "--executor-output", str(folder / "executor.json"), *more], settings=CopySettings)


def test_results_digests_and_metadata_reach_the_executor_output(tmp_path: Path) -> None:
    assert run(tmp_path, "abc", "--settings", '{"times": 2}') == 0
    digest = digest_path(tmp_path / "out" / "copied")
    assert (tmp_path / "out" / "copied").read_text() == "abcabc"
    assert json.loads((tmp_path / "executor.json").read_text()) == {
        "parameterValues": {"length": 6, "copied_digest": digest},
        "artifacts": {"copied": {"artifacts": [{"name": "copied", "metadata": {"characters": 6, "digest": digest}}]}},
    }


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--text-digest", "0" * 64], "not what its producer wrote"),
        (["--text", "/none"], "error: /none: no such input; give an existing path to --text"),
        (["--settings", '{"times": 0}'], "--settings: times = 0"),
        (["--settings", '{"tines": 2}'], "--settings: tines = 2"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path: Path, more: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "abc", *more) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out" / "copied").exists()


def test_bad_input_during_the_work_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "bad") == 2
    assert capsys.readouterr().err == "error: text: it is bad; write a good one\n"
    assert not (tmp_path / "executor.json").exists()


def test_a_required_argument_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        program(copy_text, work, ["--seed", "1"], settings=CopySettings)
    assert "required: --text, --copied" in capsys.readouterr().err


def test_help_describes_every_argument_and_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        program(copy_text, work, ["--help"], settings=CopySettings)
    text = capsys.readouterr().out
    assert "Copy a text 100 % as it is." in text
    assert all(port.description in text for port in copy_text.of("input", "output", "view", "parameter"))
    assert "times = 1  How often the text is written." in text
    assert "--length" not in text


@pytest.mark.parametrize(("seed", "status"), [("3", 0), ("3.0", 0), ("-1", 0), ("1.5", 2), ("nan", 2), ("inf", 2), ("one", 2), ("", 2)])
def test_a_whole_number_may_have_a_decimal_point(tmp_path: Path, seed: str, status: int) -> None:
    assert run(tmp_path, "abc", "--seed", seed) == status
