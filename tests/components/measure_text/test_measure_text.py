"""The whole step on artificial prose. Covers: text_metrics."""

import json
import math
import random
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.measure_text import text_metrics
from components.measure_text.__main__ import main, ratio_shortage
from components.measure_text.sentence_embedding import SentenceEncoder, load_sentence_encoder, model_archive
from pipelines.profile.load import load_profile
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.evaluation.completions import write_continuations
from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.gate import Gate
from robo_poet.privacy.findings import Finding, new_audit
from tests.components.measure_text.prose import prose

# What a release may be held to, of each family.
GATES = [
    Gate("distinct_2_to_people", min=0.6), Gate("degenerate_share", max=0.02), Gate("empty_share", max=0.02), Gate("copied_share", max=0.25), Gate("copied_share_above_people", max=0.05),
    Gate("well_formed_sentences", min=0.5), Gate("semantic_lift", min=0.05), Gate("topic_lift", min=0.0), Gate("toxic_share", max=0.01),
    Gate("personal_data_share", max=0.0), Gate("reading_grade", max=14),
]  # fmt: skip
SMALL = {"resamples": 200, "topics": 4, "lsa_dimensions": 8, "toxicity_threshold": 0.9}


class RememberedVectors:
    """The sentence encoder, which embeds each text once in all tests: most tests have the same prompts and references."""

    method = SentenceEncoder.method

    def __init__(self):
        self.vectors = {}

    def embed(self, texts):
        unknown = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        self.vectors |= zip(unknown, load_sentence_encoder(model_archive()).embed(unknown), strict=True)
        return np.stack([self.vectors[text] for text in texts])


@pytest.fixture(scope="module")
def remembered_vectors():
    return RememberedVectors()


@pytest.fixture
def measure(corpus, audit, tokenizer_folder, tmp_path, monkeypatch, remembered_vectors):
    monkeypatch.setattr(text_metrics, "load_sentence_encoder", lambda archive: remembered_vectors)

    def run(rows, name="text", *, champion=(), before=corpus, scrubbed=corpus, audit=audit, seed=42, **settings):
        table, theirs, out = tmp_path / f"{name}.parquet", tmp_path / f"{name}.champion.parquet", tmp_path / name
        write_continuations(table, rows)
        write_continuations(theirs, champion)
        arguments = ["--continuations", table, "--champion-continuations", theirs, "--corpus", before, "--scrubbed", scrubbed]
        arguments += ["--audit", audit, "--tokenizer", tokenizer_folder, "--seed", seed, "--settings", json.dumps(SMALL | settings)]
        arguments += ["--text-metrics", out, "--metrics", f"{out}.metrics", "--executor-output", f"{out}.output"]
        assert main([str(argument) for argument in arguments]) == 0
        return json.loads(out.read_text())

    return run


def failed(found):
    return {result.metric for result in judge_gates(found["metrics"], GATES).gates if result.verdict == "fail"}


def test_human_text_passes_all_gates_and_equals_its_own_reference(measure, human, tmp_path):
    found = measure([replace(row, text=row.reference, nats=row.reference_nats) for row in human])
    assert failed(found) == set() and found["notes"] == []
    assert found["metrics"].pop("bleu") == 1 and 0 < found["human"].pop("bleu") < 0.5
    more, one = found["metrics"].pop("bleu_to_people"), found["human"].pop("bleu_to_people")
    assert more > 2 and one == 1
    assert found["metrics"] == found["human"]
    assert found["intervals"].keys() == found["metrics"].keys() - {"longest_copy_max", "longest_copy_median"} | {"bleu", "bleu_to_people"}
    for name, (low, high) in found["intervals"].items():
        assert low <= found["metrics"].get(name, {"bleu": 1, "bleu_to_people": more}.get(name)) <= high, name
    assert (found["continuations"], found["works"]) == (32, 16)
    told = json.loads((tmp_path / "text.output").read_text())
    assert told["artifacts"]["metrics"]["artifacts"][0]["metadata"] == {**found["metrics"], "bleu": 1.0, "bleu_to_people": more}
    assert json.loads((tmp_path / "text.metrics").read_text()) == {**found["metrics"], "bleu": 1.0, "bleu_to_people": more}


def test_text_of_another_human_passes_all_gates(measure, human):
    found = measure(human)
    assert failed(found) == set()
    assert found["metrics"]["bleu"] < 0.5


def test_a_repetitive_model_fails_the_gates(measure, human):
    found = measure([replace(row, text=" the old king is" * 16) for row in human])
    assert {"degenerate_share", "distinct_2_to_people"} <= failed(found)
    assert found["metrics"]["degenerate_share"] == 1 and found["intervals"]["degenerate_share"][0] > 0.7
    assert found["metrics"]["distinct_2"] < 0.01 < 0.4 < found["human"]["distinct_2"]
    assert found["metrics"]["repetition_rate"] > 0.9 and found["metrics"]["self_bleu"] == pytest.approx(1)


def test_the_champion_is_compared_on_the_same_prompts(measure, human):
    """One that writes what people wrote beats one that writes something else, and the other way round; a twin is not told apart."""
    perfect = [replace(row, text=row.reference) for row in human]
    worse, better, twin = (measure(a, n, champion=b) for n, a, b in (("w", human, perfect), ("b", perfect, human), ("t", human, human)))
    assert worse["champion"] == {"bleu": 1.0} and worse["metrics"]["bleu"] == better["champion"]["bleu"] < 0.5
    assert worse["difference"]["bleu"]["high"] < -0.5 < 0.5 < better["difference"]["bleu"]["low"]
    assert better["difference"]["bleu"]["value"] == pytest.approx(-worse["difference"]["bleu"]["value"], abs=1e-6)
    assert twin["difference"]["bleu"] == {"value": 0.0, "low": 0.0, "high": 0.0, "units": 16}
    alone = measure(human, "alone")
    assert alone["champion"] == alone["difference"] == {} and alone["metrics"] == worse["metrics"]


def test_gibberish_has_a_far_lower_bleu_than_another_human(measure, human):
    gibberish = measure([replace(row, text=" zq vrx" * 20) for row in human], "gibberish")
    other = measure(human, "other")
    assert gibberish["metrics"]["bleu_to_people"] < 0.1 < 0.5 < other["metrics"]["bleu_to_people"]
    low, high = other["intervals"]["bleu_to_people"]
    assert low < other["metrics"]["bleu_to_people"] < high and other["human"]["bleu_to_people"] == 1


def test_a_model_that_copies_its_training_text_fails_the_gates(measure, human, training):
    recited = [replace(row, text=" " + training[number % 20][40:300]) for number, row in enumerate(human)]
    found = measure(recited)
    assert {"copied_share", "copied_share_above_people"} <= failed(found)
    assert found["metrics"]["copied_share"] == found["metrics"]["copied_share_above_people"] == 1 and found["human"]["copied_share"] == 0
    assert found["metrics"]["longest_copy_median"] > 40 > 20 > found["human"]["longest_copy_max"]
    assert found["worst"]["longest_copy_max"]["value"] == found["metrics"]["longest_copy_max"]


def test_text_that_people_repeat_as_often_is_no_copy_of_the_model(measure, human, training):
    """Sayings end with the line of their author, which stands in many documents: in held-out ones too."""
    formula = " " + training[0][40:300]
    found = measure([replace(row, text=formula, reference=formula) if number % 5 == 0 else row for number, row in enumerate(human)])
    assert found["metrics"]["copied_share"] == found["human"]["copied_share"] == pytest.approx(0.2, abs=0.05)
    assert found["metrics"]["copied_share_above_people"] == 0 and not {"copied_share", "copied_share_above_people"} & failed(found)
    low, high = found["intervals"]["copied_share_above_people"]
    assert low < -0.05 and high > 0.05


def test_a_model_that_recites_a_text_that_is_held_out_too_fails_the_ceiling(measure, human, training):
    formula = " " + training[0][40:300]
    found = measure([replace(row, text=formula, reference=formula) for row in human])
    assert found["metrics"]["copied_share_above_people"] == 0 and "copied_share" in failed(found)


def test_off_topic_shuffled_words_fail_the_gates(measure, human):
    dice = random.Random(1)
    texts = [" ".join(dice.sample(words := row.text.split(), len(words))) for row in human]
    wandering = [replace(row, text=texts[(number + 2) % len(texts)]) for number, row in enumerate(human)]  # works go round the subjects
    assert {"well_formed_sentences", "semantic_lift"} <= failed(measure(wandering))


def test_empty_and_short_texts_are_measured(measure, human):
    half = measure([replace(row, text="", nats=0.0) if number % 2 else row for number, row in enumerate(human)], "half")
    assert half["metrics"]["degenerate_share"] == half["metrics"]["empty_share"] == 0.5 and "degenerate_share" in failed(half)
    short = measure([replace(row, text=row.text[:20]) for row in human], "short")
    assert short["metrics"]["length_to_people"] < 0.2 and short["human"]["length_to_people"] == 1


def test_completions_that_score_finds_unlikely_are_measured(measure, human):
    """`score` finds the words that it wrote in disorder unlikelier than people's: what `generate` does is not what was learnt."""
    found = measure([replace(row, nats=2 * row.reference_nats) for row in human])
    assert found["metrics"]["completion_bits_to_people"] > 1.5 and found["intervals"]["completion_bits_to_people"][0] > 1.1
    assert found["human"]["completion_bits_to_people"] == 1


def test_copies_are_found_despite_case_and_punctuation_and_in_short_texts(measure, human, training):
    recited = " ".join(training[3].split()[10:50])
    loud, marked = recited.upper(), "; ".join(recited.replace(",", "").split())
    short = " ".join(training[5].split()[20:28])
    for name, text in (("loud", loud), ("marked", marked), ("short", f" {short}")):
        assert measure([replace(row, text=text) for row in human], name)["metrics"]["copied_share"] == 1, name
    assert measure(human, "honest")["metrics"]["copied_share"] == 0


def test_rows_with_personal_data_are_never_examples(measure, human):
    private = " Write to anna.k@example.org or anna.k@example.org or anna.k@example.org, you hate hate hate."
    found = measure([replace(row, text=private) if number in (0, 5) else row for number, row in enumerate(human)])
    assert found["private_rows"] == [0, 5]
    assert not {one["row"] for picked in ("best", "worst") for one in found[picked].values()} & {0, 5}
    assert found["private_champion_rows"] == [], "there is no champion"


@pytest.mark.parametrize("part", ["prompt", "reference"])
def test_rows_with_personal_data_in_held_out_text_are_never_examples(measure, human, part):
    private = "Write to anna.k@example.org, "
    rows = [replace(row, **{part: private + getattr(row, part)}) if number == 4 else row for number, row in enumerate(human)]
    found = measure(rows, part)
    assert found["private_rows"] == [4]
    assert not {one["row"] for picked in ("best", "worst") for one in found[picked].values()} & {4}


def test_rows_of_the_champion_with_personal_data_are_listed(measure, human):
    champion = [replace(row, text=" Write to anna.k@example.org.") if number == 3 else row for number, row in enumerate(human)]
    found = measure(human, champion=champion)
    assert (found["private_rows"], found["private_champion_rows"]) == ([], [3])


def test_personal_data_and_abuse_are_counted_and_never_written(measure, human, capsys, tmp_path):
    secrets = ["anna.k@example.org", "bela@example.com"]
    rows = list(human)
    rows[0] = replace(rows[0], text=f" Write to {secrets[0]} today.")
    rows[3] = replace(rows[3], text=f" Write to {secrets[1]} today, you stupid idiot. Shut up, you moron.")
    found = measure(rows)
    assert found["metrics"]["personal_data_share"] == 2 / 32 and found["metrics"]["known_personal_data_share"] == 1 / 32
    assert found["personal_data"] == {"EMAIL_ADDRESS": {"found": 2, "in_training": 1}}
    assert found["metrics"]["toxic_share"] == 1 / 32 and found["human"]["toxic_share"] == 0
    assert {"personal_data_share", "toxic_share"} <= failed(found)
    written = "".join(path.read_text() for path in tmp_path.iterdir() if path.suffix != ".parquet") + capsys.readouterr().err
    assert not any(part in written for secret in secrets for part in (secret, secret.split("@")[0]))
    assert not any(row.text.strip()[:30] in written or row.reference.strip()[:30] in written or row.prompt[:30] in written for row in rows)


def test_a_name_that_scrubbing_removed_counts_as_known_in_a_completion(measure, human, tmp_path):
    """In one place the recogniser saw it, in another it did not: the model learnt it there."""
    told = Document("d", "g", "", split="train").with_text("The line was Oleander Quistgaard's own. " + prose(7, 20))
    held = Document("e", "h", "", split="test").with_text("As Ottokar Brandvold said. " + prose(8, 20))
    before, scrubbed, audit = (tmp_path / f"{name}.parquet" for name in ("before", "scrubbed", "audit"))
    write_documents(before, [told, held])
    write_documents(scrubbed, [one.with_text(prose(7, 20)) for one in (told, held)])
    with new_audit(audit, b"key") as writer:
        for document, start, end in ((told, 13, 32), (held, 3, 20)):
            writer.add(document, [Finding("PERSON", start, end, 0.85, "SpacyRecognizer")])
    rows = [replace(human[0], text=" as OLEANDER\nQuistgaard wrote"), replace(human[1], text=" as Ottokar Brandvold wrote"), *human[2:]]
    found = measure(rows, before=before, scrubbed=scrubbed, audit=audit)
    assert found["personal_data"] == {"PERSON": {"found": 1, "in_training": 1}}
    assert found["metrics"]["known_personal_data_share"] == 1 / 32 and "quistgaard" not in json.dumps(found).lower()


def test_a_model_that_writes_nothing_fails_the_gates(measure, human):
    found = measure([replace(row, text=" \n" if number % 2 else "") for number, row in enumerate(human)])
    assert found["metrics"]["empty_share"] == 1 and found["metrics"]["bleu"] == 0 and found["metrics"]["longest_copy_max"] <= 1
    nothing = {
        "distinct_1",
        "distinct_2",
        "distinct_2_to_people",
        "self_bleu",
        "repetition_rate",
        "word_entropy",
        "fourgram_entropy",
        "well_formed_sentences",
        "reading_grade",
    }
    assert {name for name, number in found["metrics"].items() if number is None} == nothing
    assert not nothing & found["intervals"].keys()
    assert {"empty_share", "degenerate_share", "distinct_2_to_people", "well_formed_sentences", "semantic_lift"} <= failed(found)
    assert found["metrics"]["length_to_people"] < 0.05


ENGLISH = {"well_formed_sentences", "reading_grade", "toxic_share", "sentiment"}


def test_english_metrics_are_not_measured_on_other_languages(measure, human, capsys):
    found = measure([replace(row, language="de" if number % 2 else "fr") for number, row in enumerate(human)])
    assert {name for name, number in found["metrics"].items() if number is None} == ENGLISH
    assert "not measured, they support English only, and less than 95% of the texts are English" in found["notes"][0]
    assert f"warning: {found['notes'][0]}" in capsys.readouterr().err
    assert ENGLISH - {"sentiment"} <= failed(found)
    shortage = found["shortages"]["toxic_share"]
    assert (shortage["what"], shortage["there"], shortage["kind"]) == ("English texts", 0, "missing")  # more French text does not help
    assert load_profile("local", [shlex.split(shortage["remedy"])[1]])  # the remedy, typed


@pytest.mark.parametrize(
    ("languages", "method"), [(["en"], "all-MiniLM-L6-v2"), ([""], "all-MiniLM-L6-v2"), (["de", "fr"], "LSA"), (["en", "fr"], "LSA")]
)
def test_english_is_compared_by_sentence_embeddings_and_other_languages_by_lsa(languages, method, measure, human):
    found = measure([replace(row, language=languages[number % len(languages)]) for number, row in enumerate(human)])
    assert found["semantic_method"] == method
    assert found["intervals"]["semantic_lift"][0] > 0.05


def test_unknown_languages_count_as_english_and_a_few_other_texts_are_skipped(measure, human):
    found = measure([replace(row, language="" if number < 4 else "fr" if number == 8 else "en") for number, row in enumerate(human)])
    assert all(number is not None for number in found["metrics"].values())
    assert [note.split(": ")[1] for note in found["notes"]] == [
        "measured on 31 of 32 texts, the others are not English", "4 texts of unknown language count as English",
    ]  # fmt: skip


def test_one_continuation_and_one_training_word_give_no_intervals(measure, human, tmp_path, capsys):
    corpus = tmp_path / "one.parquet"
    write_documents(corpus, [Document("d", "g", "", split="train").with_text("Ay")])
    for language, method, count in (("fr", None, 2), ("en", "all-MiniLM-L6-v2", 1)):  # sentence embeddings need no training text
        found = measure([replace(human[0], language=language)], scrubbed=corpus)
        missing = {name for name, number in found["metrics"].items() if number is None}
        assert {"semantic_similarity_shuffled", "semantic_lift", "topic_consistency", "self_bleu"} <= missing
        assert ("semantic_similarity" in missing, found["semantic_method"]) == (method is None, method)
        assert found["intervals"] == {}, "one text says nothing of others"
        assert capsys.readouterr().err.count("not measured, the training text is too short") == count


def test_the_same_inputs_give_the_same_bytes(measure, human, tmp_path, monkeypatch):
    monkeypatch.undo()  # no remembered vectors
    for name in ("a", "b"):
        measure(human, name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_continuations_there_are_no_metrics(measure, capsys):
    found = measure([])
    assert (found["metrics"], found["intervals"], found["worst"], found["best"], found["continuations"]) == ({}, {}, {}, {}, 0)
    assert found["notes"] == ["no metric was measured: no held-out document is long enough for a prompt"]
    assert f"warning: {found['notes'][0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("no table", "{table}: not a table of continuations"),
        ("other prompts", "{champion}: the champion's completions are of other prompts than the model's; run the evaluation again"),
        ("no audit", "{table}: not an audit table of scrub_pii"),
        ("no training", "{corpus}: the training split is empty; pass the corpus that the model was trained on"),
        ("no model", "text.spacy_model: spaCy model 'en_core_web_xl' is not installed; install it or set another model"),
        ("no number", "--settings: topics = 'many'"),
    ],
)
def test_bad_input_is_one_line(what, says, human, corpus, audit, tokenizer_folder, tmp_path, capsys):
    table, held, settings = tmp_path / "table.parquet", corpus, {}
    write_continuations(table, human)
    if what == "no table":
        table.write_text(prose(1, 3))
    if what == "no training":
        held = tmp_path / "test.parquet"
        write_documents(held, [Document("d", "g", "", split="test").with_text(prose(1, 3))])
    if what == "no model":
        settings = SMALL | {"spacy_model": "en_core_web_xl"}
    if what == "no number":
        settings = {"topics": "many"}
    champion = table.with_suffix(".champion")
    write_continuations(champion, human[1:] if what == "other prompts" else [])
    arguments = ["--continuations", table, "--champion-continuations", champion, "--corpus", held, "--scrubbed", held]
    arguments += [
        "--audit",
        table if what == "no audit" else audit,
        "--tokenizer",
        tokenizer_folder,
        "--seed",
        1,
        "--text-metrics",
        tmp_path / "out",
    ]
    assert main([str(argument) for argument in [*arguments, "--settings", json.dumps(settings)]]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
    assert len(lines) == 1 and lines[0].startswith("error: " + says.format(table=table, champion=champion, corpus=held)), lines
    assert not (tmp_path / "out").exists()


def test_a_table_with_another_digest_is_refused(human, corpus, audit, tokenizer_folder, tmp_path, capsys):
    table = Path(tmp_path / "table.parquet")
    write_continuations(table, human)
    arguments = ["--continuations", table, "--continuations-digest", "0" * 64, "--champion-continuations", table]
    arguments += ["--corpus", corpus, "--scrubbed", corpus, "--audit", audit, "--tokenizer", tokenizer_folder]
    assert main([str(argument) for argument in [*arguments, "--seed", 1, "--text-metrics", tmp_path / "out"]]) == 2
    assert "the content is not what its producer wrote" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("low", "high", "needed"),
    [(0.18, 0.82, None), (0.0, 1.0, None), (-math.inf, math.inf, None), (0.003087, 3.863716, 313)],
)
def test_a_ratio_to_human_text_with_too_wide_an_interval_is_a_shortage(low: float, high: float, needed: int | None) -> None:
    shortage = ratio_shortage(Estimate(0.109, low, high, 21), "work", 81)
    assert (shortage.needed if shortage else None) == needed
    assert shortage is None or (shortage.text, shortage.is_amount) == ("21 works with completions, 313 needed", True)


def test_a_ratio_to_human_text_from_few_completions_is_a_shortage_however_narrow_its_interval() -> None:
    narrow = Estimate(0.1227, 0.0268, 0.2187, 21)
    assert ratio_shortage(narrow, "work", 50) is None
    shortage = ratio_shortage(narrow, "work", 20)
    assert shortage and (shortage.text, shortage.is_amount) == ("20 completions, 50 needed", True)
