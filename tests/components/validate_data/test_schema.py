"""Covers: schema_changes, propose."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0.schema_pb2 import Schema

from components.validate_data.schema import CURATED, SchemaViolations, read_schema
from components.validate_data.schema_changes import schema_changes
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.errors import BadInput
from robo_poet.features.features import FEATURES, VERSION
from tests.components.validate_data.runs import PYTHON, ROOT, needs_tfdv


def parsed(text: str) -> Any:
    return text_format.Parse(text, Schema())


def changed(old: str, new: str) -> list[str]:
    return schema_changes(parsed(CURATED.read_text()), parsed(CURATED.read_text().replace(old, new)))


def test_the_curated_schema_has_a_rule_for_every_feature() -> None:
    schema = read_schema("", "schema")
    assert [feature.name for feature in schema.feature] == list(FEATURES) and schema.annotation.tag == [VERSION]
    assert schema_changes(schema, read_schema(CURATED.read_text(), "again")) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("feature { name: 7 }", "a.pbtxt: not a schema in text format (line 1:17 : "),
        ("%PDF", "a.pbtxt: not a schema in text format (line 1:1 : "),
        ("feature { name: 'words' }", f"a.pbtxt: the schema states no version; this release reads '{VERSION}'"),
    ],
)
def test_a_text_that_is_no_schema_of_this_version(text: str, what: str) -> None:
    with pytest.raises(BadInput) as error:
        read_schema(text, "a.pbtxt")
    assert str(error.value).startswith(what) and "\n" not in str(error.value)


JENSEN_SHANNON, INFINITY = "jensen_shannon_divergence { threshold: %s }", "infinity_norm { threshold: %s }"


@pytest.mark.parametrize(
    ("feature", "rule", "what"),
    [
        ("year", f"drift_comparator {{ {INFINITY % 0.3} }}", "year: drift_comparator has infinity_norm, but the feature is a number"),
        (
            "genre",
            f"drift_comparator {{ {JENSEN_SHANNON % 0.3} }}",
            "genre: drift_comparator has jensen_shannon_divergence, but the feature is a c",
        ),
        ("year", f"drift_comparator {{ {JENSEN_SHANNON % 0.3} {INFINITY % 0.1} }}", "year: drift_comparator has infinity_norm"),
        ("year", f"drift_comparator {{ {JENSEN_SHANNON % 'nan'} }}", "year: the threshold nan is not in [0, 1]"),
        ("genre", f"drift_comparator {{ {INFINITY % -1} }}", "genre: the threshold -1 is not in [0, 1]"),
        ("split", f"drift_comparator {{ {INFINITY % 0.3} }}", "split: the drift of the split is not measured"),
        (
            "genre",
            f"skew_comparator {{ {INFINITY % 0.3} }}",
            "genre: prompts do not have this feature, so it has no skew; remove its skew_comparator",
        ),
        ("words", f"skew_comparator {{ {INFINITY % 0.3} }}", "words: skew_comparator has infinity_norm, but the feature is a number"),
    ],
)
def test_a_limit_that_no_comparison_reads_is_refused(feature: str, rule: str, what: str) -> None:
    with pytest.raises(BadInput) as error:
        read_schema(CURATED.read_text().replace(f'name: "{feature}" type', f'name: "{feature}" {rule} type'), "a.pbtxt")
    assert str(error.value).startswith(f"a.pbtxt: {what}")


@pytest.mark.parametrize(("feature", "rule"), [("year", JENSEN_SHANNON % 0.3), ("genre", INFINITY % 1), ("genre", "")])
def test_a_limit_of_the_right_kind(feature: str, rule: str) -> None:
    read_schema(CURATED.read_text().replace(f'name: "{feature}" type', f'name: "{feature}" drift_comparator {{ {rule} }} type'), "a.pbtxt")


def test_the_documents_that_violate_a_rule_are_counted_and_a_handful_is_named() -> None:
    violations = SchemaViolations(read_schema("", "schema"))
    columns: dict[str, list[Any]] = {name: ["x"] * 9 if not feature.edges else [1] * 9 for name, feature in FEATURES.items()}
    columns |= {"words": [0, 1, 20_000_000, *[0] * 6], "split": ["train", "dev", *["test"] * 7], "source": [None, *["x"] * 8]}
    columns |= {"duplicate": ["no"] * 9, "genre": [None] * 9}
    violations.add(list("abcdefghi"), columns)
    found = {name: (violation.documents, "".join(violation.ids)) for name, violation in violations.found.items()}
    assert found == {"words": (8, "acdef"), "split": (1, "b"), "source": (1, "a")}


def test_changes_of_a_schema_in_words() -> None:
    assert changed("max: 50000000", "max: 60000000") == ["characters: largest value: 50,000,000 → 60,000,000"]
    assert changed('value: "test"', 'value: "dev"') == ["split: new values: dev", "split: values removed: test"]
    assert changed('domain: "split"', "") == ["split: one of train, validation, test → any value"]
    assert changed('"consent"', '"licence2"')[0].startswith("consent: removed (") and len(changed('"consent"', '"licence2"')) == 2
    assert changed('"genre" type: BYTES', '"genre" type: INT') == ["genre: type: BYTES → INT"]
    drift = "drift_comparator { jensen_shannon_divergence { threshold: 0.3 } }"
    assert changed('name: "year" type', f'name: "year" {drift} type') == ["year: largest drift: none → 0.3"]
    assert changed("a year in which", "the year in which")[0].startswith("year: comment: a year in which")


@needs_tfdv
def test_an_inferred_schema_does_not_list_what_people_wrote(tmp_path: Path) -> None:
    rows = [
        Document(str(n), str(n), "A poem. " * (n + 1), "train", source="Marta Quill", genre="letters to Ana", language="en")
        for n in range(5)
    ]
    write_documents(tmp_path / "corpus", rows)
    listed = CURATED.read_text().replace(
        'name: "genre" type: BYTES', 'name: "genre" type: BYTES string_domain { name: "genre" value: "ode" }'
    )
    answers = []
    for more in (["--infer"], [], ["--schema", listed]):
        process = subprocess.run(
            [PYTHON, "-m", "components.validate_data.propose", "--corpus", tmp_path / "corpus", *more],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        answers.append(json.loads(process.stdout)["schema"])
    assert not any("Marta Quill" in answer for answer in answers)
    assert ["letters to Ana" in answer for answer in answers] == [False, False, True]  # a person wrote the list, so the update extends it
    assert '"en"' in answers[0] and read_schema(answers[0], "inferred")


@needs_tfdv
def test_a_proposed_schema_accepts_the_corpus_and_keeps_the_other_rules(tmp_path: Path) -> None:
    rows = [Document(str(n), str(n), "A poem. " * (n + 1), split="train", source="u", language="en", date="2999") for n in range(5)]
    write_documents(tmp_path / "corpus", [*rows, Document("z", "z", "…", split="dev", source="u", language="en")])
    process = subprocess.run(
        [PYTHON, "-m", "components.validate_data.propose", "--corpus", tmp_path / "corpus"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(process.stdout)
    assert answer["changes"] == ["words: smallest value: 1 → 0", "year: largest value: 2,100 → 2,999", "split: new values: dev"]
    assert [line.partition(":")[0] for line in answer["anomalies"]] == ["split", "words", "year"]
    schema = read_schema(answer["schema"], "proposed")
    assert schema_changes(read_schema("", "schema"), schema) == answer["changes"]
