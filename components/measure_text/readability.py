"""Flesch–Kincaid grade: the US school grade needed to read a text (Kincaid et al. 1975)."""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyphen

from components.measure_text.interval import Numbers
from components.measure_text.measure import Measure, divided

A_SENTENCE, A_WORD, BASE = 0.39, 11.8, -15.59
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
END = re.compile(r"[.!?…]+(?:\s|$)")
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


def reading_grade(texts: Sequence[str]) -> Measure:
    """Return the grade of all texts together; NaN without words."""
    counts = np.asarray([_counts(text) for text in texts], np.float64).reshape(-1, 3)

    def statistic(weights: Numbers) -> Numbers:
        return grade(*(weights @ counts).T)

    return Measure(statistic)


def grade(words: Numbers, sentences: Numbers, syllables: Numbers) -> Numbers:
    """Return the grade for counts of words, sentences and syllables (arrays of one shape)."""
    return A_SENTENCE * divided(words, sentences) + A_WORD * divided(syllables, words) + BASE


def _counts(text: str) -> tuple[int, int, int]:
    """Return the number of words, sentences and syllables. An unfinished last sentence counts as a sentence."""
    words = WORD.findall(text)
    ends = [match.end() for match in END.finditer(text)]
    rest = WORD.search(text, ends[-1] if ends else 0)
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
