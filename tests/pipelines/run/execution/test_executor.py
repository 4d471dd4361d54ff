"""The executor through compiled IR: conditions, artifacts, values, parallelism, environment, overhead (PIPE-1, PIPE-4)."""

import json
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from kfp import dsl

from robo_poet.digest import digest_path
from robo_poet.errors import BadInput

NOTE = 'echo {} >> "$TRACE"'


def states(result: Any) -> dict[str, str]:
    return {name: task.state for name, task in result.tasks.items()}


@pytest.mark.parametrize(("word", "branch", "other"), [("yes", "shell", "shell-2"), ("no", "shell-2", "shell")])
def test_both_branches_on_a_named_output(house: Any, toys: SimpleNamespace, word: str, branch: str, other: str) -> None:
    def pipeline(word: str) -> None:
        made = toys.make(script='echo x > "$3"')
        decided = toys.use(script='printf %s "$3" > "$2"', file=made.outputs["file"], given=word)
        with dsl.If(decided.outputs["text"] == "yes"):
            toys.shell(script=NOTE.format("then"))
        with dsl.Else():
            toys.shell(script=NOTE.format("otherwise"))

    result = house.run(house.compile(pipeline), word=word)
    assert result.status == "succeeded", result.error
    assert states(result)[branch] == "ran" and states(result)[other] == "skipped"
    assert house.traced() == ["then" if word == "yes" else "otherwise"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_elif_on_a_number_and_a_nested_condition(house: Any, toys: SimpleNamespace, number: int) -> None:
    def pipeline(number: int = 0, flag: bool = True, share: float = 0.5) -> None:
        with dsl.If(number == 1):
            toys.shell(script=NOTE.format("one"))
        with dsl.Elif(number == 2), dsl.If(share == 0.5):
            with dsl.If(flag == True):  # noqa: E712
                toys.shell(script=NOTE.format("two"))
            with dsl.If(flag != True):  # noqa: E712
                toys.shell(script=NOTE.format("never"))
        with dsl.Else():
            toys.shell(script=NOTE.format("else"))

    assert house.run(pipeline, number=number).status == "succeeded"
    assert house.traced() == [{1: "one", 2: "two", 3: "else"}[number]]


def test_artifacts_parameters_and_metadata_pass(house: Any, toys: SimpleNamespace) -> None:
    script = """mkdir -p "$3/deep"; echo a > "$3/one"; echo b > "$3/deep/two"
    echo '{"parameterValues": {"text": "said", "number": 7.0}, "artifacts": {"file": {"artifacts": [{"metadata": {"rows": 2}}]}}}' > "$4"
    echo ignored > "$1" """

    def pipeline() -> None:
        made = toys.make(script=script)
        toys.use(script='cat "$1/one" "$1/deep/two" > "$2"', file=made.outputs["file"], given=made.outputs["text"])
        toys.use(script='printf %s "$3" > "$2"', file=made.outputs["file"], given=f"{made.outputs['number']} of {made.outputs['text']}")

    result = house.run(pipeline)
    made = result.tasks["make"]
    assert made.parameters == {"text": "said", "number": 7}
    assert made.artifacts["file"].metadata == {"rows": 2}
    assert made.artifacts["file"].digest == digest_path(made.artifacts["file"].path)
    assert result.tasks["use"].parameters["text"] == "a\nb\n"
    assert result.tasks["use-2"].parameters["text"] == "7 of said"
    summary = json.loads((house.runs / "latest" / "summary.json").read_text())
    assert summary["status"] == "succeeded" and summary["steps"]["make"]["state"] == "ran"
    assert summary["outputs"]["make"]["artifacts"]["file"]["metadata"] == {"rows": 2}


def test_a_value_that_looks_like_a_placeholder_stays_a_value(house: Any, toys: SimpleNamespace) -> None:
    def pipeline(word: str) -> None:
        made = toys.make(script='echo x > "$3"')
        toys.use(script='printf %s "$3" > "$2"', file=made.outputs["file"], given=word)

    word = "{{$.inputs.artifacts['file'].path}} $(touch /nowhere) {{$}}"
    assert house.run(pipeline, word=word).tasks["use"].parameters["text"] == word


def test_independent_steps_overlap(house: Any, toys: SimpleNamespace) -> None:
    meet = 'touch "$TRACE.{0}"; n=0; while [ ! -e "$TRACE.{1}" ] && [ $n -lt 400 ]; do sleep 0.05; n=$((n+1)); done; [ -e "$TRACE.{1}" ]'

    def pipeline() -> None:
        toys.shell(script=meet.format("a", "b"))
        toys.shell(script=meet.format("b", "a"))

    assert house.run(pipeline).status == "succeeded"  # each waits for the other: one after the other would fail


def test_max_parallel_is_kept(house: Any, toys: SimpleNamespace) -> None:
    script = 'mkdir "$TRACE.lock" && sleep 0.05 && rmdir "$TRACE.lock"'

    def pipeline() -> None:
        for tick in range(4):
            toys.shell(script=script, tick=tick)

    assert house.run(pipeline, max_parallel=1).status == "succeeded"
    with pytest.raises(BadInput, match="max_parallel 0"):
        house.run(pipeline, max_parallel=0)


def test_sub_pipelines_pass_outputs(house: Any, toys: SimpleNamespace) -> None:
    @dsl.pipeline(name="inner")
    def inner(word: str, times: int = 2) -> str:
        made = toys.make(script='printf x > "$3"')
        said = toys.use(script='printf %s "$3" > "$2"', file=made.outputs["file"], given=word)
        toys.shell(script='echo times$1 >> "$TRACE"', tick=times)
        return said.outputs["text"]  # type: ignore[no-any-return]

    def pipeline() -> None:
        one, two = inner(word="true"), inner(word="b", times=3)
        toys.shell(script=one.output, tick=1)
        made = toys.make(script='printf x > "$3"')
        toys.use(script='printf %s "$3" > "$2"', file=made.outputs["file"], given=two.output)

    result = house.run(pipeline)
    assert result.tasks["inner-2.use"].parameters["text"] == "b"
    assert sorted(house.traced()) == ["times2", "times3"]


def test_warnings_are_collected_and_repeated_when_cached(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        toys.shell(script="echo 'warning: thin corpus' >&2; echo '[ 50 %] half'; echo 'warning: thin corpus' >&2")

    assert house.run(pipeline).warnings == house.run(pipeline).warnings == ["shell: thin corpus"]


def test_the_environment_is_small(house: Any, toys: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://localhost:1")

    def pipeline() -> None:
        toys.shell(script='env > "$TRACE"; pwd >> "$TRACE"').set_env_variable("OWN", "1")

    assert house.run(pipeline).status == "succeeded"
    text = house.trace.read_text()
    assert "SECRET_TOKEN" not in text and "STORAGE_EMULATOR_HOST=http://localhost:1" in text and "OWN=1" in text
    assert "PYTHONHASHSEED=0" in text and "/store/work/toy-" in text


def test_python_steps_run_in_the_interpreter_of_their_image(house: Any) -> None:
    @dsl.container_component
    def python(text: dsl.OutputPath(str)):  # type: ignore
        return dsl.ContainerSpec(
            image="x/robo-poet/python:1",
            command=["python", "-c"],
            args=["import sys, robo_poet; open(sys.argv[1], 'w').write(sys.executable)", text],
        )

    def pipeline() -> None:
        python()

    assert house.run(pipeline).tasks["python"].parameters["text"] == sys.executable


def test_overhead_per_step(house: Any, toys: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    def pipeline() -> None:
        previous = toys.shell(script="true")
        for tick in range(1, 20):
            previous = toys.shell(script="true", tick=tick).after(previous)

    ir = house.compile(pipeline)
    figures = []
    for _ in ("run", "cached"):
        begun = time.perf_counter()
        assert house.run(ir).status == "succeeded"
        figures.append((time.perf_counter() - begun) / 20 * 1000)
    with capsys.disabled():
        print(f"\nexecutor overhead: {figures[0]:.1f} ms a step run, {figures[1]:.1f} ms a step cached (bound: 300)")
