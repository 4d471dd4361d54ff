"""Skew of prompts from the corpus, with a request log that the real writer wrote. Covers: passages, drift."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from components.validate_data.passages import STRIDE, Passages, passage
from components.validate_data.schema import CURATED
from robo_poet.corpus.bundled import sotu
from robo_poet.corpus.curation.quality import language_of
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.features.distributions import FeatureCounts
from robo_poet.features.prompt_snapshot import PROMPT_FEATURES, PromptSnapshot
from robo_poet.request_log.record import Request
from robo_poet.request_log.snapshot import take_snapshot
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings
from tests.components.validate_data.runs import Run, needs_tfdv, run_all

QUIET = {
    f"on_{name}": "ignore"
    for name in ("size", "sentence_length", "type_token_ratio", "skew", "duplicates", "language", "anomalies", "drift")
}
USERS, EACH = 40, 10
CHAT = (
    "hey can u write me sth abt my dog rex he is 3!!",
    "poem 4 my gf plz :) 2 lines",
    "roses r red 123 go",
    "GIVE ME A SONG ABOUT PIZZA & BEER",
)
SPANISH = "escribe un poema sobre la luna y el mar que canta en la noche cuando todos los pescadores de la villa duermen en paz"


def snapshot_of(folder: Path, prompts: Sequence[str]) -> PromptSnapshot:
    """Return the snapshot of a log with these prompts, of 40 users."""
    log = Writer(folder, RequestLogSettings())
    for number, prompt in enumerate(prompts):
        sent = Request(
            f"c{number}", f"r{number}", 1_772_366_400.0 + number, f"u{number % USERS}", "speeches", 1, "d" * 64, "champion", prompt, ["x"]
        )
        assert log.add("request", asdict(sent))
    log.close()
    return take_snapshot(folder, "speeches", language_of)


@pytest.fixture(scope="module")
def speeches() -> list[Document]:
    return [
        Document(
            **{**{name: getattr(speech, name) for name in Document.__slots__}, "split": ("train", "train", "validation", "test")[n % 4]}
        )
        for n, speech in enumerate(speech.with_text(speech.text[:20_000]) for speech in sotu())
        if speech.date > "1900"
    ]


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory, speeches: list[Document]) -> dict[str, PromptSnapshot]:
    """Prompts that are openings of sentences of held-out speeches, and prompts of other kinds."""
    home, dice = tmp_path_factory.mktemp("logs"), random.Random(15)
    held_out = [speech.text for speech in speeches if speech.split == "test"]
    openings = [passage(text := dice.choice(held_out), dice.randrange(len(text)), dice.randrange(60, 300)) for _ in range(USERS * EACH)]
    kinds = {
        "like the corpus": openings,
        "chat": [f"{dice.choice(CHAT)} {number}" for number in range(USERS * EACH)],
        "spanish": [f"{SPANISH} {number}" for number in range(USERS * EACH)],
        "few": [f"{dice.choice(CHAT)} {number}" for number in range(5)],
    }
    return {name: snapshot_of(home / name, prompts) for name, prompts in kinds.items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, speeches: list[Document], snapshots: dict[str, PromptSnapshot]) -> dict[str, Run]:
    home = tmp_path_factory.mktemp("skew")
    write_documents(home / "corpus", speeches)
    write_documents(home / "held out", [speech for speech in speeches if speech.split == "test"])
    text = snapshots["chat"].to_text()
    curated = CURATED.read_text()
    lenient = curated
    for name in PROMPT_FEATURES:
        kind = "infinity_norm" if name == "language" else "jensen_shannon_divergence"
        lenient = lenient.replace(f'name: "{name}" type', f'name: "{name}" skew_comparator {{ {kind} {{ threshold: 1 }} }} type')

    def case(name: str, **settings: Any) -> dict[str, Any]:
        snapshot = snapshots[name]
        return {"prompts": snapshot.to_text(), "settings": {**QUIET, "prompt_snapshot": snapshot.digest, **settings}}

    cases: dict[str, dict[str, Any]] = {
        **{name: case(name) for name in snapshots},
        "beam": case("chat") | {"beam": json.dumps({"runner": "embedded", "shard_megabytes": 0.1})},
        "stops": case("chat", on_prompt_skew="fail"),
        "ignored": case("chat", on_prompt_skew="ignore"),
        "lenient": case("chat") | {"schema": lenient},
        "wide limits": case("chat", max_prompt_skew=1, max_prompt_category_skew=1),
        "changed": case("chat") | {"prompts": text.replace('"users":40', '"users":39')},
        "not carried": case("chat") | {"prompts": ""},
        "none": {"settings": QUIET},
        "no training text": case("chat") | {"corpus": home / "held out"},
    }
    results = run_all(home, [{"corpus": home / "corpus", **case} for case in cases.values()])
    return dict(zip(cases, results, strict=True))


def skewed(run: Run) -> set[str]:
    return {row["feature"] for row in run.json("prompt_skew")["features"] if row["verdict"] in ("warn", "ignored")}


@needs_tfdv
def test_prompts_from_held_out_texts_are_not_skewed(runs: dict[str, Run]) -> None:
    run = runs["like the corpus"]
    assert (run.status, run.lines) == (0, [])
    skew = run.json("prompt_skew")
    assert skew["state"] == "measured" and skew["snapshot"]["users"] == USERS and skew["passages"] > 500
    assert skew["snapshot"]["prompts"] == USERS * EACH - sum(skew["snapshot"]["left_out"].values())
    assert {row["verdict"] for row in skew["features"]} <= {"ok", "few"} and len(skew["features"]) > 10
    assert "no skew" in run.page and "passages of the training text" in run.page


@needs_tfdv
def test_prompts_of_another_kind_are_skewed_and_the_report_says_how(runs: dict[str, Run]) -> None:
    run = runs["chat"]
    assert run.status == 0
    assert {"digit_share", "letter_share", "sentence_tokens"} <= skewed(run)
    assert len(run.lines) == len(skewed(run)) and all(line.startswith("warning: skew of prompts in ") for line in run.lines)
    digits = next(line for line in run.lines if line.startswith("warning: skew of prompts in digits: Jensen-Shannon divergence "))
    assert " of the prompts, in the corpus " in digits
    metrics = run.json("executor")["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert metrics["skewed_features"] == len(skewed(run)) and metrics["prompt_skew_digit_share"] > 0.1
    assert "Distributions of prompts" in run.page and "snapshot " + run.json("prompt_skew")["snapshot"]["digest"][:12] in run.page
    assert [name for name in ("rex", "pizza", "PIZZA") if name in run.page + json.dumps(run.json("prompt_skew"))] == []
    assert "language" in skewed(runs["spanish"]) and "es in " in " ".join(runs["spanish"].lines)


@needs_tfdv
def test_the_profile_and_the_schema_decide(runs: dict[str, Run]) -> None:
    (line,) = runs["stops"].lines
    assert runs["stops"].status == 2 and line.startswith("error: corpus: skew of prompts in ") and "digits" in line
    assert sorted(path.name for path in runs["stops"].folder.iterdir()) == ["page"] and "stops the run" in runs["stops"].page
    assert (runs["ignored"].status, runs["ignored"].lines) == (0, [])
    assert runs["ignored"].json("prompt_skew")["reason"] == "the profile ignores it (validation.on_prompt_skew)"
    assert (runs["lenient"].status, runs["lenient"].lines, skewed(runs["lenient"])) == (0, [], set())
    assert (runs["wide limits"].lines, skewed(runs["wide limits"])) == ([], set())
    none = runs["none"].json("prompt_skew")
    assert none["state"] == "none" and none["reason"] == "the run names no snapshot of prompts (validation.prompt_snapshot)"
    assert "Not measured: the run names no snapshot" in runs["none"].page


@needs_tfdv
def test_a_distance_that_chance_explains_is_no_skew(runs: dict[str, Run]) -> None:
    rows = runs["few"].json("prompt_skew")["features"]
    assert any(row["verdict"] == "few" and row["threshold"] < row["value"] <= row["chance"] for row in rows)
    assert "too few prompts" in runs["few"].page


@needs_tfdv
def test_beam_and_the_snapshot_change_no_other_output(runs: dict[str, Run]) -> None:
    for name in ("statistics", "drift", "prompt_skew", "page", "metrics"):
        assert (runs["chat"].folder / name).read_bytes() == (runs["beam"].folder / name).read_bytes()
    for name in ("statistics", "drift"):
        assert (runs["chat"].folder / name).read_bytes() == (runs["none"].folder / name).read_bytes()


@needs_tfdv
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("changed", "error: snapshot of prompts {digest}: the snapshot of prompts was changed (digest was {digest}, is "),
        ("not carried", "error: validation.prompt_snapshot: the run names the snapshot of prompts {digest}, but does not carry it; "),
        ("no training text", "the training split has no text to compare with prompts"),
    ],
)
def test_a_comparison_that_is_impossible_is_one_line(
    runs: dict[str, Run], snapshots: dict[str, PromptSnapshot], name: str, what: str
) -> None:
    (line,) = runs[name].lines
    assert runs[name].status == 2 and what.format(digest=snapshots["chat"].digest[:12]) in line
    assert not any(runs[name].folder.iterdir())


def test_passages_do_not_depend_on_the_order_and_have_the_lengths_of_prompts(speeches: list[Document]) -> None:
    prompts = FeatureCounts(300, {"characters": {"91": 100, "181": 200}})
    one, other = Passages(1, prompts), Passages(1, prompts)
    for speech in speeches:
        one.add(speech)
    for speech in reversed(speeches):
        other.add(speech)
    counted = one.counts()
    assert counted == other.counts()
    assert counted.documents == sum(-(-len(speech.text) // STRIDE) for speech in speeches if speech.split == "train")
    lengths = counted.shares("characters")
    assert sum(share for key, share in lengths.items() if 64 <= int(key) <= 256) > 0.999
    assert lengths["91"] == pytest.approx(1 / 3, abs=0.05) and lengths["181"] == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.parametrize(
    ("text", "position", "length", "what"),
    [
        ("One two.\nThree four five six", 14, 9, "Three four"),
        ("One two. Three four five six", 14, 12, "Three four"),
        ("a b c", 3, 50, "a b c"),
        ("x" * 600, 300, 20, "x" * 20),
        ("", 0, 5, ""),
        ("word " * 200, 700, 11, "word word"),
        ("word " * 200, 700, 12, "word word word"),
    ],
)
def test_a_passage_begins_at_a_line_or_a_sentence_and_cuts_no_word(text: str, position: int, length: int, what: str) -> None:
    assert passage(text, position, length) == what
