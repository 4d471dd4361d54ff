"""Coherence within a sentence: the share of sentences with a well-formed dependency parse (EVAL-3).

A parser returns a tree for any input. So a sentence counts as well-formed only if its tree follows these rules of English:

- the root is a verb with exactly one subject, or with expletive `there`, or an imperative;
- each preposition has an object, and each determiner precedes its noun;
- no token has the label `dep`, which the parser gives to unknown relations.

Human text also breaks these rules, so the human share is reported next to the model's. In held-out text of the bundled corpora, two thirds
(plays) and four fifths (speeches) of the sentences are well-formed. If the words are shuffled within each text, one third is.
"""

import re
from collections.abc import Sequence
from typing import Any

import spacy

from components.measure_text.metric import RowMetric, ratio
from robo_poet.errors import BadInput

UNUSED_PIPES = ["ner", "lemmatizer"]


def load_parser(model: str) -> Any:
    """Return a spaCy pipeline that finds sentences and their dependencies.

    Raises:
        BadInput: the model is not installed, or it has no parser.
    """
    try:
        loaded = spacy.load(model, exclude=UNUSED_PIPES) if spacy.util.is_package(model) else None  # never a folder: its digest is unknown
    except (OSError, ImportError, AttributeError):  # AttributeError: the name is a package that is not a spaCy model
        loaded = None
    if loaded is None or "parser" not in loaded.pipe_names:
        message = f"spaCy model {model!r} " + ("is not installed" if loaded is None else "has no parser")
        raise BadInput(message, where="text.spacy_model", remedy="install it or set another model")
    return loaded


SUBJECTS = {"nsubj", "nsubjpass", "csubj", "csubjpass"}
EXPLETIVE = "expl"  # expletive `there` in `there is`: it replaces the subject
VERBS = {"VERB", "AUX"}
NOMINAL = {"NOUN", "PROPN", "PRON", "ADJ", "NUM", "VERB"}  # heads that a determiner may have: `the singing`, `the good`
SENTENCE_ENDS, CLOSING_QUOTES = tuple(".!?…"), "\"'”’)] "
MINIMUM_WORDS = 3  # words; shorter sentences, such as `My lord!`, are not judged
BATCH = 64
STAGE_DIRECTION = re.compile(r"\[[^\]\n]*\]?")


def well_formed_sentences(parser: Any, prompts: Sequence[str], texts: Sequence[str]) -> RowMetric:
    """Return the share of well-formed sentences among the sentences that end inside the texts.

    A text may start in the middle of a sentence, so it is parsed together with its prompt. An unfinished last sentence is judged only if
    the text has no other.
    """
    well_formed_counts, sentence_counts = [], []
    plain_prompts = [plain_text(prompt) for prompt in prompts]
    plain_texts = (plain_text(prompt + text) for prompt, text in zip(prompts, texts, strict=True))
    with parser.memory_zone():
        for plain_prompt, document in zip(plain_prompts, parser.pipe(plain_texts, batch_size=BATCH), strict=True):
            sentences = _judged_sentences(document, len(plain_prompt))
            well_formed_counts.append(sum(map(is_well_formed, sentences)))
            sentence_counts.append(len(sentences))
    return ratio(well_formed_counts, sentence_counts, "share")


def plain_text(text: str) -> str:
    """Return the text in one line, without speaker names (lines in capitals) and stage directions.

    Verse breaks lines anywhere, so a line break says nothing about sentences.
    """
    lines = STAGE_DIRECTION.sub("", text).split("\n")
    return " ".join(" ".join(line for line in lines if any(map(str.islower, line))).split())


def is_well_formed(sentence: Any) -> bool:
    """Return True if a spaCy span is a well-formed sentence."""
    root = sentence.root
    subjects = sum(child.dep_ in SUBJECTS for child in root.children)
    has_subject = subjects == 1 or (subjects == 0 and (root.tag_ == "VB" or any(child.dep_ == EXPLETIVE for child in root.children)))
    return root.pos_ in VERBS and has_subject and all(map(_has_valid_relation, sentence))


def _has_valid_relation(token: Any) -> bool:
    if token.dep_ == "prep":
        return any(True for _ in token.children)
    if token.dep_ == "det":
        return bool(token.head.i > token.i and token.head.pos_ in NOMINAL)
    return bool(token.dep_ != "dep")


def _judged_sentences(document: Any, start: int) -> list[Any]:
    """Return the sentences of at least 3 words that end after character `start`: the finished ones, or all if none is finished."""
    sentences = [sentence for sentence in document.sents if sentence.end_char > start]
    finished = [sentence for sentence in sentences if sentence.text.rstrip(CLOSING_QUOTES).endswith(SENTENCE_ENDS)]
    return [sentence for sentence in finished or sentences if sum(token.is_alpha for token in sentence) >= MINIMUM_WORDS]
