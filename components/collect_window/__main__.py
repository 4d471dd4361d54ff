"""Take a snapshot of a window of live traffic from the request log, with the baseline of the champion from the registry."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from components.collect_window.component import collect_window
from monitoring.drift.baseline import Score
from monitoring.drift.held_out import HeldOutScorer
from monitoring.drift.traffic import collect_traffic, named_period, write_traffic
from robo_poet.errors import BadInput, parse_object
from robo_poet.judges.drift.observations import HeldOut
from robo_poet.registry.registry import Registry
from robo_poet.settings.monitoring import DriftSettings
from robo_poet.settings.serve import ServeSettings
from robo_poet.step.program import Call, program


def work(call: Call) -> None:
    """Write the traffic and set the result `users`."""
    parameters, settings, now = call.parameters, call.settings, datetime.now(UTC)
    period = named_period(parameters["window"], settings.window_seconds, now)
    connection = parse_object(parameters["model_server"], where="--model-server")
    store = Registry(parameters["registry"], parameters["model_name"])
    scorer = _scorer(ServeSettings.model_validate(connection))
    traffic = collect_traffic(store, Path(parameters["requests"]), settings, period, now, scorer)
    write_traffic(call.outputs["traffic"], traffic)
    users = len(traffic.windows[-1].users) if traffic.windows else 0
    call.result("users", users)
    if traffic.windows and traffic.heldout.doubt:
        call.note(f"held-out text is not scored: {traffic.heldout.doubt}")
    call.progress(1, 1, f"{store.model}, window {period}: {traffic.doubt or f'{users} users with a score'}")


def _scorer(connection: ServeSettings) -> Score:
    """Return what scores held-out text. If the connection cannot be used, such as for a missing certificate, it gives the reason only."""
    try:
        return HeldOutScorer(connection)
    except BadInput as error:
        unscored = HeldOut(doubt=str(error))
        return lambda _: unscored


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(collect_window, work, argv, settings=DriftSettings)


if __name__ == "__main__":
    sys.exit(main())
