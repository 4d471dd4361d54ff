"""`python -m serving.model_sync`: keep the folder of a model server in step with the registry, until SIGTERM."""

import argparse
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from robo_poet.atomic import write_text
from robo_poet.errors import BadInput, BadInputParser
from robo_poet.exporter import LookSeries, exporter
from robo_poet.folder_lock import locked_folder
from robo_poet.permissions import limit_umask
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from serving.model_sync.server_status import ServerStatus
from serving.model_sync.sync import Look, ModelSync

LOCK_FILE = "model_sync.lock"  # in the folder
BAD_INPUT = 2  # exit status for an error that the caller can fix
GAUGES = {
    "look_timestamp_seconds": "Time of the last look without an error; 0 before the first one.",
    "versions": "Versions in the configuration of the model server.",
    "loaded_versions": "Versions that the model server has loaded; NaN while it does not answer.",
    "troubles": "Problems of the newest look, such as a canary whose files differ.",
    "ready": "1 if the champion is verified and in the configuration.",
    "registry_refused": "1 if the newest look found a log that differs from what trusted keys signed, else 0.",
}


class SyncSeries(LookSeries):
    """The metrics of one model."""

    def __init__(self, model: str) -> None:
        super().__init__("robo_poet_model_sync", model, GAUGES)

    def looked(self, look: Look, now: float) -> None:
        """Record a look without an error. `now` is in seconds since 1970."""
        values = (now, look.versions, float("nan") if look.loaded is None else look.loaded, len(look.troubles), look.ready, 0)
        for name, value in zip(GAUGES, values, strict=True):
            self.gauges[name].set(value)


def _seconds(text: str) -> float:
    if not 0 <= (seconds := float(text)) <= 86400:  # argparse reports the ValueError of a text that is not a number
        raise argparse.ArgumentTypeError("must be 0 to 86400 seconds")
    return seconds


def parse_flags(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        BadInput: an argument is not valid.
    """
    parser = BadInputParser(prog="python -m serving.model_sync", description="Keep a model server's folder in step with the registry.")
    add = parser.add_argument
    add("--registry", required=True, help="folder of the registry, or gs://bucket/prefix")
    add("--model", required=True, help="name of the model")
    add("--trusted-key", action="append", default=[], help="one of serve.trusted_keys of the gateway (repeatable); default: as there")
    add("--folder", type=Path, required=True, help="folder for models.config and the versions; the model server mounts it at the same path")
    add("--model-server", default="http://127.0.0.1:8501", help="REST address of the model server (default http://127.0.0.1:8501)")
    add("--model-server-ca", type=Path, help="PEM file with the authorities of an https model server; default: those of the system")
    add("--model-server-certificate", type=Path, help="PEM file with a client certificate")
    add("--model-server-key", type=Path, help="PEM file with the private key of that certificate")
    add("--signature", choices=("generate_xla", "generate"), default="generate_xla", help="serve.signature of the gateway")
    add("--poll-seconds", type=_seconds, default=1.0, help="seconds between two looks (default 1)")
    add(
        "--grace-seconds", type=_seconds, default=35.0,
        help="seconds from the end of a version's service to its unloading: serve.deadline_seconds and serve.look_seconds of the gateway, "
        "and some more (default 35)",
    )  # fmt: skip
    add(
        "--ready-file",
        type=Path,
        help="file to write when the champion is in models.config; an old one is removed at the start",
    )
    add("--metrics-port", type=int, help="port of the Prometheus metrics; 0 takes a free one (default: no metrics)")
    add("--metrics-host", default="127.0.0.1", help="address of the metrics; 0.0.0.0 lets other machines read them (default 127.0.0.1)")
    add("--once", action="store_true", help="look once; the exit status is 2 if the champion is not in models.config")
    flags = parser.parse_args(argv)
    if (flags.model_server_certificate is None) != (flags.model_server_key is None):
        raise BadInput("give --model-server-certificate and --model-server-key together", where="command line")
    return flags


def run(sync: ModelSync, poll_seconds: float, ready_file: Path | None, series: SyncSeries, metrics: str) -> NoReturn:
    """Look again and again. Standard output has what a person must know: the ready line, and each new trouble. The log has the changes.

    Args:
        metrics: address of the metrics, for the ready line; empty without one.
    """
    started = ready = False
    troubles: frozenset[str] = frozenset()
    while True:
        try:
            look = sync.look()
            series.looked(look, time.time())
        except (BadInput, OSError) as error:  # no registry, no champion, or a full disk
            series.errors.inc()
            series.gauges["registry_refused"].set(isinstance(error, Corrupt))
            look = Look(ready, (f"the loaded versions stay in service: {error}",))
        for trouble in look.troubles:
            if trouble not in troubles:
                print(f"model_sync: {trouble}", flush=True)
        troubles = frozenset(look.troubles)
        if look.ready and not ready and ready_file:
            write_text(ready_file, f"process {os.getpid()}\n")
        ready = ready or look.ready
        if not started:
            started = True
            print(f"model_sync: ready{f', metrics at {metrics}' if metrics else ''}", flush=True)
        time.sleep(poll_seconds)


def look_once(sync: ModelSync) -> None:
    """Look once, and print a line for each trouble.

    Raises:
        BadInput: the champion is not in the configuration.
        OSError: the folder cannot be written.
    """
    look = sync.look()
    if not look.ready:
        raise BadInput("; ".join(look.troubles))
    for trouble in look.troubles:
        print(f"warning: {trouble}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    limit_umask()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        # At once: the state in the folder is whole at each moment. A process 1 of a container ignores a signal without a handler.
        signal.signal(number, lambda *_: os._exit(0))
    try:
        flags = parse_flags(argv)
        certificate = (flags.model_server_certificate, flags.model_server_key) if flags.model_server_certificate else None
        server = ServerStatus(flags.model_server, flags.model, flags.model_server_ca, certificate)
        registry = Registry(flags.registry, flags.model, Trust(flags.trusted_key))
        sync = ModelSync(registry, flags.folder, server, xla=flags.signature == "generate_xla", grace=flags.grace_seconds)
        with locked_folder(flags.folder, "stop it, or take another --folder", name=LOCK_FILE, program="model_sync"):
            if flags.ready_file:
                flags.ready_file.unlink(missing_ok=True)
            sync.clean()
            if not flags.once:
                series = SyncSeries(flags.model)
                with contextlib.ExitStack() as exporting:
                    metrics = ""
                    if flags.metrics_port is not None:
                        exported = exporter(series.registry, flags.metrics_host, flags.metrics_port, "--metrics-port")
                        metrics = exporting.enter_context(exported)
                    run(sync, flags.poll_seconds, flags.ready_file, series, metrics)
            look_once(sync)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:  # for example a folder without write permission
        print(f"error: {error.filename or flags.folder}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
