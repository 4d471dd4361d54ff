"""What a user should know about a corpus before a run: each warning says what it means and what can be done."""

from collections.abc import Iterator

from robo_poet.corpus.curation.dropped import NEAR, QUALITY_REASONS, REASONS
from robo_poet.corpus.parquet import SPLITS
from robo_poet.corpus.readers.division import HUGE_WORK
from robo_poet.description.description import Description, Splits

SMALLEST, LARGEST = 1.0, 100.0  # MB, from the specification
FEW_WORKS = 5  # in a split
DAMAGED = 0.001  # share of characters, the limit of validate_data
ENGLISH_METRICS = "readability, sentiment and toxicity"


def corpus_warnings(description: Description, splits: Splits | None = None) -> list[str]:
    """Return the warnings, the most serious first.

    Args:
        splits: the splits that a run would make; the default is the description's.
    """
    splits = splits or description.splits
    return [*_works(description, splits), *_size(description), *_text(description), *_language(description), *_documents(description)]


def _works(d: Description, splits: Splits) -> Iterator[str]:
    if d.works < len(SPLITS):
        yield (
            f"the corpus has {d.works} work{'s' * (d.works != 1)}, and {', '.join(SPLITS)} need one each, so no model can be trained: "
            "give more files, separate works by a line ---, or name a column in ingest.columns.group"
        )
        return
    if d.largest_work_share > HUGE_WORK:
        yield (
            f"one work holds {d.largest_work_share:.0%} of the text. A work is in one split only: give its chapters as works of their own"
        )
    if splits.sizes["test"].works < FEW_WORKS:
        works = splits.sizes["test"].works
        yield (
            f"the test split has {works} work{'s' * (works != 1)}: the metrics hold for {'it' if works == 1 else 'them'} only, and gates "
            f"may lack evidence. {FEW_WORKS} works or more in each split are better"
        )


def _size(d: Description) -> Iterator[str]:
    if d.megabytes < SMALLEST:
        yield (
            f"{d.megabytes:.2f} MB is under {SMALLEST:g} MB: a model learns the layout and the words of so little text, hardly its "
            "sentences. Intervals are wide, and gates may lack evidence"
        )
    if d.megabytes > LARGEST:
        yield (
            f"{d.megabytes:.0f} MB is over {LARGEST:g} MB: models of 1 to 5 million parameters gain little from so much text, and a run "
            f"takes an hour or more. A random part of {LARGEST:g} MB gives about the same model"
        )


def _text(d: Description) -> Iterator[str]:
    if d.damaged_share > DAMAGED:
        yield (
            f"{d.damaged_share:.1%} of the characters are damaged (U+FFFD or control characters), so the run stops at validate-data. The "
            "text was probably converted from an unknown encoding: convert it to UTF-8 again"
        )
    if d.near_copies:
        what = f"{d.near_copies} documents mostly repeat another document"
        if NEAR in d.dropped:
            yield f"{what} and are dropped (ingest.near_duplicates)"
        elif d.near_copies_across:
            yield (
                f"{what}, {d.near_copies_across} of them one in another split, so that training text is in held-out text: set "
                "ingest.near_duplicates to drop, or give both the same group"
            )
        else:
            yield f"{what}, always in the same split"
    for reason in QUALITY_REASONS:
        if count := d.dropped.get(reason):
            yield f"{count} documents are dropped by ingest.quality ({REASONS[reason]})"
        if count := d.outside_bounds.get(reason):
            yield f"{count} documents are outside a bound of ingest.quality ({REASONS[reason]}) and are kept"
    if d.duplicates:
        yield f"{d.duplicates} exact duplicates are dropped"
    if d.empty:
        yield f"{d.empty} documents without text are dropped"


def _language(d: Description) -> Iterator[str]:
    if d.languages and d.languages.get("en", 0.0) + d.languages.get("unknown", 0.0) < 0.95:
        yield f"{1 - d.languages.get('en', 0.0):.0%} of the text is not English: {ENGLISH_METRICS} are measured for English only"
    if d.names and d.names.languages and d.language not in d.names.languages and d.languages:
        yield (
            f"names are searched by {d.names.model}, a model for {', '.join(d.names.languages)}: it misses most names in {d.language}, "
            f"which stay in the text, and replaces ordinary words ({d.names.matches / max(d.names.searched * 1000, 1):.0f} matches per "
            "KB). Set scrub.name_engine to spacy and scrub.spacy_model to a model of the language, or scrub.default_policy to patterns, "
            "which replaces no names"
        )


def _documents(d: Description) -> Iterator[str]:
    if d.dates and d.without_date:
        yield (f"{d.without_date} of {d.documents} documents have no ISO date (YYYY-MM-DD), so works are split by a hash, not by date")
