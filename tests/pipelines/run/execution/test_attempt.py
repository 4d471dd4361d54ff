"""Failing steps: retries, exit handlers, skipped steps, and the reason that is reported."""

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kfp import dsl

from pipelines.run.execution.executor import run_pipeline
from pipelines.run.record import Event
from robo_poet.errors import BadInput

NOTE = 'echo {} >> "$TRACE"'
REFUSES = "echo noise; echo 'error: corpus.csv: row 7: no text; give one' >&2; exit 2"


def states(result: Any) -> dict[str, str]:
    return {name: task.state for name, task in result.tasks.items()}


def test_retry_then_success_in_the_same_folder(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        toys.shell(script='echo x >> tries; [ "$(wc -l < tries)" -ge 3 ]').set_retry(3, backoff_duration="0s")

    result = house.run(pipeline)
    assert result.status == "succeeded" and result.tasks["shell"].attempts == 3
    assert [event.state for event in house.events if event.task] == ["running", "retrying", "running", "retrying", "running", "ran"]


def test_bad_input_is_not_retried_and_its_line_is_the_error(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        first = toys.shell(script="true")
        toys.shell(script=REFUSES).set_retry(3).after(first)

    result = house.run(pipeline)
    assert result.status == "failed" and result.exit_status == 1 and result.tasks["shell-2"].attempts == 1
    assert result.error.startswith("shell-2: corpus.csv: row 7: no text; give one (log: ") and "\n" not in result.error


@pytest.mark.parametrize("again", [False, True])
def test_a_first_step_that_refuses_its_input_leaves_no_run(house: Any, toys: SimpleNamespace, again: bool) -> None:
    def other() -> None:
        toys.shell(script="true")

    def pipeline() -> None:
        made = toys.make(script=f"echo secret > kept; echo secret > $3; {REFUSES}")
        toys.use(script="true", file=made.outputs["file"])

    earlier = house.run(other).run_id if again else ""
    house.events.clear()
    with pytest.raises(BadInput, match=r"^corpus\.csv: row 7: no text; give one$"):
        house.run(pipeline)
    assert {path.name for path in house.runs.iterdir()} == ({earlier, "latest"} if again else set())
    assert not again or (house.runs / "latest").resolve().name == earlier
    assert not [path for path in house.store.rglob("*") if path.is_file() and "secret" in path.read_text()]
    told = [(event.task, event.state, event.text) for event in house.events[1:]]
    assert told == [("make", "running", ""), ("make", "failed", ""), ("use", "cancelled", "make failed")], "the error tells the reason"


@pytest.mark.parametrize("script", ["echo 'usage: step' >&2; exit 2", "echo 'error: x' >&2; exit 1"])
def test_a_first_step_with_a_defect_leaves_its_run(house: Any, toys: SimpleNamespace, script: str) -> None:
    def pipeline(script: str) -> None:
        toys.shell(script=script)

    result = house.run(pipeline, script=script)
    assert result.exit_status == 1 and (house.runs / "latest" / "summary.json").exists()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo first; echo last; exit 3", "exit status 3: first | last"),
        ("kill -9 $$", "killed by SIGKILL — out of memory?"),
        ("kill -15 $$", "SIGTERM"),
    ],
)
def test_a_failure_without_an_error_line_is_told(house: Any, toys: SimpleNamespace, script: str, said: str) -> None:
    def pipeline(script: str) -> None:
        toys.shell(script=script)

    assert said in house.run(pipeline, script=script).error


def test_a_program_that_is_not_there(house: Any) -> None:
    @dsl.container_component
    def lost():  # type: ignore[no-untyped-def]
        return dsl.ContainerSpec(image="x/robo-poet/lost:1", command=["no-such-program"])

    def pipeline() -> None:
        lost()

    assert "no-such-program: no such file or directory" in house.run(pipeline).error


def test_failure_cancels_what_follows_lets_others_finish_and_runs_the_exit_handler(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        bye = toys.shell(script=NOTE.format("bye"))
        with dsl.ExitHandler(bye):
            toys.shell(script=NOTE.format("early"), tick=1)
            made = toys.make(script="sleep 0.3; exit 1")
            toys.shell(script="sleep 1; " + NOTE.format("beside"), tick=2)
            toys.use(script="", file=made.outputs["file"])
            toys.shell(script=NOTE.format("late"), tick=3).after(made)

    result = house.run(pipeline, max_parallel=3)
    assert states(result) == {
        "shell": "ran",
        "shell-2": "ran",
        "make": "failed",
        "shell-3": "ran",
        "use": "cancelled",
        "shell-4": "cancelled",
    }
    assert house.traced() == ["early", "beside", "bye"]
    again = house.run(pipeline, max_parallel=3)
    assert again.tasks["shell-2"].state == "cached" and again.tasks["make"].state == "failed"  # finished work is kept


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", "did not write its output file, which use reads"),
        ("echo x > $3; echo nine > $2", "output number: 'nine' is not a NUMBER_INTEGER"),
        ("echo x > $3; echo '{' > $4", "executor output cannot be read"),
        ("echo x > $3; echo '[]' > $4", "executor output cannot be read"),
        ('echo x > $3; echo \'{"parameterValues": {"number": NaN}}\' > $4', "NaN is not JSON"),
        ("echo x > $3; printf '\\377' > $1", "text is not UTF-8 text"),
        ('echo x > $3; echo \'{"parameterValues": {"file_digest": "abc"}}\' > $4', "reported the digest abc for file"),
        ('echo x > $3; echo \'{"parameterValues": {"text": 5}}\' > $4', "output text: 5 is not a STRING"),
        ("echo x > $3; mkfifo $4", "executor_output.json cannot be read: a named pipe, not a file"),
        ("echo x > $3; mkfifo $1", "text cannot be read: a named pipe, not a file"),
        ("echo x > $3; ln -s /etc/hostname $1", "text cannot be read: a link"),
        ("echo x > $3; truncate -s 1G $4", "executor_output.json cannot be read: the file is larger than 10 MB"),
        ("echo x > $3; head -c 200000 /dev/zero | tr '\\0' '[' > $4", "executor output cannot be read"),
        ("ln -s /etc/hostname $3", "output file is or contains a link"),
        ("mkdir $3; mkfifo $3/pipe", "output file is or contains a named pipe"),
        ("mkdir $3; ln -s .. $3/loop", "output file is or contains a link"),
    ],
)
def test_outputs_that_cannot_be_used_fail_their_own_step(house: Any, toys: SimpleNamespace, script: str, said: str) -> None:
    def pipeline(script: str) -> None:
        made = toys.make(script=script).set_retry(2)
        toys.use(script="true", file=made.outputs["file"])

    result = house.run(pipeline, script=script)
    assert result.tasks["make"].state == "failed" and said in result.error and result.tasks["make"].attempts == 1


def test_a_listener_that_raises_leaves_no_step_running(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        toys.shell(script='echo $$ > "$TRACE"; sleep 600')

    def listener(event: Event) -> None:
        if event.state == "running":
            house.until(house.traced)
            raise RuntimeError("a defect of a display")

    with pytest.raises(RuntimeError, match="a defect of a display"):
        run_pipeline(house.compile(pipeline), {}, store=house.store, runs=house.runs, runner=house.runner(), listeners=[listener])
    assert not toys.alive(int(house.traced()[0]))


def test_a_condition_that_cannot_be_decided_fails(house: Any, toys: SimpleNamespace) -> None:
    def pipeline(word: str = "1") -> None:
        with dsl.If(word == "1"):
            toys.shell(script="true")

    document = yaml.safe_load(house.compile(pipeline).read_text())
    document["root"]["dag"]["tasks"]["condition-1"]["triggerPolicy"]["condition"] = "inputs.parameter_values['pipelinechannel--word'] == 1"
    assert house.run(document).error == "shell: a condition compares '1' with 1"
