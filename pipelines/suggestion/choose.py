"""Choose the settings of a profile from the description of a corpus.

The rules depend only on the corpus, not on the speed of the machine, so the same corpus gives the same profile on every machine.
docs/explanation/profile-auto.md has the measurements behind each figure.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from robo_poet.description.description import Description, Splits

SMALL_WORKS = 5  # works in the test split; fewer say little about other works
SMALL_TEST = 0.01  # MB in the test split; less has no room for 70 short prompts
LEAST_TRAINING = 0.5  # share of the text that stays in the training split
WINDOW = 100  # tokens
TRAINING_TOKENS = 3_600_000  # tokens to train on: about three minutes on two idle cores for the model of profile local
MOST_EPOCHS = 30
PROMPTS = 100
PROMPT_LENGTHS = ((32, 64), (24, 48), (16, 32))  # tokens of a prompt and of its continuation, from the specification's figures down
ENGLISH_SHARE = 0.95  # below, the metrics that support English only are not measured
EXPECTED_LANGUAGE = 0.02  # smallest share of a language that the profile expects
AUDITED = ("en", "es")  # languages of the test sentences of the bias audit


@dataclass(frozen=True)
class Size:
    """The settings for corpora whose training split is below `megabytes`."""

    megabytes: float
    vocabulary: int
    batch: int
    dropout: float
    why: str


SIZES = (
    Size(0.25, 512, 8, 0.3, "under 0.25 MB of training text"),
    Size(0.8, 1024, 16, 0.2, "0.25 to 0.8 MB of training text"),
    Size(2.0, 1024, 32, 0.2, "0.8 to 2 MB of training text"),
    Size(float("inf"), 2048, 32, 0.1, "2 MB of training text or more"),
)
# The bound on perplexity of the profile local, 150, is 13 % below the bits per token of the unigram model of its plays (8.32).
# Perplexity is per token, so other tokens need another bound for the same demand.
PERPLEXITY, SHARE_OF_UNIGRAM = 150, 0.87


@dataclass(frozen=True)
class Choice:
    """A setting that differs from the profile that the suggestion extends, and why."""

    key: str
    value: Any
    why: str


@dataclass(frozen=True)
class Suggestion:
    """The suggested profile: settings and changes of gates, each with a reason."""

    summary: str
    choices: tuple[Choice, ...]
    gates: tuple[tuple[Mapping[str, Any], str], ...]


def bytes_per_token(description: Description, vocabulary: int) -> float:
    """Return the estimated bytes of text per token. Beyond the measured vocabularies, doubling a vocabulary adds a tenth."""
    measured = description.tokens
    nearest = min(measured, key=lambda size: abs(math.log(size / vocabulary)))
    return float(measured[nearest].bytes_per_token * 1.1 ** math.log2(vocabulary / nearest))


def choose_splits(description: Description) -> Splits:
    """Return the splits with the largest training share whose test split has five works and 10 KB.

    At least half of the text must stay for training. If no shares fulfil all this, return those with the most of five test works, and
    of equal ones those with the most test text.
    """
    fitting = [splits for splits in description.alternatives if splits.sizes and _training_share(splits) >= LEAST_TRAINING]
    for splits in fitting:
        if splits.sizes["test"].works >= SMALL_WORKS and splits.sizes["test"].megabytes >= SMALL_TEST:
            return splits
    return max(fitting, key=lambda s: (min(SMALL_WORKS, s.sizes["test"].works), s.sizes["test"].megabytes), default=description.splits)


def _training_share(splits: Splits) -> float:
    return splits.sizes["train"].megabytes / max(1e-9, sum(size.megabytes for size in splits.sizes.values()))


def suggest(description: Description) -> Suggestion | None:
    """Return the suggested profile, which extends `local`; None if the corpus has fewer than three works."""
    if not description.splits.sizes:
        return None
    splits = choose_splits(description)
    training, test = splits.sizes["train"], splits.sizes["test"]
    size = next(size for size in SIZES if training.megabytes < size.megabytes)
    token_bytes = bytes_per_token(description, size.vocabulary)
    tokens = training.megabytes * 1e6 / token_bytes
    choices = [
        *_split_choices(description.splits, splits),
        *_language_choices(description),
        Choice("tokenizer.vocabulary", size.vocabulary, size.why),
        *_window_choices(description, token_bytes),
        Choice("train.batch", size.batch, "a small batch makes more steps of little text" if size.batch < 32 else "enough steps per epoch"),
        Choice("train.epochs", _epochs(tokens), f"about {_rounded(tokens)} tokens an epoch; early stopping may end it earlier"),
        Choice("train.dropout", size.dropout, "more, the more often the text is read"),
        *_prompt_choices(test.megabytes * 1e6 / token_bytes),
    ]
    gates: list[tuple[Mapping[str, Any], str]] = []
    unigram_bits = description.tokens[size.vocabulary].unigram_bits
    if (perplexity := 2 ** (SHARE_OF_UNIGRAM * unigram_bits)) > PERPLEXITY:
        why = f"{1 - SHARE_OF_UNIGRAM:.0%} below the unigram model of these tokens, as {PERPLEXITY} is in profile local"
        gates.append(({"metric": "perplexity", "max": int(float(f"{perplexity:.2g}")), "on_unknown": "warn"}, why))
    if description.languages.get("en", 0.0) + description.languages.get("unknown", 0.0) < ENGLISH_SHARE:
        gates.append(({"metric": "toxic_share", "drop": f"the judge is English only; the corpus is {_languages(description)}"}, ""))
    if not any(description.languages.get(name, 0.0) >= EXPECTED_LANGUAGE for name in (*AUDITED, "unknown")):
        why = f"the test sentences are English and Spanish; the corpus is {_languages(description)}"
        gates.append(({"metric": "bias_likelihood_reach", "drop": why}, ""))
    summary = f"{description.megabytes:.2f} MB, {description.works} works, {_languages(description)}"
    return Suggestion(summary, tuple(choices), tuple(gates))


def _languages(description: Description) -> str:
    shares = [(name, share) for name, share in description.languages.items() if share >= EXPECTED_LANGUAGE]
    return ", ".join(f"{name} {share:.0%}" for name, share in shares[:3]) or "of unknown language"


def _split_choices(given: Splits, chosen: Splits) -> list[Choice]:
    if (given.train, given.validation) == (chosen.train, chosen.validation):
        return []
    now, before = chosen.sizes["test"].works, given.sizes["test"].works
    why = f"{now} work{'s' * (now != 1)} for test, instead of {before}" if now != before else "each split needs a work"
    return [Choice("ingest.split_train", chosen.train, why), Choice("ingest.split_validation", chosen.validation, "the rest is test")]


def _language_choices(description: Description) -> list[Choice]:
    """Expect the languages of the corpus, and audit bias in Spanish only if the model reads Spanish. Completions are audited in English."""
    expected = sorted(name for name, share in description.languages.items() if share >= EXPECTED_LANGUAGE and name != "unknown")
    choices = [] if "es" in expected else [Choice("audit.languages", ["en"], "the corpus has no Spanish for the Spanish test sentences")]
    if expected and expected != ["en"]:
        choices.append(Choice("validation.languages", expected, f"the languages of the corpus: {_languages(description)}"))
    return choices


def _window_choices(description: Description, token_bytes: float) -> list[Choice]:
    """Shorten the window for short documents: a window holds one document, and its rest is padding."""
    tokens = description.median_characters / token_bytes
    window = min(WINDOW, max(16, -(-int(1.5 * tokens) // 8) * 8))
    why = "no overlap: an epoch reads each token once"
    if window == WINDOW:
        return [Choice("train.window", WINDOW, "the specification's length"), Choice("train.stride", WINDOW, why)]
    short = f"half of the documents have under {int(tokens) + 1} tokens, and the rest of a window is padding"
    return [Choice("train.window", window, short), Choice("train.stride", window, why)]


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"


def _epochs(tokens: float) -> int:
    return int(min(MOST_EPOCHS, max(1, round(TRAINING_TOKENS / max(1.0, tokens)))))


def _prompt_choices(test_tokens: float) -> list[Choice]:
    """Choose the longest prompts of which 100 fit into the test split without overlap; else as many of the shortest as fit.

    Prompts are placed at random, so about half of the text is between them.
    """
    for prompt, continuation in PROMPT_LENGTHS:
        if test_tokens >= 2 * PROMPTS * (prompt + continuation):
            prompts = PROMPTS
            break
    else:
        prompts = min(PROMPTS, max(20, int(test_tokens / (1.5 * (prompt + continuation)))))
    why = f"what fits into about {_rounded(test_tokens)} tokens of held-out text without overlap"
    return [
        Choice("evaluate.continuations", prompts, why),
        Choice("evaluate.prompt_tokens", prompt, "tokens; shorter prompts, if the test split is small"),
        Choice("evaluate.continuation_tokens", continuation, "tokens"),
    ]
