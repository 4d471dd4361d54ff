from dataclasses import replace

import pytest

from robo_poet.description.description import Description, Names, Splits, SplitSize, TokenStatistics
from robo_poet.description.warnings import corpus_warnings

TOKENS = {512: TokenStatistics(1.9, 7.7), 1024: TokenStatistics(2.37, 8.3), 2048: TokenStatistics(3.1, 9.2)}
SIZES = {"train": SplitSize(40, 40, 2.4), "validation": SplitSize(5, 5, 0.3), "test": SplitSize(5, 5, 0.3)}
GOOD = Description(
    source="poems", digest="d", documents=50, sampled_from=50, works=50, megabytes=3.0, empty=0, duplicates=0, near_copies=0,
    near_copies_across=0, languages={"en": 1.0}, dates=(), without_date=50, median_characters=2000, largest_work_share=0.1,
    damaged_share=0.0, tokens=TOKENS, personal={}, personal_documents=0, names=Names(3, 0.03, 3.0, "en_model", ("en",), 1.0), splits=Splits(0.8, 0.1, SIZES),
)  # fmt: skip


def test_a_good_corpus_has_no_warnings() -> None:
    assert corpus_warnings(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"works": 2, "splits": Splits(0.8, 0.1, {})}, "the corpus has 2 works, and train, validation, test need one each"),
        ({"largest_work_share": 0.7}, "one work holds 70% of the text"),
        ({"splits": Splits(0.8, 0.1, SIZES | {"test": SplitSize(1, 1, 0.3)})}, "the test split has 1 work: the metrics hold for it only"),
        ({"megabytes": 0.4}, "0.40 MB is under 1 MB: a model learns the layout"),
        ({"megabytes": 120.0}, "120 MB is over 100 MB: models of 1 to 5 million parameters gain little"),
        ({"damaged_share": 0.02}, "2.0% of the characters are damaged"),
        ({"near_copies": 4, "near_copies_across": 1}, "4 documents mostly repeat another document, 1 of them"),
        ({"near_copies": 4, "dropped": {"near_duplicate": 4}}, "4 documents mostly repeat another document and are dropped"),
        ({"near_copies": 4}, "4 documents mostly repeat another document, always in the same split"),
        ({"dropped": {"few_words": 2}}, "2 documents are dropped by ingest.quality (too few words)"),
        ({"outside_bounds": {"language": 3}}, "3 documents are outside a bound of ingest.quality (another language) and are kept"),
        ({"languages": {"fr": 0.9, "en": 0.1}}, "90% of the text is not English"),
        ({"languages": {"fr": 0.9, "en": 0.1}}, "names are searched by en_model, a model for en: it misses most names in fr"),
        (
            {"languages": {"es": 1.0}, "names": Names(600, 0.03, 0.5, "en_model", ("en",), 1.0)},
            "which stay in the text, and replaces ordinary words (20 matches per KB). Set scrub.name_engine to spacy and scrub.spacy_model to a model of the language, or "
            "scrub.default_policy to patterns",
        ),
        ({"dates": ("1900", "1950"), "without_date": 3}, "3 of 50 documents have no ISO date"),
    ],
)
def test_each_problem_is_told_with_its_meaning(changes: dict[str, object], text: str) -> None:
    assert any(text in warning for warning in corpus_warnings(replace(GOOD, **changes)))  # type: ignore[arg-type]
