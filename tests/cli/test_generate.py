from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.generate import generate
from robo_poet.errors import BadInput


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["bad \udcff bytes"], "prompt: it is not UTF-8"),
        (["The king", "--min-length", "50", "--max-length", "10"], "--min-length: 50 is more than --max-length 10"),
        (["The king", "--top-k", "101"], "top_k: 101 is out of range; give a value from 0 to 100"),
        (["The king\tand all"], "no champion yet; train one with make run-pipeline"),
    ],
)
def test_what_cannot_be_written_is_one_line(words: list[str], line: str, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(generate)
    with pytest.raises(BadInput) as error:
        CliRunner().invoke(app, [*words, "--registry", str(tmp_path)], catch_exceptions=False)
    assert line in str(error.value)
