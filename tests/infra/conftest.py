"""Fixture: a Prometheus that scrapes exporters of this process, and an Alertmanager that delivers to servers of this process."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.infra.exported import Controller, DriftWatcher, Gateway, ModelServer, Retraining, Sync
from tests.infra.monitored import Received, alertmanager, http_server, prometheus

FACTOR = 1 / 300  # of all durations: a `for` of 1 minute is 200 ms


@dataclass
class Monitored:
    """The addresses of Prometheus and Alertmanager, what its receivers got, and the scraped programs.

    Attributes:
        down: jobs whose programs answer no scrape.
    """

    prometheus: str
    alertmanager: str
    received: Received
    gateway: Gateway
    model_server: ModelServer
    drift: DriftWatcher
    retraining: Retraining
    controller: Controller
    sync: Sync
    down: set[str]


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    programs = {
        "robo-poet-gateway": Gateway(),
        "robo-poet-model-server": ModelServer(),
        "robo-poet-drift": DriftWatcher(),
        "robo-poet-retraining": Retraining(),
        "robo-poet-canary": Controller(),
        "robo-poet-model-sync": Sync(),
    }
    down: set[str] = set()

    def read(job: str) -> bytes:
        if job in down:
            raise ConnectionError
        return programs[job].read()

    with ExitStack() as running:
        ports = {job: running.enter_context(http_server(lambda job=job: read(job))) for job in programs}  # type: ignore[misc]
        manager, received = running.enter_context(alertmanager(tmp_path_factory.mktemp("alertmanager"), FACTOR))
        ports["alertmanager"] = int(manager.rpartition(":")[2])
        server = running.enter_context(prometheus(tmp_path_factory.mktemp("prometheus"), FACTOR, ports))
        yield Monitored(server, manager, received, *programs.values(), down)  # type: ignore[arg-type]
