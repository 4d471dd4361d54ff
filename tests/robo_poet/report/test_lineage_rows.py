from robo_poet.report.lineage_rows import changed_values, changes_text, flatten, lineage_rows, setting_values, value_text

GATE = {"metric": "perplexity", "max": 50}


def test_leaves_have_dotted_keys() -> None:
    assert flatten({"a": {"b": 1, "c": [1, 2]}, "d": {}}) == {"a.b": 1, "a.c": [1, 2], "d": {}}


def test_a_gate_is_a_setting_with_its_bound() -> None:
    settings = {
        "train": {"epochs": 3},
        "remedies": {"x": 1},
        "gates": [
            GATE,
            {"metric": "bits_per_byte", "slice": "author=*", "against": "champion", "margin": 0.1, "on_unknown": "warn"},
            {"metric": "bleu", "floor": 1},  # a field of another release
        ],
    }
    assert setting_values(settings) == {
        "train.epochs": 3,
        "gates.perplexity": "<= 50",
        "gates.bits_per_byte[author=*].against_champion": "<= champion + 0.1, if unknown: warn",
        "gates.bleu": '{"floor": 1, "metric": "bleu"}',
    }
    assert setting_values({}) == {}


def test_changes_are_values_that_differ_and_gates_that_are_missing() -> None:
    base = {"seed": 1, "train": {"epochs": 3, "units": 64}, "gates": [GATE, {"metric": "bleu", "min": 0.1}]}
    settings = {"seed": 1, "train": {"epochs": 10, "units": 64}, "gates": [{"metric": "perplexity", "max": 30}]}
    changed = changed_values(settings, base)
    assert changed == {"train.epochs": 10, "gates.perplexity": "<= 30", "gates.bleu": "dropped"}
    assert changes_text(changed) == "train.epochs=10, gates.perplexity <= 30, gates.bleu dropped"
    assert changed_values(base, base) == {} and changes_text({}) == ""


def test_values_are_shown_as_they_are_typed() -> None:
    assert [value_text(value) for value in ("warn", ["en", "es"], [["a", "b"]], 3e-4, None)] == [
        "warn", "[en, es]", '[["a", "b"]]', "0.0003", "null",
    ]  # fmt: skip


def test_lineage_has_short_digests_and_no_nested_json() -> None:
    lineage = {
        "model": "poems", "source": "poems.csv", "profile": "local", "inputs": {"corpus": "c" * 64}, "code": {"ingest": "i" * 16},
        "settings": {"seed": 1, "train": {"epochs": 10}}, "changed": {"train.epochs": 10}, "source_digest": "",
    }  # fmt: skip
    assert lineage_rows(lineage) == [
        ("model", "poems"),
        ("corpus", "poems.csv"),
        ("profile", "local"),
        ("digest of corpus", "cccccccccccc"),
        ("code", "of 1 step; --json prints their digests"),
        ("settings", "1 of 2 differ from the profile; --json prints all"),
        ("  train.epochs", "10"),
    ]


def test_a_lineage_of_an_older_release_has_rows_too() -> None:
    assert lineage_rows({"seed": 42, "settings": {"epochs": 3}}) == [("settings", "1; --json prints all"), ("seed", "42")]
    assert lineage_rows({}) == []
