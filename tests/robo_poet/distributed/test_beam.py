import pytest

from robo_poet.distributed.beam import failure
from robo_poet.errors import BadInput
from robo_poet.settings.beam import BeamSettings


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("Timed out\ntrying tcp://127.0.0.1:1"), "the runner failed (OSError: Timed out trying tcp://127.0.0.1:1); check"),
        (SystemExit(2), "the runner failed (SystemExit: 2); check"),
        (TimeoutError(), "the runner failed (TimeoutError); check"),
        (RuntimeError("x" * 900), f"the runner failed (RuntimeError: {'x' * 200}); check"),
    ],
)
def test_a_failure_of_the_runner_is_one_line(error: BaseException, message: str) -> None:
    told = failure(error, BeamSettings(runner="FlinkRunner"))
    assert isinstance(told, BadInput) and str(told).startswith(f"beam.runner = FlinkRunner: {message}")


@pytest.mark.parametrize(
    "error",
    [TypeError("no [while running 'run']"), RuntimeError("Traceback (most recent call last): …"), BadInput("odd", where="a", remedy="b")],
)
def test_a_failure_of_our_function_keeps_its_traceback(error: BaseException) -> None:
    assert failure(error, BeamSettings(runner="embedded")) is error
