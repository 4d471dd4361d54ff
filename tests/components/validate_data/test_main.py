"""Runs the step in its own environment, because TensorFlow Data Validation conflicts with packages of the main one."""

import json

import pytest

from components.validate_data.schema import CURATED
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from tests.components.validate_data.runs import Run, needs_tfdv, run_all

pytestmark = needs_tfdv


def documents(count: int = 30, **more: str) -> list[Document]:
    def make_document(n: int) -> Document:
        fields = {
            "id": str(n),
            "group": str(n),
            "text": "",
            "split": ("train", "validation", "test")[n % 3],
            "source": "user",
            "language": "en",
        }
        return Document(**(fields | more)).with_text(f"The poem {n} has these quiet words, and {n % 5} more. " * (3 + n // 3))

    return [make_document(n) for n in range(count)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    home = tmp_path_factory.mktemp("corpora")
    bad = [*documents(), *documents(1, id="x", date="2999-01-01", language="", source="<script>"), documents(1, id="y")[0].with_text("!!!")]
    lengths = [d.with_text(d.text * 40) if d.split == "test" else d for d in documents()]
    many = [
        *documents(90),
        *(documents(1, id=f"empty <{n}>")[0].with_text("…") for n in range(9)),
        documents(1, id="z\x1b[2J")[0].with_text("!"),
    ]
    short = documents(6)
    limits = {"on_type_token_ratio": "ignore", "min_sentence_tokens": 5, "min_megabytes": 0}
    cases = {
        "good": (documents(licence="CC BY 4.0"), {**limits, "max_split_divergence": 0.5}),
        "bad": (bad, {"on_size": "fail"}),
        "lengths": (lengths, {"on_anomalies": "warn", "on_skew": "fail"}),
        "empty": ([], {}),
        "named": (many, {**limits, "on_anomalies": "warn", "on_skew": "ignore", "max_duplicate_share": 0.01, "on_duplicates": "warn"}),
        "schema 1": (short, {}),
        "broken": (short, {}),
        "unknown feature": (short, {}),
        "twice": (short, {}),
        "own": (documents(), {**limits, "on_skew": "ignore"}),
        **dict.fromkeys(("plain", "embedded"), ([*documents(520), *bad[-2:]], {**limits, "on_skew": "warn", "on_anomalies": "warn"})),
    }
    curated = CURATED.read_text()
    schemas = {
        "schema 1": curated.replace("features 2", "features 1"),
        "broken": curated.replace("feature {", "feature {{", 1),
        "unknown feature": curated + 'feature { name: "rhymes" type: INT }',
        "twice": curated + 'feature { name: "words" type: INT }',
        "own": curated.replace("int_domain { min: 1 max: 50000000 }", "int_domain { min: 1 max: 300 }"),
    }
    for name, (rows, _) in cases.items():
        write_documents(home / name, rows)
    beam = {"embedded": json.dumps({"runner": "embedded", "shard_megabytes": 1e-6})}
    calls = [
        {
            "beam": beam.get(name, ""),
            "corpus": name if name == "empty" else home / name,
            "settings": settings,
            "schema": schemas.get(name, ""),
        }
        for name, (_, settings) in cases.items()
    ]
    return dict(zip(cases, run_all(home, calls), strict=True))


def test_a_good_corpus(runs: dict[str, Run]) -> None:
    run = runs["good"]
    assert (run.status, run.lines) == (0, [])
    statistics = run.json("statistics")
    assert statistics["documents"] == 30
    assert statistics["anomalies"] == []
    assert statistics["rights"] == [{"source": "user", "licence": "CC BY 4.0", "documents": 30, "consent": 0}]
    assert {check["verdict"] for check in statistics["checks"]} == {"ok", "ignored"}
    assert {check["name"]: check["value"] for check in statistics["checks"]}["length_divergence"] >= 0
    executor_output = run.json("executor")
    assert {"statistics_digest", "drift_digest"} <= executor_output["parameterValues"].keys()
    assert executor_output["artifacts"]["metrics"]["artifacts"][0]["metadata"]["documents"] == 30
    assert "<svg" in run.page


def test_beam_gives_the_same_bytes(runs: dict[str, Run]) -> None:
    plain, embedded = runs["plain"], runs["embedded"]
    assert plain.status == embedded.status == 0 and plain.lines == embedded.lines
    assert {row["feature"] for row in embedded.json("statistics")["anomalies"]} == {"language", "words", "year"}
    for name in ("statistics", "drift", "prompt_skew", "page", "metrics"):
        assert (plain.folder / name).read_bytes() == (embedded.folder / name).read_bytes()
    assert {path.name for path in embedded.folder.iterdir()} == {"statistics", "drift", "prompt_skew", "page", "metrics", "executor"}


def test_all_failed_checks_are_one_line_and_on_the_page(runs: dict[str, Run]) -> None:
    run = runs["bad"]
    assert run.status == 2
    errors = [line for line in run.lines if not line.startswith("warning: ")]
    assert len(errors) == 1
    for part in (
        "error: corpus: size is",
        "language: ",
        "words: ",
        "Unexpectedly small value: 0. (y)",
        "year: Unexpectedly large value: 2999. (x)",
    ):
        assert part in errors[0]
    assert [path.name for path in run.folder.iterdir()] == ["page"]
    assert "Unexpectedly large value: 2999" in run.page
    assert "<script>" not in run.page
    assert "&lt;script&gt;" in run.page


def test_train_and_test_of_different_lengths(runs: dict[str, Run]) -> None:
    assert runs["lengths"].status == 2
    assert "length divergence is" in runs["lengths"].lines[-1]


def test_an_empty_corpus(runs: dict[str, Run]) -> None:
    assert runs["empty"].lines == ["error: empty: the corpus has no documents; check the source and run ingest again"]
    assert runs["empty"].status == 2


def test_a_handful_of_the_documents_of_an_anomaly_is_named(runs: dict[str, Run]) -> None:
    run = runs["named"]
    assert run.status == 0
    (words,) = [line for line in run.lines if line.startswith("warning: words: ")]
    assert words.endswith("(empty <0>, empty <1>, empty <2> and 7 more)")
    (duplicates,) = [line for line in run.lines if "duplicate share" in line]
    assert "at most 1 % (such as empty <1>, empty <2>, empty <3>): many documents have the same text; look for" in duplicates
    assert "many documents have the same text" in run.page
    assert "empty &lt;4&gt;" in run.page and "empty &lt;5&gt;" in run.page and "and 5 more" in run.page
    assert "\x1b" not in run.page and "empty <" not in run.page


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("schema 1", "error: schema: the schema has the version 'robo-poet features 1'; this release reads 'robo-poet features 2'; "),
        ("broken", "error: schema: not a schema in text format (line "),
        ("unknown feature", "error: schema: the schema names a feature that documents do not have: rhymes; the features are characters, "),
        ("twice", "error: schema: the schema names a feature twice: words; keep one of them"),
    ],
)
def test_a_schema_that_cannot_be_used_is_one_line(runs: dict[str, Run], name: str, what: str) -> None:
    (line,) = runs[name].lines
    assert runs[name].status == 2 and line.startswith(what)
    assert not any(runs[name].folder.iterdir())


def test_a_schema_of_the_user_replaces_the_curated_one(runs: dict[str, Run]) -> None:
    (line,) = runs["own"].lines
    assert runs["own"].status == 2 and "characters: Unexpectedly large value: " in line and " and " in line.partition("(")[2]
