"""The baseline of the drift: the distributions of the corpus that the champion was trained on.

The champion is the version in service, so its corpus is the last one that was accepted by the gates and by the operator. Each run compares
with the same version until another one is promoted. A baseline of the newest candidate would follow a slow drift and hide it.
"""

from dataclasses import dataclass
from typing import Any

from robo_poet.errors import BadInput, parse_object
from robo_poet.features.distributions import FeatureCounts, parse_distributions
from robo_poet.features.features import VERSION
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version

STATISTICS = "statistics.json"  # name of this step's output in a version


@dataclass(frozen=True)
class Baseline:
    """A version and the distributions of its corpus.

    Args:
        version: its number.
        digest: of its manifest.
    """

    version: int
    digest: str
    corpus: FeatureCounts


class NoBaseline(BadInput):
    """The champion exists, but its corpus cannot be compared. A run can go on without the comparison."""


def find_baseline(registry: str, model: str, champion: str) -> Baseline | None:
    """Return the baseline, None if there is no champion.

    Args:
        registry: folder of the registry, or gs://bucket/prefix; empty for none.
        model: name of the model.
        champion: digest of the champion's manifest; `none` for no champion; '' to ask the registry now.

    Raises:
        NoBaseline: an earlier release registered the champion, or the registry has no such version.
        Corrupt: the log, the manifest or the statistics were changed after the registration.
        BadInput: the statistics have another form than that of this step.
    """
    if not registry:
        return None
    try:
        version = Registry(registry, model).pinned_champion(champion)
        if version is None:
            return None
        statistics = _statistics(version)
    except BadInput as error:
        if type(error) is not BadInput:
            raise  # Corrupt: the operator can restore the registry
        raise NoBaseline(error.what, where=error.where, remedy=error.remedy) from None
    if statistics.get("features") != VERSION:
        known = "no distributions" if "features" not in statistics else f"distributions of another form ({statistics['features']})"
        remedy = "promote a version that this release trained; until then there is no comparison"
        raise NoBaseline(f"the champion's corpus has {known}", where=version.name, remedy=remedy)
    return Baseline(version.number, version.digest, parse_distributions(statistics, f"{version.name}: {STATISTICS}"))


def _statistics(version: Version) -> dict[str, Any]:
    return parse_object(version.read(STATISTICS).decode("utf-8", "replace"), where=f"{version.name}: {STATISTICS}")
