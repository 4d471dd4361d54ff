"""Metrics that are defined only for English texts: readability, sentiment and toxicity, and the selection of these texts.

- Readability: Flesch–Kincaid grade, the US school grade needed to read a text (Kincaid et al. 1975).
- Sentiment: VADER's lexicon and rules (Hutto & Gilbert 2014).
- Toxicity: the content filter's classifier and its list of severe words (SERVE-4). Neither detects hatred and threats in plain words
  (`docs/explanation/evaluation.md`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyphen
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from components.measure_text.metric import Numbers, RowMetric, divide, mean, share
from robo_poet.corpus.document import language_code
from serving.content_filter.listed_words import WordJudge
from serving.content_filter.passage import Passage
from serving.content_filter.toxicity import ToxicityJudge
from serving.content_filter.word_list import LIST_FOLDER, at_least, read_list

MINIMUM_ENGLISH_SHARE = 0.95  # minimum share of English texts


def is_english(language: str) -> bool:
    """Return True if a text counts as English: its language is English or unknown."""
    return language_code(language) in ("en", "unknown")


def english_rows(languages: Sequence[str]) -> list[int]:
    """Return the rows whose language is English or unknown.

    Return an empty list if they are less than 95 % of the rows. Otherwise the judges would miss the content of many rows.
    """
    rows = [row for row, language in enumerate(languages) if is_english(language)]
    return rows if len(rows) >= MINIMUM_ENGLISH_SHARE * len(languages) else []


def unknown_rows(languages: Sequence[str]) -> int:
    """Return the number of rows without a declared language."""
    return sum(language_code(language) == "unknown" for language in languages)


SENTENCE_WEIGHT, WORD_WEIGHT, BASE = 0.39, 11.8, -15.59
ENGLISH_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++(?:\s|$)")  # without backtracking: a text may have a million dots
VOWELS = re.compile(r"[aeiouy]+")
# Adjacent vowels that form two syllables (rad-i-o), and a syllable without a vowel letter (pris-m).
HIATUS = re.compile(
    "|".join(
        (
            r"(?<![cstgln])io", r"^lio", r"(?<![cstl])ia", r"lia$", r"[rcv]iety", r"[qd]uiet", r"diet", r"^scien", r"client",
            r"[rd]ien[ct]", r"[^gq]ua[lr]", r"uit[yi]", r"[dhnr]eo(?!u)", r"[dr]ea$", r"ya", r"iu", r"ying", r"(?:s|th)ms?$",
        )
    )
)  # fmt: skip
# A final e is silent, and so is the e inside a few compounds (some-thing). It is not silent after the sounds of SOUNDED
# (ta-ble, hous-es, end-ed).
SILENT = re.compile(r"[^aeiouy](?:e|es|ed)$")
SOUNDED = re.compile(r"[^aeiouylr][lr]es?$|[td]ed$|(?:[szxcg]|[cs]h)es$")
SILENT_INSIDE = re.compile(r"^(?:some|there|where)(?=[^aeious])|^every|^evening$")


def reading_grade(texts: Sequence[str]) -> RowMetric:
    """Return the grade of all texts together; NaN without words."""
    counts = np.asarray([_counts(text) for text in texts], np.float64).reshape(-1, 3)

    def statistic(weights: Numbers) -> Numbers:
        return flesch_kincaid_grade(*(weights @ counts).T)

    return RowMetric(statistic)


def flesch_kincaid_grade(words: Numbers, sentences: Numbers, syllables: Numbers) -> Numbers:
    """Return the grade for counts of words, sentences and syllables (arrays of one shape)."""
    return SENTENCE_WEIGHT * divide(words, sentences) + WORD_WEIGHT * divide(syllables, words) + BASE


def _counts(text: str) -> tuple[int, int, int]:
    """Return the number of words, sentences and syllables. An unfinished last sentence counts as a sentence."""
    words = ENGLISH_WORD.findall(text)
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    rest = ENGLISH_WORD.search(text, ends[-1] if ends else 0)
    return len(words), len(ends) + bool(rest), sum(map(syllables, words))


@lru_cache(1 << 16)
def syllables(word: str) -> int:
    """Return the number of syllables of an English word: the larger of two counts.

    - Hyphenation points lie between syllables, but not between all (`o-ver`).
    - Vowel groups are syllables, but two adjacent vowels can be two syllables (`po-em`).

    Both counts can be too low and are hardly ever too high.
    """
    lowered = word.lower().replace("’", "'").removesuffix("'s")
    return max(1, len(_hyphens().positions(lowered)) + 1, _vowel_groups(lowered))


def _vowel_groups(word: str) -> int:
    letters = word.replace("'", "")
    groups = len(VOWELS.findall(letters)) + len(HIATUS.findall(letters))
    silent = bool(SILENT.search(letters) and not SOUNDED.search(letters)) + bool(SILENT_INSIDE.search(letters))
    return groups - silent


@lru_cache(1)
def _hyphens() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")


def mean_sentiment(texts: Sequence[str]) -> RowMetric:
    """Return the mean compound score, in [−1, 1]."""
    judge = SentimentIntensityAnalyzer()
    return mean([float(judge.polarity_scores(text)["compound"]) for text in texts])


def toxic_share(texts: Sequence[str], threshold: float, ignores: Sequence[str]) -> RowMetric:
    """Return the share of texts with a severe word, or with an abusive window of 8 words.

    Args:
        threshold: minimum probability of abuse of a window, in [0, 1].
        ignores: words that are hidden from the classifier.
    """
    judges = ToxicityJudge(threshold, ignores), WordJudge(at_least(read_list(LIST_FOLDER / "english.txt"), "severe"))
    return share([any(judge.find(Passage(text), "completion") for judge in judges) for text in texts])
