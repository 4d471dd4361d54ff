"""Coherence within a sentence: the share of sentences with a well-formed dependency parse (EVAL-3).

A parser makes a tree of anything. So a sentence is well-formed only if the tree is one that English sentences have:

- its root is a verb that has a subject, or is a command, and has no second subject;
- each preposition has its object, each article stands before its noun;
- nothing hangs in the tree that the parser had no name for.

People break these rules, too: their share stands beside the model's. Of held-out text of the bundled corpora two thirds (plays) and four
fifths (speeches) of the sentences are well-formed, of the same words shuffled within each text a third.
"""

import re
from collections.abc import Sequence
from typing import Any

from components.measure_text.measure import Measure, ratio

SUBJECTS = {"nsubj", "nsubjpass", "csubj", "csubjpass"}
THERE = "expl"  # `there` in `there is`: a subject beside the subject
VERBS = {"VERB", "AUX"}
NOMINAL = {"NOUN", "PROPN", "PRON", "ADJ", "NUM", "VERB"}  # what an article may belong to: `the singing`, `the good`
ENDS, QUOTES = tuple(".!?…"), "\"'”’)] "
SHORTEST = 3  # words of a sentence that is judged: `Ay, my lord.` is none, and no fault
BATCH = 64
DIRECTION = re.compile(r"\[[^\]\n]*\]?")


def well_formed_sentences(parser: Any, prompts: Sequence[str], texts: Sequence[str]) -> Measure:
    """Share of well-formed sentences among those that end in the texts.

    A text begins in the middle of a sentence, so each is parsed behind its prompt; a last sentence that was cut off is judged only
    where there is no other.
    """
    good, judged = [], []
    befores = [plain(prompt) for prompt in prompts]
    whole = (plain(prompt + text) for prompt, text in zip(prompts, texts, strict=True))
    with parser.memory_zone():
        for before, document in zip(befores, parser.pipe(whole, batch_size=BATCH), strict=True):
            sentences = _judged(document, len(before))
            good.append(sum(map(is_well_formed, sentences)))
            judged.append(len(sentences))
    return ratio(good, judged, "share")


def plain(text: str) -> str:
    """A text in one line: verse breaks lines anywhere. Names of speakers (lines in capitals) and stage directions are no sentences."""
    lines = DIRECTION.sub("", text).split("\n")
    return " ".join(" ".join(line for line in lines if any(map(str.islower, line))).split())


def is_well_formed(sentence: Any) -> bool:
    """Whether a spaCy span is one well-formed sentence."""
    root = sentence.root
    subjects = sum(child.dep_ in SUBJECTS for child in root.children)
    has_subject = subjects == 1 or (subjects == 0 and (root.tag_ == "VB" or any(child.dep_ == THERE for child in root.children)))
    return root.pos_ in VERBS and has_subject and all(map(_in_its_place, sentence))


def _in_its_place(token: Any) -> bool:
    if token.dep_ == "prep":
        return any(True for _ in token.children)
    if token.dep_ == "det":
        return bool(token.head.i > token.i and token.head.pos_ in NOMINAL)
    return bool(token.dep_ != "dep")


def _judged(document: Any, start: int) -> list[Any]:
    """Sentences of at least 3 words that end behind character `start`."""
    found = [sentence for sentence in document.sents if sentence.end_char > start]
    finished = [sentence for sentence in found if sentence.text.rstrip(QUOTES).endswith(ENDS)]
    return [sentence for sentence in finished or found if sum(token.is_alpha for token in sentence) >= SHORTEST]
