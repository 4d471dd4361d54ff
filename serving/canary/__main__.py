"""Run the canary controller of one model until SIGTERM: look, move, notify."""

import argparse
import contextlib
import logging
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from robo_poet.errors import BadInput, parse_object, validation_message
from robo_poet.exporter import LookSeries, exporter
from robo_poet.permissions import limit_umask
from robo_poet.registry.log.entry import Corrupt, Entry
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from robo_poet.settings.canary import CanarySettings
from serving.canary.controller import WHO, Controller
from serving.canary.notification import Notifier, channels

log = logging.getLogger("serving.canary")
LARGEST_LOAD = 0.02  # of a CPU core; a look at 100,000 users takes 1.4 s
BAD_INPUT = 2  # exit status for an error that the caller can fix
LOOK, DECISION, REFUSED = "look_timestamp_seconds", "decision_timestamp_seconds", "registry_refused"
GAUGES = {
    LOOK: "Time of the last look without an error; 0 before the first one.",
    DECISION: "Time of the newest move that a controller recorded; 0 if there is none.",
    REFUSED: "1 if the newest look found a registry that differs from what trusted keys signed, else 0.",
}


class ControllerSeries(LookSeries):
    """The metrics of one controller."""

    def __init__(self, model: str) -> None:
        super().__init__("robo_poet_canary", model, GAUGES)

    def looked(self, now: float, entries: Sequence[Entry]) -> None:
        """Record a look without an error.

        Args:
            now: seconds since 1970.
            entries: the log of the registry. It has the newest move, also that of another controller.
        """
        self.gauges[LOOK].set(now)
        self.gauges[REFUSED].set(0)
        moves = (entry.statement.time for entry in reversed(entries) if entry.statement.who == WHO)
        if time := next(moves, ""):
            self.gauges[DECISION].set(datetime.fromisoformat(time).timestamp())


def run(
    controller: Controller, settings: CanarySettings, registry: Registry, folder: Path, stopped: threading.Event,
    series: ControllerSeries | None = None,
) -> None:  # fmt: skip
    """Look every `look_seconds` until `stopped`, less often if a look takes long.

    An error of one look moves nothing; the users keep their versions.

    Args:
        series: metrics that are kept up to date; None: nobody reads them.
    """
    series = series or ControllerSeries(registry.model)
    notifier = Notifier(channels(settings.notify), folder / "canary" / registry.model / "notified.json", settings.notify.link)
    trouble = waits_for = ""
    while not stopped.is_set():
        began = time.process_time()
        try:
            notifier.send(registry.log())  # before the first move too: without its file, it starts after the newest entry
            move, look = controller.act()
            if move:
                log.warning("%s", move)
            reasons = "; ".join(look.verdict.reasons) if look and not look.release.held and look.verdict.action == "hold" else ""
            kind = re.sub(r"[\d.]+", "", reasons)  # the numbers change with each look, and a person is told once
            if look and kind and kind != waits_for:
                log.warning("%s/%d waits for a person: %s", registry.model, look.release.version, reasons)
                notifier.wait_for_person(registry.model, look.release.version, reasons)
            waits_for = kind
            notifier.send(registry.log())
            series.looked(time.time(), registry.log())
            trouble = ""
        except (BadInput, OSError) as error:
            series.errors.inc()
            series.gauges[REFUSED].set(isinstance(error, Corrupt))
            if trouble != str(error):
                trouble = str(error)
                log.error("no decision: %s; the users keep their versions", error)
        stopped.wait(max(settings.look_seconds, (time.process_time() - began) / LARGEST_LOAD))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m serving.canary", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="JSON file with the section `canary` of a profile")
    parser.add_argument("--registry", required=True, help="folder of the registry, or gs://bucket/prefix")
    parser.add_argument("--model", required=True, help="name of the model")
    parser.add_argument("--trusted-key", action="append", default=[], help="one of serve.trusted_keys of the gateways (repeatable)")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the gateway's logs")
    parser.add_argument("--deadline_seconds", type=float, default=30, help="serve.deadline_seconds of the gateways")
    parser.add_argument("--metrics_port", type=int, help="port of the Prometheus metrics; 0 takes a free one (default: no metrics)")
    parser.add_argument("--metrics_host", default="127.0.0.1", help="address of the metrics (default 127.0.0.1)")
    arguments = parser.parse_args(argv)
    limit_umask()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with contextlib.ExitStack() as exporting:
        try:
            section = parse_object(arguments.settings.read_text("utf-8"), where=str(arguments.settings))
            settings = CanarySettings.model_validate(section)
            registry = Registry(arguments.registry, arguments.model, Trust(arguments.trusted_key))
            registry.log()
            controller = Controller.of(registry, settings, arguments.folder, arguments.deadline_seconds)
            series, metrics = ControllerSeries(registry.model), ""
            if arguments.metrics_port is not None:
                exported = exporter(series.registry, arguments.metrics_host, arguments.metrics_port, "--metrics_port")
                metrics = exporting.enter_context(exported)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, ("canary", *first["loc"])))
            print(f"error: {where}: {validation_message(first['msg'])}", file=sys.stderr)
            return BAD_INPUT
        except (BadInput, OSError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
            return BAD_INPUT
        print(f"canary: ready{f', metrics at {metrics}' if metrics else ''}", flush=True)
        run(controller, settings, registry, arguments.folder, stopped, series)
        return 0


if __name__ == "__main__":
    sys.exit(main())
