"""A Prometheus collector for running totals that another part of the program keeps."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class CountsCollector(Collector):
    """A collector that exports `<name>_total{outcome=…}` for each entry of `counts()`.

    `counts` is called at each scrape. Its keys come from a fixed set.
    """

    def __init__(self, name: str, help: str, counts: Callable[[], Mapping[str, int]]) -> None:
        self._name, self._help, self._counts = name, help, counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._help, labels=["outcome"])
        for outcome, count in sorted(self._counts().items()):
            family.add_metric([outcome], count)
        yield family
