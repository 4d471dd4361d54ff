"""The TFDV environment is replaced: tests/components/validate_data runs the program itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.data import app
from components.validate_data.schema import CURATED
from pipelines.corpus_schema import Proposal
from robo_poet.errors import BadInput


@pytest.fixture
def proposed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, bool]]:
    """Replace ingestion and proposal; return the calls: the earlier schema, and whether a new one is inferred."""
    calls = []

    @contextmanager
    def ingested(profile: object, source: str) -> Iterator[Path]:
        yield tmp_path / "corpus"

    def propose(corpus: Path, text: str, *, infer: bool) -> Proposal:
        calls.append((text, infer))
        changes = () if text == CURATED.read_text() else ("year: largest value: 2,100 → 2,999",)
        return Proposal(CURATED.read_text(), changes, tuple(f"{change.partition(':')[0]}: \x1bbad" for change in changes))

    monkeypatch.setattr("pipelines.corpus_schema.ingested", ingested)
    monkeypatch.setattr("pipelines.corpus_schema.propose_schema", propose)
    monkeypatch.chdir(tmp_path)
    return calls


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, ["schema", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_diff_shows_what_is_wrong_and_what_would_change_and_writes_nothing(proposed: list[tuple[str, bool]], tmp_path: Path) -> None:
    assert typed("diff") == "anomaly: year: bad\nchange: year: largest value: 2,100 → 2,999\n"
    assert proposed == [("", False)] and not list(tmp_path.iterdir())


def test_update_shows_the_changes_and_writes_only_with_yes(proposed: list[tuple[str, bool]], tmp_path: Path) -> None:
    shown = typed("update", "--file", "own.pbtxt")
    assert "change: year" in shown and "own.pbtxt was not written yet; to write it, repeat the command with --yes" in shown
    assert not list(tmp_path.iterdir())
    assert "wrote own.pbtxt; to use it: " in typed("update", "--file", "own.pbtxt", "--yes")
    assert (tmp_path / "own.pbtxt").read_text() == CURATED.read_text()
    assert typed("update", "--set", "validation.schema_file=own.pbtxt", "--yes") == "the corpus is valid; nothing would change\n"
    assert typed("update", "--file", "own.pbtxt", "--infer").startswith("anomaly: ")
    assert proposed == [("", False), ("", False), (CURATED.read_text(), False), ("", True)]


def test_a_file_of_another_version_is_refused_before_the_corpus_is_read(proposed: list[tuple[str, bool]], tmp_path: Path) -> None:
    (tmp_path / "old.pbtxt").write_text('annotation { tag: "robo-poet features 1" }')
    for command in ("diff", "update"):
        with pytest.raises(BadInput, match="the schema has the version 'robo-poet features 1'"):
            typed(command, "--file", "old.pbtxt")
    assert proposed == []


def test_a_corpus_and_a_run_are_one_too_many(proposed: list[tuple[str, bool]]) -> None:
    with pytest.raises(BadInput, match="CORPUS and --run are both given"):
        typed("diff", "poems", "--run", "latest")
    with pytest.raises(BadInput, match="no such run"):
        typed("diff", "--run", "latest")
