"""The comparison of two runs or versions as data: settings, data, metrics, gates and samples. Terminal and web page only print it.

All values come from summaries, manifests and cards. Nothing is measured here. So no statement is paired: it says less than the comparison
with the champion, which measures both models on the same documents.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from robo_poet.judges.estimate import finite
from robo_poet.judges.metrics import (
    LSA,
    better,
    interval_text,
    metric_name,
    metric_text,
    no_interval_text,
    ordered,
    scale_of,
    signed_text,
)
from robo_poet.report.gate_rows import GateRow, gate_name, gate_row
from robo_poet.report.lineage_rows import SHOWN_DIGITS, changes_text, setting_values, value_text
from robo_poet.report.measured import COUNTS, Measured

NOT_COMPARED = {
    "tokenizer": "other tokenizer",
    "corpus": "other corpus",
    "semantics": "other method",
    "champion": "own champion",
    "unknown": "unknown unit",
}  # scale → why there is no difference
OVERLAP = "intervals overlap"
MEASURING = ("seed", "evaluate", "text", "audit", "slices")  # sections that decide how a model is measured, not how it is trained
COUNT_NAMES = {name: name.replace("_", " ") for name in COUNTS} | {"megabytes": "megabytes of text"}

DIGEST_NAMES = {"corpus": "digest of the corpus", "scrubbed": "digest without personal data", "tokenizer": "digest of the tokenizer"}
Row = tuple[str, str, str]


@dataclass(frozen=True)
class MetricRow:
    """A metric of both sides.

    Attributes:
        values, intervals: as text; an interval is empty, or says why there is none.
        difference: B − A as text with unit; empty if both values are not on one scale.
        note: why there is no difference; or `A` or `B`, the side that is better beyond both intervals; or that the intervals overlap.
    """

    metric: str
    name: str
    values: tuple[str, str]
    intervals: tuple[str, str]
    difference: str
    note: str


@dataclass(frozen=True)
class GatePair:
    """A gate of both sides; a side that lacks the gate has None."""

    name: str
    rows: tuple[GateRow | None, GateRow | None]


@dataclass(frozen=True)
class SamplePair:
    """A sample of each side; a side that has no further sample has None. `same_prompt`: both continue the same text."""

    samples: tuple[Mapping[str, str] | None, Mapping[str, str] | None]
    same_prompt: bool


@dataclass(frozen=True)
class Comparison:
    """Two runs or versions side by side, A and B.

    Attributes:
        names: the ids of the runs, or `model/number`.
        notes: what limits the comparison, such as different texts.
        facts, data, settings: rows (what, A, B) as text. `settings` has only the settings that differ.
        equal_settings: number of settings that are equal.
    """

    names: tuple[str, str]
    notes: tuple[str, ...]
    facts: tuple[Row, ...]
    settings: tuple[Row, ...]
    equal_settings: int
    data: tuple[Row, ...]
    metrics: tuple[MetricRow, ...]
    gates: tuple[GatePair, ...]
    samples: tuple[SamplePair, ...]


def compare(a: Measured, b: Measured) -> Comparison:
    """Return the comparison of two runs or versions."""
    settings, equal = _settings(a, b)
    return Comparison(
        names=(a.name, b.name),
        notes=tuple(_notes(a, b)),
        facts=tuple(_facts(a, b)),
        settings=settings,
        equal_settings=equal,
        data=tuple(_data(a, b)),
        metrics=tuple(_metric(name, a, b) for name, _ in ordered({**a.metrics, **b.metrics})),
        gates=_gates(a, b),
        samples=_samples(a.samples, b.samples),
    )


def equal_settings_text(comparison: Comparison) -> str:
    """Return how many settings are equal, as a text."""
    count = comparison.equal_settings
    if not count and not comparison.settings:
        return "the settings are not known"
    return f"{count} setting{'s are' if count != 1 else ' is'} equal"


def same(a: Measured, b: Measured, digest: str) -> bool | None:
    """Return whether both sides have the same corpus, scrubbed corpus or tokenizer; None if a digest is missing."""
    digests = a.digests.get(digest), b.digests.get(digest)
    return digests[0] == digests[1] if all(digests) else None


def _notes(a: Measured, b: Measured) -> list[str]:
    """Return what a reader must know before the figures."""
    notes = []
    one_corpus = same(a, b, "corpus")
    if one_corpus is None:
        notes.append("It is not known whether both were measured on the same texts: a digest of the corpus is missing.")
    elif not one_corpus:
        notes.append(
            "Measured on different texts: the digests of the corpora differ. A difference comes from the texts and from the models."
        )
    elif same(a, b, "scrubbed") is False:
        notes.append("The corpus is the same, but personal data was removed from it in different ways, so the held-out texts differ.")
    if same(a, b, "tokenizer") is False:
        notes.append("The tokenizers differ, so values per token, such as perplexity, have different units. Compare bits per byte.")
    if _other_semantics(a, b):
        notes.append(
            f"Semantic similarity is not comparable: it was measured by {a.semantic_method} for A and by {b.semantic_method} for B."
        )
    differing = [name for name in MEASURING if a.settings and b.settings and a.settings.get(name) != b.settings.get(name)]
    if differing:
        notes.append(f"They were not measured in the same way. These settings differ: {', '.join(differing)}.")
    return notes + [text for new, old, letter in ((a, b, "A"), (b, a, "B")) if (text := _paired(new, old, letter))]


def _other_semantics(a: Measured, b: Measured) -> bool:
    return bool(a.semantic_method and b.semantic_method and a.semantic_method != b.semantic_method)


def _paired(new: Measured, old: Measured, letter: str) -> str:
    """Return the comparison that was measured when `new` was trained and `old` was the champion; empty if there is none."""
    champion = new.champion.get("champion") or {}
    if new.champion.get("state") != "measured" or (new.model, champion.get("version")) != (old.model, old.version):
        return ""
    difference = new.champion["bits_per_byte"]["difference"]
    interval = interval_text("bits_per_byte", (difference["low"], difference["high"]), signed_text)
    limits = f" (95 % interval {interval})" if interval else ""
    value = signed_text("bits_per_byte", difference["value"])
    other = "B" if letter == "A" else "A"
    return (
        f"When {letter} was trained, both were measured on the same documents: {value} bits per byte against {other}{limits}; "
        f"{new.champion['reason']}."
    )


def _facts(a: Measured, b: Measured) -> list[Row]:
    def changed(side: Measured) -> str:
        return "not known" if side.changed is None else changes_text(side.changed) or "none"

    texts: list[tuple[str, Callable[[Measured], str]]] = [
        ("model", lambda side: side.model),
        ("version", lambda side: str(side.version or "")),
        ("stage", lambda side: side.stage),
        ("status", lambda side: side.status),
        ("date (UTC)", lambda side: side.date[:16].replace("T", " ")),
        ("profile", lambda side: side.profile or "not known"),
        ("changed settings", changed),
        ("verdict", lambda side: side.judgement),
        ("reason", lambda side: side.reason),
    ]
    return _rows(texts, a, b)


def _rows(texts: Iterable[tuple[str, Callable[[Measured], str]]], a: Measured, b: Measured) -> list[Row]:
    """Return (what, A, B) of each text; a row without any text is left out."""
    rows = [(what, text(a), text(b)) for what, text in texts]
    return [row for row in rows if row[1] or row[2]]


def _settings(a: Measured, b: Measured) -> tuple[tuple[Row, ...], int]:
    """Return the settings that differ, and the number of those that do not."""
    own, other = setting_values(a.settings), setting_values(b.settings)
    keys = list(dict.fromkeys([*own, *other]))
    differing = [key for key in keys if key not in own or key not in other or own[key] != other[key]]
    rows = tuple((key, *_texts(key, own, other)) for key in differing)
    return rows, len(keys) - len(differing)


def _texts(key: str, own: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, str]:
    return value_text(own[key]) if key in own else "", value_text(other[key]) if key in other else ""


def _data(a: Measured, b: Measured) -> list[Row]:
    def count(key: str) -> tuple[str, Callable[[Measured], str]]:
        return COUNT_NAMES[key], lambda side: _count(side.counts.get(key))

    def digest(key: str) -> tuple[str, Callable[[Measured], str]]:
        return DIGEST_NAMES[key], lambda side: side.digests.get(key, "")[:SHOWN_DIGITS]

    return _rows([("corpus", lambda side: side.corpus), *map(count, COUNTS), *map(digest, DIGEST_NAMES)], a, b)


def _count(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _metric(name: str, a: Measured, b: Measured) -> MetricRow:
    def interval(side: Measured) -> str:
        return interval_text(name, side.intervals.get(name)) or no_interval_text(side.shortages.get(name))

    values = finite(a.metrics.get(name)), finite(b.metrics.get(name))
    difference = note = ""
    if values[0] is not None and values[1] is not None:
        note = _why_not_compared(name, a, b)
        if not note:
            difference = _difference_text(name, values[1] - values[0])
            note = _better_side(name, a, b)
    texts = tuple(metric_text(name, side.metrics[name]) if name in side.metrics else "" for side in (a, b))
    return MetricRow(name, metric_name(name), (texts[0], texts[1]), (interval(a), interval(b)), difference, note)


def _difference_text(name: str, difference: float) -> str:
    """Return a difference with its unit. The unit of a difference of two shares is points, because "%" could mean a ratio."""
    text = signed_text(name, difference)
    return f"{text.removesuffix('%')} points" if text.endswith("%") else text


def _why_not_compared(name: str, a: Measured, b: Measured) -> str:
    """Return why the values of both sides have no difference; empty if they have one."""
    scale = scale_of(name)
    if scale == "semantics":
        if _other_semantics(a, b):
            return NOT_COMPARED[scale]
        if not (a.semantic_method and b.semantic_method):
            return "method not known"
        scale = "corpus" if a.semantic_method == LSA else ""  # sentence embeddings are the same for every corpus
    shared = same(a, b, scale) if scale in ("tokenizer", "corpus") else False
    if not scale or shared:
        return ""
    return f"{scale} not known" if shared is None else NOT_COMPARED[scale]


def _better_side(name: str, a: Measured, b: Measured) -> str:
    """Return `A` or `B` if one side is better beyond both intervals. On different texts, no side is better."""
    direction, own, other = better(name), _limits(a.intervals.get(name)), _limits(b.intervals.get(name))
    if direction is None or own is None or other is None or not (same(a, b, "corpus") and same(a, b, "scrubbed")):
        return ""
    if own[0] <= other[1] and other[0] <= own[1]:
        return OVERLAP
    return "A" if (own[1] < other[0]) == (direction == "lower") else "B"


def _limits(limits: Any) -> tuple[float, float] | None:
    low, high = (finite(limit) for limit in limits or (None, None))
    return None if low is None or high is None else (low, high)


def _gates(a: Measured, b: Measured) -> tuple[GatePair, ...]:
    def by_key(side: Measured) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        return {(str(gate["metric"]), str(gate.get("slice", "")), str(gate.get("against", ""))): gate for gate in side.gates}

    sides = by_key(a), by_key(b)
    return tuple(
        GatePair(gate_name(*key), (_row(sides[0].get(key)), _row(sides[1].get(key)))) for key in dict.fromkeys([*sides[0], *sides[1]])
    )


def _row(gate: Mapping[str, Any] | None) -> GateRow | None:
    return gate_row(gate) if gate else None


def _samples(a: Sequence[Mapping[str, str]], b: Sequence[Mapping[str, str]]) -> tuple[SamplePair, ...]:
    """Return the samples side by side: first those with the same prompt, then the others in their order."""
    by_prompt = {sample["prompt"]: sample for sample in b}
    pairs = [SamplePair((sample, by_prompt[sample["prompt"]]), same_prompt=True) for sample in a if sample["prompt"] in by_prompt]
    shared = {sample["prompt"] for sample in a} & set(by_prompt)
    rest = [[sample for sample in side if sample["prompt"] not in shared] for side in (a, b)]
    for number in range(max(map(len, rest))):
        own, other = (side[number] if number < len(side) else None for side in rest)
        pairs.append(SamplePair((own, other), same_prompt=False))
    return tuple(pairs)
