"""Distances of each feature's distribution from another one, measured by TFDV (DATA-1).

- drift: of a corpus from the corpus of the champion;
- skew: of prompts that readers sent from passages of the corpus.

Numbers are compared by the Jensen-Shannon divergence (base 2), categories by the L-infinity distance: the largest difference of a share.
Both are in [0, 1]. A missing value is a bin of its own.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

from components.validate_data.schema import tfdv
from robo_poet.features.distributions import MISSING, FeatureCounts
from robo_poet.features.features import FEATURES, Feature
from robo_poet.features.prompt_snapshot import PROMPT_FEATURES
from robo_poet.settings.data import Outside, ValidateSettings

CHANCE = 0.001  # probability that two samples of one distribution are farther apart than `Distance.chance`, for each feature


Kind = Literal["drift", "skew"]
_COMPARED = {"drift": ("of the documents", "before in"), "skew": ("of the prompts", "in the corpus")}


@dataclass(frozen=True)
class Distance:
    """The distance of one feature.

    Args:
        kind: `drift` or `skew`.
        value: the distance, in [0, 1].
        threshold: of the profile or of the schema.
        chance: a distance that two samples of the same documents exceed once in 1,000 times, because they are finite.
        bin: the bin or category whose share grew most.
        share, baseline_share: its share of the documents and in the baseline; for a skew, of the prompts and of the passages.
        verdict: `few` if the distance is above the threshold, but chance explains it; `ignored` if the profile ignores it.
    """

    kind: Kind
    feature: str
    measure: Literal["jensen_shannon", "l_infinity"]
    value: float
    threshold: float
    chance: float
    bin: str
    share: float
    baseline_share: float
    verdict: Literal["ok", "few", "ignored", "warn", "fail"]

    def __str__(self) -> str:
        feature = FEATURES[self.feature]
        these, those = _COMPARED[self.kind]
        name = "Jensen-Shannon divergence" if self.measure == "jensen_shannon" else "largest difference of a share"
        return (
            f"{feature.label}: {name} {self.value:.3g}, at most {max(self.threshold, self.chance):.3g}; "
            f"{bin_text(feature, self.bin)} in {self.share:.1%} {these}, {those} {self.baseline_share:.1%}"
        )


def bin_text(feature: Feature, key: str) -> str:
    """Return the range of a bin, or the category, in words."""
    if key == MISSING:
        return "no value"
    if not feature.edges:
        return key
    number = [f"{edge:.8g}" for edge in feature.edges].index(key)
    share = feature.unit.startswith("share of ")
    unit = f" {feature.unit.replace('share of', '% of')}" if feature.unit else ""
    edges = [100 * edge for edge in feature.edges] if share else feature.edges
    if number + 1 == len(feature.edges):
        return f"{_figure(edges[number])}{unit} or more"
    low, high = edges[number], edges[number + 1]
    if feature.kind == "integer":
        return f"{_figure(low)}{unit}" if high - low <= 1 else f"{_figure(low)} to {_figure(high - 1)}{unit}"
    return f"{_figure(low)} to {_figure(high)}{unit}"


def _figure(value: float) -> str:
    return f"{value:,.8g}" if value >= 10_000 else f"{value:.8g}"


@dataclass(frozen=True)
class Limits:
    """What a profile allows.

    Args:
        number, category: largest distance of a number and of a category, unless the schema has another one for the feature.
        outside: what happens beyond it.
    """

    number: float
    category: float
    outside: Outside


def drift(corpus: FeatureCounts, baseline: FeatureCounts, schema: Any, settings: ValidateSettings) -> list[Distance]:
    """Return the drift of each feature, except of the split, which robo-poet draws itself. Features that both corpora lack are left out."""
    limits = Limits(settings.max_drift, settings.max_category_drift, settings.on_drift)
    return _compare("drift", [name for name in FEATURES if name != "split"], corpus, baseline, schema, limits)


def skew(prompts: FeatureCounts, passages: FeatureCounts, schema: Any, settings: ValidateSettings) -> list[Distance]:
    """Return the skew of each feature that a prompt can have: the distance of the prompts from passages of the corpus."""
    limits = Limits(settings.max_prompt_skew, settings.max_prompt_category_skew, settings.on_prompt_skew)
    return _compare("skew", PROMPT_FEATURES, prompts, passages, schema, limits)


def _compare(
    kind: Kind, names: Iterable[str], counted: FeatureCounts, baseline: FeatureCounts, schema: Any, limits: Limits
) -> list[Distance]:
    names = [name for name in names if counted.bins.get(name) or baseline.bins.get(name)]
    values = distances(counted, baseline, names, kind)
    field = f"{kind}_comparator"
    own = {feature.name: getattr(feature, field) for feature in schema.feature if feature.HasField(field)}
    return [_judge(kind, name, values[name], counted, baseline, own.get(name), limits) for name in names]


VERDICTS: dict[Outside, Literal["ignored", "warn", "fail"]] = {"ignore": "ignored", "warn": "warn", "fail": "fail"}


def _judge(
    kind: Kind, name: str, value: float, counted: FeatureCounts, baseline: FeatureCounts, comparator: Any, limits: Limits
) -> Distance:
    numeric = bool(FEATURES[name].edges)
    threshold = limits.number if numeric else limits.category
    measure = "jensen_shannon_divergence" if numeric else "infinity_norm"
    if comparator is not None and comparator.HasField(measure):
        threshold = getattr(comparator, measure).threshold
    shares, before = counted.shares(name), baseline.shares(name)
    keys = sorted(shares.keys() | before.keys())
    grown = max(keys, key=lambda key: shares.get(key, 0.0) - before.get(key, 0.0))
    counts = {key: counted.counts(name).get(key, 0) + baseline.counts(name).get(key, 0) for key in keys}
    chance = (chance_divergence if numeric else chance_difference)(counts, counted.documents, baseline.documents)
    verdict: Literal["ok", "few", "ignored", "warn", "fail"] = "ok"
    if value > threshold:
        verdict = "few" if value <= chance else VERDICTS[limits.outside]
    return Distance(
        kind, name, "jensen_shannon" if numeric else "l_infinity", value, threshold, chance, grown, shares.get(grown, 0.0),
        before.get(grown, 0.0), verdict,
    )  # fmt: skip


def chance_divergence(counts: Mapping[str, int], documents: int, baseline: int) -> float:
    """Return the Jensen-Shannon divergence that chance exceeds once in 1,000 times, at most 1.

    8 ln 2 times the divergence of two samples, divided by 1/n + 1/m, is about chi-squared distributed with bins - 1 degrees of freedom.
    Its quantile is that of Wilson and Hilferty. Documents are taken as independent; those of one work are not, so this is a lower bound.
    """
    freedom = max(1, len(counts) - 1)
    normal = NormalDist().inv_cdf(1 - CHANCE)
    quantile = freedom * (1 - 2 / (9 * freedom) + normal * math.sqrt(2 / (9 * freedom))) ** 3
    return min(1.0, quantile * (1 / documents + 1 / baseline) / (8 * math.log(2)))


def chance_difference(counts: Mapping[str, int], documents: int, baseline: int) -> float:
    """Return the largest difference of a share that chance exceeds once in 1,000 times, over all categories; at most 1."""
    total = sum(counts.values())
    normal = NormalDist().inv_cdf(1 - CHANCE / 2 / len(counts))
    variance = max(count / total * (1 - count / total) for count in counts.values())
    return min(1.0, normal * math.sqrt(variance * (1 / documents + 1 / baseline)))


def distances(counted: FeatureCounts, baseline: FeatureCounts, names: list[str], kind: Kind = "drift") -> dict[str, float]:
    """Return the distance of each feature between two distributions, as TFDV measures it on their bins."""
    if not names:
        return {}
    from tensorflow_metadata.proto.v0.schema_pb2 import BYTES, FLOAT, Schema

    schema = Schema()
    for name in names:
        feature = schema.feature.add(name=name, type=FLOAT if FEATURES[name].edges else BYTES)
        comparator = getattr(feature, f"{kind}_comparator")
        (comparator.jensen_shannon_divergence if FEATURES[name].edges else comparator.infinity_norm).threshold = 1.0  # only measures
    # TFDV calls the skew that of the training data from the serving data; both measures are symmetric
    other = {"previous_statistics" if kind == "drift" else "serving_statistics": _statistics(baseline, names)}
    result = tfdv().validate_statistics(_statistics(counted, names), schema, **other)
    return {info.path.step[0]: float(getattr(info, f"{kind}_measurements")[0].value) for info in result.drift_skew_info}


def _statistics(corpus: FeatureCounts, names: list[str]) -> Any:
    """Return the bins of a corpus as TFDV's statistics. A bin of numbers is the interval from its position to the next one."""
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList, FeatureNameStatistics, Histogram

    result = DatasetFeatureStatisticsList()
    dataset = result.datasets.add(num_examples=corpus.documents)
    for name in names:
        counts, edges = corpus.counts(name), [f"{edge:.8g}" for edge in FEATURES[name].edges]
        statistics = dataset.features.add(type=FeatureNameStatistics.FLOAT if edges else FeatureNameStatistics.STRING)
        statistics.path.step.append(name)
        common = (statistics.num_stats if edges else statistics.string_stats).common_stats
        common.num_non_missing, common.tot_num_values = corpus.documents, corpus.documents
        common.min_num_values = common.max_num_values = 1
        if edges:
            histogram = statistics.num_stats.histograms.add(type=Histogram.STANDARD)
            for number, key in enumerate([*edges, MISSING]):
                histogram.buckets.add(low_value=number, high_value=number + 1, sample_count=counts.get(key, 0))
            statistics.num_stats.min, statistics.num_stats.max = 0, len(edges) + 1
        else:
            for rank, (key, count) in enumerate(counts.items()):
                statistics.string_stats.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, label=key, sample_count=count)
            statistics.string_stats.unique = len(counts)
    return result
