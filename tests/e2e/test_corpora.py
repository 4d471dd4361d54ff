"""Eleven corpora of eleven kinds: described, and run with PROFILE=auto, as a new user types it (PIPE-3, EVAL-6).

A run takes minutes, so all runs are `make soak`'s. They write the table of docs/explanation/corpora.md.
"""

import re
import time
from datetime import date
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell
from tests.e2e.corpora import table
from tests.e2e.corpora.french import FRENCH
from tests.e2e.corpora.makers import BAD, GOOD, Kind

MEASURED = table.ROOT / "build" / "corpora"
MANY = 0.5  # MB; from here on a run has at most three open questions
QUESTIONS = 3
SECONDS = 2400.0  # of a run, on a busy machine


def title(kind: Kind) -> str:
    return kind.title


@pytest.mark.soak
@pytest.mark.parametrize("kind", GOOD, ids=title)
def test_a_good_corpus_ends_as_a_model_that_is_accepted(kind: Kind, tmp_path: Path) -> None:
    corpus = kind.make(tmp_path).name
    person = Shell(tmp_path)
    began = time.monotonic()
    described = person.json("data", "describe", corpus)
    described_in = time.monotonic() - began
    began = time.monotonic()
    printed = person.type("run", "--profile", "auto", "--corpus", corpus, seconds=SECONDS)
    seconds = time.monotonic() - began
    summary = person.summary()
    asked = [gate for gate in summary["gates"] if gate["verdict"] == "open"]
    metrics = summary["metrics"]
    megabytes = described["megabytes"]
    table.save(
        table.Row(
            kind.title, megabytes, described["documents"], described_in, seconds, summary["verdict"], len(asked),
            metrics["bits_per_byte"], metrics["unigram_bits_per_byte"], date.today().isoformat(),
        ),
        MEASURED,
    )  # fmt: skip
    failed = [gate["reason"] for gate in summary["gates"] if gate["verdict"] == "fail"]
    assert (summary["verdict"], summary["stage"]) == ("accepted", "champion"), failed
    assert megabytes < MANY or len(asked) <= QUESTIONS, [gate["reason"] for gate in asked]
    assert all(gate["reason"] for gate in asked)
    assert "is champion" in printed


@pytest.mark.soak
@pytest.mark.parametrize("kind", GOOD, ids=title)
def test_the_twin_that_is_trained_too_little_is_rejected(kind: Kind, tmp_path: Path) -> None:
    """20 steps instead of hundreds. The gate that compares with word frequencies must reject it; an open question would accept it."""
    person = Shell(tmp_path)
    setting = ("--set", "train.max_steps=20")
    printed = person.type("run", "--profile", "auto", "--corpus", kind.make(tmp_path).name, *setting, seconds=SECONDS)
    summary = person.summary()
    failed = {gate["metric"] for gate in summary["gates"] if gate["verdict"] == "fail"}
    assert (summary["verdict"], summary["stage"]) == ("rejected", "rejected") and "bits_saved_over_unigram" in failed, failed
    assert re.search(r"run the same command again with .*--set train\.max_steps=40", printed), printed[-2000:]


@pytest.mark.parametrize("kind", BAD, ids=title)
def test_a_bad_corpus_is_refused_with_one_line_that_says_why(kind: Kind, tmp_path: Path) -> None:
    corpus = kind.make(tmp_path).name
    said = Shell(tmp_path).type("run", "--profile", "auto", "--corpus", corpus, status=2)
    assert said.count("\n") == 1 and said.startswith("error: ") and corpus in said and kind.reason in said
    assert not (tmp_path / "registry").exists() and not (tmp_path / "runs").exists()


@pytest.mark.soak
def test_the_table_in_the_docs_is_written_anew() -> None:
    """After the runs. Rows of an earlier session stay, if a corpus has not been measured in this one."""
    rows = table.load(MEASURED)
    if rows:
        made = table.markdown([kind.title for kind in GOOD], rows)
        table.PAGE.write_text(table.replace_table(table.PAGE.read_text("utf-8"), made), "utf-8")


def test_the_table_in_the_docs_has_a_row_for_each_corpus() -> None:
    lines = table.current_table(table.PAGE.read_text("utf-8")).split("\n")
    rows = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("| ")]
    assert rows[2:] == [kind.title for kind in GOOD]


@pytest.mark.soak
def test_corpora_have_their_sizes_and_are_the_same_each_time(tmp_path: Path) -> None:
    def contents(path: Path) -> dict[str, bytes]:
        found = [path] if path.is_file() else list(path.rglob("*"))
        return {str(file.relative_to(path.parent)): file.read_bytes() for file in found}

    for kind in [*GOOD, *BAD]:
        folders = [tmp_path / f"{kind.make.__name__}-{number}" for number in range(2)]
        for folder in folders:
            folder.mkdir()
        first, second = (contents(kind.make(folder)) for folder in folders)
        assert first == second, kind.title
        assert kind.reason or 0.1e6 <= sum(map(len, first.values())) <= 5e6, kind.title


def test_a_made_story_is_whole_sentences() -> None:
    story = FRENCH.story("a", 40)
    assert not set("{}/") & set(story)
    assert not re.search(r" de (el|le|les) | à le | que une? | la île", story)
    assert story.count("\n\n") == 39


def test_a_page_without_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no"):
        table.replace_table("# Page\n", "| a |\n")
    assert table.replace_table(f"a\n{table.BEGIN}old\n{table.END}b\n", "| new |\n") == f"a\n{table.BEGIN}\n| new |\n\n{table.END}b\n"
