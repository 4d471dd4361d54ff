from dataclasses import replace

import pytest

from pipelines.profile.load import load_profile
from pipelines.suggestion.choose import choose_splits, suggest
from robo_poet.description.description import Description, Splits, SplitSize, TokenStatistics

TOKENS = {512: TokenStatistics(1.9, 7.7), 1024: TokenStatistics(2.37, 8.3), 2048: TokenStatistics(3.1, 9.2)}


def splits(train: float, validation: float, works: int, megabytes: float, test_works: int | None = None) -> Splits:
    test = 1 - train - validation
    sizes = {
        "train": SplitSize(round(works * train), round(works * train), megabytes * train),
        "validation": SplitSize(max(1, round(works * validation)), max(1, round(works * validation)), megabytes * validation),
        "test": SplitSize(max(1, round(works * test)) if test_works is None else test_works, 1, megabytes * test),
    }
    return Splits(train, validation, sizes)


def corpus(megabytes: float, works: int = 100, languages: dict[str, float] | None = None, median: int = 5000) -> Description:
    options = [splits(train, validation, works, megabytes) for train, validation in ((0.8, 0.1), (0.7, 0.15), (0.6, 0.2), (0.5, 0.2))]
    return Description(
        source="c", digest="d", documents=works, sampled_from=works, works=works, megabytes=megabytes, empty=0, duplicates=0, near_copies=0,
        near_copies_across=0, languages=languages or {"en": 1.0}, dates=(), without_date=works, median_characters=median,
        largest_work_share=0.1, damaged_share=0.0, tokens=TOKENS, personal={}, personal_documents=0, names=None, splits=options[0], alternatives=options,
    )  # fmt: skip


def chosen(description: Description) -> dict[str, object]:
    suggestion = suggest(description)
    assert suggestion
    return {choice.key: choice.value for choice in suggestion.choices}


def test_more_text_has_a_larger_vocabulary_larger_batches_and_fewer_epochs() -> None:
    rows = [chosen(corpus(size)) for size in (0.1, 0.5, 1.25, 4.0, 10.0, 100.0)]
    for key, rising in (("tokenizer.vocabulary", True), ("train.batch", True), ("train.epochs", False), ("train.dropout", False)):
        values = [row[key] for row in rows]
        assert values == sorted(values, reverse=not rising)  # type: ignore[type-var]
    assert rows[-1]["train.epochs"] == 1


def test_a_megabyte_has_the_settings_of_local() -> None:
    local = load_profile("local").profile
    values = chosen(corpus(1.25))
    assert values["tokenizer.vocabulary"] == local.tokenizer.vocabulary
    assert values["train.batch"] == local.train.batch and values["train.dropout"] == local.train.dropout


def test_few_works_get_a_larger_test_split() -> None:
    assert choose_splits(corpus(1, works=100)).train == 0.8
    assert choose_splits(corpus(1, works=30)).train == 0.7
    assert chosen(corpus(1, works=30))["ingest.split_train"] == 0.7


def test_the_training_split_keeps_half_of_the_text() -> None:
    small = SplitSize(5, 5, 0.2)
    greedy = Splits(0.6, 0.2, {"train": SplitSize(2, 2, 0.4), "validation": small, "test": SplitSize(6, 6, 0.4)})
    description = replace(corpus(1, works=8), alternatives=(splits(0.8, 0.1, 8, 1), greedy))
    assert choose_splits(description).train == 0.8


@pytest.mark.parametrize(("megabytes", "prompts", "length"), [(0.05, 20, 16), (0.1, 70, 16), (1.25, 100, 32)])
def test_prompts_fit_into_the_test_split(megabytes: float, prompts: int, length: int) -> None:
    values = chosen(corpus(megabytes))
    assert prompts <= int(str(values["evaluate.continuations"])) <= 100
    assert values["evaluate.prompt_tokens"] == length


def test_short_documents_have_a_short_window() -> None:
    assert chosen(corpus(1.25, median=60))["train.window"] == chosen(corpus(1.25, median=60))["train.stride"] == 40
    assert chosen(corpus(1.25, median=600))["train.window"] == 100


def test_another_language_is_expected_and_the_english_judge_is_dropped_with_a_reason() -> None:
    suggestion = suggest(corpus(1.25, languages={"es": 0.9, "en": 0.095, "fr": 0.005}))
    assert suggestion
    assert chosen(corpus(1.25, languages={"es": 0.9, "en": 0.095, "fr": 0.005}))["validation.languages"] == ["en", "es"]
    assert any(gate["metric"] == "toxic_share" and "es 90%" in gate["drop"] for gate, _ in suggestion.gates)
    assert not any(gate["metric"] == "toxic_share" for gate, _ in suggest(corpus(1.25)).gates)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("languages", "dropped"),
    [
        ({"fr": 1.0}, True),
        ({"fr": 0.99, "en": 0.01}, True),
        ({"fr": 0.5, "en": 0.5}, False),
        ({"es": 1.0}, False),
        ({"unknown": 1.0}, False),
    ],
)
def test_a_corpus_without_the_audits_languages_has_no_upper_bound_of_likelihood_bias(languages: dict[str, float], dropped: bool) -> None:
    suggestion = suggest(corpus(1.25, languages=languages))
    assert suggestion
    reasons = [gate["drop"] for gate, _ in suggestion.gates if gate["metric"] == "bias_likelihood_reach"]
    assert bool(reasons) == dropped and all("the corpus is fr " in reason for reason in reasons)


@pytest.mark.parametrize(("languages", "audited"), [({"en": 1.0}, ["en"]), ({"fr": 1.0}, ["en"]), ({"es": 0.5, "en": 0.5}, None)])
def test_bias_is_audited_in_spanish_only_for_a_corpus_with_spanish(languages: dict[str, float], audited: list[str] | None) -> None:
    assert chosen(corpus(1.25, languages=languages)).get("audit.languages") == audited


def test_fewer_than_three_works_have_no_suggestion() -> None:
    assert suggest(replace(corpus(1), splits=Splits(0.8, 0.1, {}), alternatives=())) is None


def test_a_larger_vocabulary_has_a_larger_bound_on_perplexity() -> None:
    suggestion = suggest(corpus(4.0))
    assert suggestion and [dict(gate) for gate, _ in suggestion.gates] == [{"metric": "perplexity", "max": 260, "on_unknown": "warn"}]
    assert suggest(corpus(1.25)).gates == ()  # type: ignore[union-attr]
