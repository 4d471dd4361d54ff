"""All text metrics of a table of continuations, for the model, the human references and the champion (EVAL-2, EVAL-3)."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.measure_text.bleu import bleu, human_bleu
from components.measure_text.coherence import Semantics, SemanticSpace, Topics, semantic_metrics, topic_metrics, unrelated_rows
from components.measure_text.diversity import distinct, entropy, repetition, self_bleu
from components.measure_text.english_metrics import (
    MINIMUM_ENGLISH_SHARE,
    english_rows,
    is_english,
    mean_sentiment,
    reading_grade,
    toxic_share,
    unknown_rows,
)
from components.measure_text.memorisation import copy_metrics
from components.measure_text.metric import RowMetric, expand_to_rows, ratio, share
from components.measure_text.personal_data import RemovedData, find_personal_data
from components.measure_text.sentence_embedding import load_sentence_encoder, model_archive
from components.measure_text.sentences import load_parser, well_formed_sentences
from components.measure_text.texts import Side, non_overlapping_rows, sides
from components.measure_text.training_text import sample_passages
from robo_poet.evaluation.completions import Continuation
from robo_poet.evaluation.degeneration import is_degenerate
from robo_poet.judges.estimate import Shortage
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.evaluation import MeasureTextSettings


@dataclass
class TextMetrics:
    """A mutable collection of metrics of the model, the human references and the champion.

    Args:
        model, human: name → metric, with the same names; None if it could not be measured.
        champion: metrics of the champion's completions of the same prompts; only some names, empty without a champion.
        difference: model minus champion, with the names of `champion`.
        personal_data: kind → number of findings in the model's texts (`found`) and how many are in the training text (`in_training`).
        private_rows: rows with personal data in the prompt, the completion or the reference; they are never quoted.
        private_champion_rows: rows of the champion with personal data; they are never quoted.
        semantic_method: method of the semantic similarity; None if it was not measured.
        skipped_findings: number of distinct scrubbing findings that were skipped because they do not identify a person.
        missing: metrics that could not be measured, with the reason.
        notes: further remarks for the report.
        shortages: name → what a metric that could not be measured needed and what there was.
    """

    model: dict[str, RowMetric | None] = field(default_factory=dict)
    human: dict[str, RowMetric | None] = field(default_factory=dict)
    champion: dict[str, RowMetric] = field(default_factory=dict)
    difference: dict[str, RowMetric] = field(default_factory=dict)
    personal_data: dict[str, dict[str, int]] = field(default_factory=dict)
    private_rows: frozenset[int] = frozenset()
    private_champion_rows: frozenset[int] = frozenset()
    semantic_method: str | None = None
    skipped_findings: int = 0
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shortages: dict[str, Shortage] = field(default_factory=dict)

    def add(self, model: dict[str, RowMetric], human: dict[str, RowMetric]) -> None:
        """Add metrics of the model and of the human references."""
        self.model |= model
        self.human |= human

    def compare(self, name: str, champion: RowMetric) -> None:
        """Add the champion's value of a metric and the difference from the model. The model's metric must be added first."""
        if own := self.model[name]:
            self.champion[name], self.difference[name] = champion, own.minus(champion)

    def mark_missing(self, names: Sequence[str], why: str) -> None:
        """Set metrics to None and record the reason."""
        self.model |= dict.fromkeys(names)
        self.human |= dict.fromkeys(names)
        self.missing.append(f"{', '.join(names)}: not measured, {why}")


LN2 = math.log(2)
DIVERSITY = ("distinct_1", "distinct_2", "self_bleu", "word_entropy", "fourgram_entropy")
ENGLISH = ("well_formed_sentences", "reading_grade", "toxic_share", "sentiment")
SEMANTIC = ("semantic_similarity", "semantic_similarity_shuffled", "semantic_lift")
TOPIC = ("topic_consistency", "topic_consistency_shuffled", "topic_lift")


def measure_continuations(
    rows: Sequence[Continuation], champion: Sequence[Continuation], training: Iterable[str], removed: RemovedData,
    tokenizer: Tokenizer, settings: MeasureTextSettings, seed: int, report: Callable[[str], Any],
) -> TextMetrics:  # fmt: skip
    """Return all metrics of the model's completions and of the human references.

    Args:
        rows: continuations of the model; at least one.
        champion: continuations of the champion for the same prompts; empty if there is no champion.
        training: documents that the model was trained on; iterated several times.
        removed: personal data that scrubbing removed from these documents.
        report: progress callback, called with the name of each part before it starts.
    """
    collected, (model, human) = TextMetrics(), sides(rows, tokenizer)
    report("BLEU and diversity")
    model_bleu, reference_bleu = bleu(model.texts, human.texts), human_bleu(human.texts, [row.group for row in rows], seed)
    collected.add(
        {"bleu": model_bleu, "bleu_to_people": model_bleu.divided_by(reference_bleu)},
        {"bleu": reference_bleu, "bleu_to_people": reference_bleu.divided_by(reference_bleu)},
    )
    if champion:
        champion_texts = [row.text for row in champion]
        collected.compare("bleu", bleu(champion_texts, human.texts))
        collected.private_champion_rows = _private_rows([row.prompt + row.text for row in champion], removed, settings)
    _add_likelihood(collected, rows)
    _add_diversity(collected, model, human)
    collected.add(_degeneration(model, settings), _degeneration(human, settings))
    report("overlap with the training text")
    _add_copies(collected, *copy_metrics(training, tokenizer, (model, human), settings))
    report("personal data")
    _add_personal_data(collected, rows, (model, human), training, removed, settings)
    report("similarity to the prompt")
    _add_coherence(collected, rows, (model, human), sample_passages(training, seed), settings, seed)
    report("sentences, readability, sentiment, toxicity")
    _add_english(collected, rows, (model, human), settings)
    return collected


def _add_diversity(collected: TextMetrics, model: Side, human: Side) -> None:
    """Add diversity metrics. They are computed on prompts whose references do not overlap.

    Overlapping references contain the same lines, so the human text would seem repetitive.
    """
    chosen, count = non_overlapping_rows(human.texts), len(human.texts)
    if len(chosen) < count:
        collected.notes.append(f"{', '.join(DIVERSITY)}: measured on {len(chosen)} of {count} prompts, whose texts do not overlap")

    def measures(side: Side) -> dict[str, RowMetric]:
        texts = [side.words[row] for row in chosen]
        measured = distinct(texts, 1), distinct(texts, 2), self_bleu(texts), entropy(texts, 1), entropy(texts, 4)
        return {name: expand_to_rows(measure, chosen, count) for name, measure in zip(DIVERSITY, measured, strict=True)}

    own, reference = measures(model), measures(human)
    baseline = reference["distinct_2"]
    collected.add(
        {**own, "distinct_2_to_people": own["distinct_2"].divided_by(baseline)},
        {**reference, "distinct_2_to_people": baseline.divided_by(baseline)},
    )


def _add_likelihood(collected: TextMetrics, rows: Sequence[Continuation]) -> None:
    """Add the likelihood of the completions and their length.

    The model's own samples must be more likely under `score` than human text. If not, `generate` and `score` disagree, or the completions
    are shuffled words.
    """
    bits, sizes = [row.nats / LN2 for row in rows], [float(len(row.text.encode())) for row in rows]
    reference_bits, reference_sizes = [row.reference_nats / LN2 for row in rows], [float(len(row.reference.encode())) for row in rows]
    model_bits, human_bits = ratio(bits, sizes), ratio(reference_bits, reference_sizes)
    collected.add({"completion_bits_per_byte": model_bits}, {"completion_bits_per_byte": human_bits})
    collected.add(
        {"completion_bits_to_people": model_bits.divided_by(human_bits)}, {"completion_bits_to_people": human_bits.divided_by(human_bits)}
    )
    collected.add({"length_to_people": ratio(sizes, reference_sizes)}, {"length_to_people": ratio(reference_sizes, reference_sizes)})


def _degeneration(side: Side, settings: MeasureTextSettings) -> dict[str, RowMetric]:
    degenerate = [
        is_degenerate(
            tokens, words, loop_repeats=settings.loop_repeats, loop_tokens=settings.loop_tokens, repetition_limit=settings.repetition_limit
        )
        for tokens, words in zip(side.tokens, side.words, strict=True)
    ]
    return {
        "repetition_rate": repetition(side.words),
        "degenerate_share": share(degenerate),
        "empty_share": share([not text.strip() for text in side.texts]),
    }


def _add_copies(collected: TextMetrics, own: dict[str, RowMetric], reference: dict[str, RowMetric]) -> None:
    """Add the copy metrics. Held-out human text repeats the formulas of a corpus too, so the model's share is also compared with it."""
    baseline = reference["copied_share"]
    collected.add(
        {**own, "copied_share_above_people": own["copied_share"].minus(baseline)},
        {**reference, "copied_share_above_people": baseline.minus(baseline)},
    )


def _private_rows(texts: Sequence[str], removed: RemovedData, settings: MeasureTextSettings) -> frozenset[int]:
    """Return the rows whose text has personal data."""
    counts = find_personal_data(texts, (), removed, settings.min_score).found
    return frozenset(row for row, count in enumerate(counts) if count)


def _add_personal_data(
    collected: TextMetrics, rows: Sequence[Continuation], both_sides: tuple[Side, Side], training: Iterable[str], removed: RemovedData,
    settings: MeasureTextSettings,
) -> None:  # fmt: skip
    model_data, human_data = (find_personal_data(side.texts, training, removed, settings.min_score) for side in both_sides)
    collected.add(
        *(
            {
                "personal_data_share": share([count > 0 for count in data.found]),
                "known_personal_data_share": share([count > 0 for count in data.known]),
            }
            for data in (model_data, human_data)
        )
    )
    # Scrubbing may miss a name in held-out text that it removed elsewhere, so prompts and references are searched too
    quoted = [row.prompt + row.text for row in rows], [row.prompt + row.reference for row in rows]
    collected.private_rows = frozenset().union(*(_private_rows(texts, removed, settings) for texts in quoted))
    collected.skipped_findings = removed.skipped
    collected.personal_data = {
        kind: {"found": count, "in_training": model_data.known_kinds.get(kind, 0)} for kind, count in model_data.kinds.items()
    }


def _add_coherence(
    collected: TextMetrics, rows: Sequence[Continuation], both_sides: tuple[Side, Side], passages: Sequence[str],
    settings: MeasureTextSettings, seed: int,
) -> None:  # fmt: skip
    others = unrelated_rows([row.group for row in rows], settings.shuffles, seed)
    try:
        space = _semantic_space([row.language for row in rows], passages, settings, seed)
    except ValueError:
        collected.mark_missing(SEMANTIC, "the training text is too short")
    else:
        collected.add(*semantic_metrics(space, both_sides, others))
        collected.semantic_method = space.method
    try:
        topics = Topics(passages, settings.topics, seed)
        collected.add(*(topic_metrics(topics, side, others) for side in both_sides))
    except ValueError:
        collected.mark_missing(TOPIC, "the training text is too short")


def _semantic_space(languages: Sequence[str], passages: Sequence[str], settings: MeasureTextSettings, seed: int) -> SemanticSpace:
    """Return the space for texts of these languages. The sentence embeddings are English, with the same limit as the English metrics."""
    return load_sentence_encoder(model_archive()) if english_rows(languages) else Semantics(passages, settings.lsa_dimensions, seed)


def _add_english(
    collected: TextMetrics, rows: Sequence[Continuation], both_sides: tuple[Side, Side], settings: MeasureTextSettings
) -> None:
    languages = [row.language for row in rows]
    chosen = english_rows(languages)
    if not chosen:
        collected.mark_missing(ENGLISH, f"they support English only, and less than {MINIMUM_ENGLISH_SHARE:.0%} of the texts are English")
        english, needed = sum(map(is_english, languages)), math.ceil(MINIMUM_ENGLISH_SHARE * len(languages))
        for name in ENGLISH:  # more text of the same language does not help, so this is not a shortage of the amount
            remedy = f"--set 'gates=[{{metric: {name}, drop: \"the texts are not English\"}}]'"
            collected.shortages[name] = Shortage("English texts", needed, english, "missing", remedy)
        return
    if len(chosen) < len(rows):
        collected.notes.append(f"{', '.join(ENGLISH)}: measured on {len(chosen)} of {len(rows)} texts, the others are not English")
    if unknown_count := unknown_rows(languages):
        collected.notes.append(f"{', '.join(ENGLISH)}: {unknown_count} texts of unknown language count as English")
    parser = load_parser(settings.spacy_model)

    def measures(side: Side) -> dict[str, RowMetric]:
        prompts, texts = [side.prompts[row] for row in chosen], [side.texts[row] for row in chosen]
        measured = (
            well_formed_sentences(parser, prompts, texts), reading_grade(texts),
            toxic_share(texts, settings.toxicity_threshold, settings.toxicity_ignores), mean_sentiment(texts),
        )  # fmt: skip
        return {name: expand_to_rows(measure, chosen, len(rows)) for name, measure in zip(ENGLISH, measured, strict=True)}

    collected.add(*map(measures, both_sides))
