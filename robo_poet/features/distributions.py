"""The distributions of features over documents (DATA-1).

All numbers are exact counts of integers in fixed bins. So parts of a corpus can be counted separately and added, and two corpora have the
same bins.
"""

import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from robo_poet.errors import BadInput
from robo_poet.features.features import FEATURES

MISSING = "(none)"  # bin of the documents without a value
OTHER = "(other)"  # category of the values after the first 10,000 of a feature
MOST_CATEGORIES = 10_000
STORED_CATEGORIES = 100  # the most frequent ones; the others are summed
Columns = dict[str, list[Any]]  # feature → one value for each document of a batch, None if it has none
Bins = dict[str, dict[str, int]]  # feature → bin → documents. A bin of numbers is named by its lower edge


class Distributions:
    """Counts of documents by feature and bin, and a few documents of each bin as examples.

    Args:
        names: the features to count.
        examples: number of documents that are remembered for each bin.
    """

    def __init__(self, names: Collection[str] = tuple(FEATURES), examples: int = 0) -> None:
        self.features = [feature for name, feature in FEATURES.items() if name in names]
        self.documents = 0
        self._counts: dict[str, Counter[Any]] = {feature.name: Counter() for feature in self.features}
        self._examples: dict[str, dict[Any, list[str]]] = {feature.name: {} for feature in self.features}
        self.most_examples = examples

    def add(self, ids: Sequence[str], columns: Columns) -> None:
        """Count a batch of documents. A document without a value of a feature is in no bin of it."""
        self.documents += len(ids)
        for feature in self.features:
            counts, values = self._counts[feature.name], columns[feature.name]
            keys = feature.bins(values) if feature.edges else [_category(counts, value) for value in values]
            if self.most_examples:
                examples = self._examples[feature.name]
                for key in dict.fromkeys(keys):
                    if len(kept := examples.setdefault(key, [])) < self.most_examples:
                        rows = (row for row, other in enumerate(keys) if other == key)
                        kept += [ids[row] for row in itertools.islice(rows, self.most_examples - len(kept))]
            counts.update(key for key in keys if key is not None)

    def bins(self) -> Bins:
        """Return the counts. Bins of numbers are in ascending order; of categories, only the most frequent ones are listed."""
        result = {}
        for feature in self.features:
            counts = self._counts[feature.name]
            if feature.edges:
                result[feature.name] = {f"{feature.edges[number]:.8g}": counts[number] for number in sorted(counts)}
                continue
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            listed = dict(ranked[:STORED_CATEGORIES])
            if rest := sum(count for _, count in ranked[STORED_CATEGORIES:]):
                listed[OTHER] = listed.get(OTHER, 0) + rest
            result[feature.name] = listed
        return result

    def examples(self, name: str, bin_: str) -> list[str]:
        """Return ids of documents in a bin, or without a value (`MISSING`)."""
        edges = [f"{edge:.8g}" for edge in FEATURES[name].edges]
        return self._examples[name].get(None if bin_ == MISSING else edges.index(bin_) if edges else bin_, [])


def _category(counts: Counter[Any], value: str | None) -> str | None:
    """Return the category of a value. A value that reads like one of our own categories is put in quotes."""
    if value in (MISSING, OTHER):
        value = f'"{value}"'
    return value if value is None or value in counts or len(counts) < MOST_CATEGORIES else OTHER


@dataclass(frozen=True)
class FeatureCounts:
    """The distributions of documents, without the documents.

    Args:
        documents: their number.
        bins: feature → bin → documents.
    """

    documents: int
    bins: Bins

    def counts(self, name: str) -> dict[str, int]:
        """Return bin → documents of a feature, with the documents without a value as the last bin."""
        counts = dict(self.bins.get(name, {}))
        missing = self.documents - sum(counts.values())
        return counts | {MISSING: missing} if missing else counts

    def shares(self, name: str) -> dict[str, float]:
        """Return bin → share of the documents."""
        return {key: count / self.documents for key, count in self.counts(name).items()}


def parse_distributions(statistics: Mapping[str, Any], where: str) -> FeatureCounts:
    """Return the distributions in a JSON object with `documents` and `distributions`.

    Raises:
        BadInput: they are not counts of the bins of this release.
    """
    documents, bins = statistics.get("documents"), statistics.get("distributions")
    if not (is_count(documents) and documents and isinstance(bins, dict) and all(_valid(name, bins[name], documents) for name in bins)):
        raise BadInput("the distributions are damaged", where=where, remedy="compare with another version or snapshot")
    known: Bins = {name: counts for name, counts in bins.items() if name in FEATURES}
    return FeatureCounts(documents, known)


def _valid(name: Any, counts: Any, documents: int) -> bool:
    if name not in FEATURES or not isinstance(counts, dict):
        return False
    edges = {f"{edge:.8g}" for edge in FEATURES[name].edges}
    numbers = list(counts.values())
    return all(is_count(number) for number in numbers) and sum(numbers) <= documents and (not edges or counts.keys() <= edges)


def is_count(value: Any) -> TypeGuard[int]:
    """Return True for a whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
