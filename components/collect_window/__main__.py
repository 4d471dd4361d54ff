"""Take a snapshot of a window of live traffic from the request log, with the baseline of the champion from the registry."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from components.collect_window.component import collect_window
from monitoring.drift.traffic import collect_traffic, named_period, write_traffic
from robo_poet.registry.registry import Registry
from robo_poet.settings.monitoring import DriftSettings
from robo_poet.step.program import Call, program


def work(call: Call) -> None:
    """Write the traffic and set the result `users`."""
    parameters, settings = call.parameters, call.settings
    period = named_period(parameters["window"], settings.window_seconds, datetime.now(UTC))
    store = Registry(parameters["registry"], parameters["model_name"])
    traffic = collect_traffic(store, Path(parameters["requests"]), settings, period)
    write_traffic(call.outputs["traffic"], traffic)
    users = len(traffic.windows[-1].users) if traffic.windows else 0
    call.result("users", users)
    call.progress(1, 1, f"{store.model}, window {period}: {traffic.doubt or f'{users} users with a score'}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(collect_window, work, argv, settings=DriftSettings)


if __name__ == "__main__":
    sys.exit(main())
