"""Constructs that the executor refuses by name before anything runs, each as KFP compiles it; and pipelines that are not complete.

Covers: document, steps.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kfp import dsl

from robo_poet.errors import BadInput


def loop(toys: SimpleNamespace) -> None:
    with dsl.ParallelFor([1, 2]) as item:
        toys.shell(script="true", tick=item)


def importer(toys: SimpleNamespace) -> None:
    made = dsl.importer(artifact_uri="gs://a/b", artifact_class=dsl.Dataset)
    toys.use(script="", file=made.output)


def one_of(toys: SimpleNamespace) -> None:
    chooser = toys.make(script="")
    with dsl.If(chooser.outputs["text"] == "a"):
        first = toys.make(script="")
    with dsl.Else():
        second = toys.make(script="")
    toys.shell(script=dsl.OneOf(first.outputs["text"], second.outputs["text"]))


def final_status(toys: SimpleNamespace) -> None:
    @dsl.container_component
    def bye(status: dsl.PipelineTaskFinalStatus):  # type: ignore[no-untyped-def]
        return dsl.ContainerSpec(image="x/robo-poet/bye:1", command=["echo"], args=[status])

    with dsl.ExitHandler(bye()):
        toys.shell(script="true")


def template(*args: Any) -> Callable[[SimpleNamespace], None]:
    def build(toys: SimpleNamespace) -> None:
        @dsl.container_component
        def step(text: str = "a"):  # type: ignore[no-untyped-def]
            values = [text if arg is str else dsl.ConcatPlaceholder(["a", text]) if arg == "concat" else arg for arg in args]
            if "present" in args:
                values = [dsl.IfPresentPlaceholder(input_name="text", then=["--text", text])]
            return dsl.ContainerSpec(image="x/robo-poet/step:1", command=["echo"], args=values)

        step()

    return build


def lightweight(toys: SimpleNamespace) -> None:
    @dsl.component(base_image="python:3.11")
    def double(number: int) -> int:
        return 2 * number

    double(number=1)


def cache_key(toys: SimpleNamespace) -> None:
    toys.shell(script="true").set_caching_options(True, cache_key="mine")


def job_name(toys: SimpleNamespace) -> None:
    toys.shell(script=f"echo {dsl.PIPELINE_JOB_NAME_PLACEHOLDER}")


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (loop, "ParallelFor"),
        (importer, "dsl.importer"),
        (one_of, "dsl.OneOf"),
        (final_status, "dsl.PipelineTaskFinalStatus"),
        (template("concat"), "Concat"),
        (template("present"), "IfPresent"),
        (template(str, dsl.PIPELINE_JOB_ID_PLACEHOLDER), "pipeline_job_uuid"),
        (lightweight, r"\{\{\$\}\}"),
        (cache_key, "a custom cache key"),
        (job_name, "pipeline_job_name"),
    ],
)
def test_unsupported_features_are_rejected_by_name(
    house: Any, toys: SimpleNamespace, build: Callable[[SimpleNamespace], None], named: str
) -> None:
    def pipeline() -> None:
        build(toys)

    ir = house.compile(pipeline)
    with pytest.raises(BadInput, match=named):
        house.run(ir)
    assert not house.runs.exists() and not house.store.exists()


def test_one_of_over_artifacts_and_input_metadata(house: Any, toys: SimpleNamespace) -> None:
    def artifacts() -> None:
        chooser = toys.make(script="")
        with dsl.If(chooser.outputs["text"] == "a"):
            first = toys.make(script="")
        with dsl.Else():
            second = toys.make(script="")
        toys.use(script="", file=dsl.OneOf(first.outputs["file"], second.outputs["file"]))

    @dsl.container_component
    def reader(file: dsl.Input[dsl.Dataset]):  # type: ignore
        return dsl.ContainerSpec(image="x/robo-poet/r:1", command=["echo"], args=[file.metadata])

    def metadata() -> None:
        reader(file=toys.make(script="").outputs["file"])

    for function, named in ((artifacts, "dsl.OneOf"), (metadata, "metadata")):
        with pytest.raises(BadInput, match=named):
            house.run(function)


@pytest.mark.parametrize(
    "condition",
    [
        "inputs.parameter_values['x'] == 'inputs.parameter_values['y']'",
        "inputs.parameter_values['x'] == 'it's'",
        "inputs.parameter_values['x'] == 'a' || true == true",
        "inputs.parameter_values['x']",
        "size(inputs.parameter_values['x']) == 1",
        r"inputs.parameter_values['x'] == 'a\n'",
        "__import__('os').getpid() == 1",
        "inputs.parameter_values['absent'] == 'a'",
        "",
    ],
)
def test_conditions_beyond_the_subset(house: Any, toys: SimpleNamespace, condition: str) -> None:
    def pipeline(x: str = "", y: str = "") -> None:
        with dsl.If(x == "a"):
            toys.shell(script="true")

    document = yaml.safe_load(house.compile(pipeline).read_text())
    document["root"]["dag"]["tasks"]["condition-1"]["triggerPolicy"]["condition"] = condition
    if not condition:
        assert house.run(document).status == "succeeded"
        return
    with pytest.raises(BadInput, match=r"not supported|missing"):
        house.run(document)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "parameter script: a value is required"),
        ({"script": 5}, "parameter script: 5 is not a STRING"),
        ({"script": "", "tick": 1.5}, "parameter tick: 1.5 is not a NUMBER_INTEGER"),
        ({"script": "", "tick": True}, "parameter tick: true is not a NUMBER_INTEGER"),
        ({"script": "", "tick": 2**60}, "parameter tick: .* exactly"),
        ({"script": "", "share": "x"}, 'parameter share: "x" is not a NUMBER_DOUBLE'),
        ({"script": "", "share": float("nan")}, "parameter share: nan"),
        ({"script": "", "flag": 1}, "parameter flag: 1 is not a BOOLEAN"),
        ({"script": "", "options": []}, "parameter options: .* is not a STRUCT"),
        ({"script": "", "other": 1}, "parameter other: the pipeline has no such parameter; the parameters are flag, options"),
    ],
)
def test_parameters_are_checked(house: Any, toys: SimpleNamespace, given: dict[str, Any], said: str) -> None:
    def pipeline(script: str, tick: int = 0, share: float = 0.5, flag: bool = False, options: dict = {}) -> None:  # type: ignore  # noqa: B006
        toys.shell(script=script, tick=tick)

    with pytest.raises(BadInput, match=said):
        house.run(pipeline, **given)


def test_files_that_are_not_a_pipeline_are_rejected(house: Any) -> None:
    path = house.home / "x.yaml"
    for text, said in (("a: [", "cannot be read"), ("a: 1", "not a compiled pipeline"), ("schemaVersion: 2.1.0\n", "'root' is missing")):
        path.write_text(text)
        with pytest.raises(BadInput, match=said):
            house.run(path)
    with pytest.raises(BadInput, match="cannot be read"):
        house.run(house.home / "absent.yaml")


def test_a_container_without_an_interpreter_or_command(house: Any) -> None:
    def pipeline_of(command: list[str]) -> Any:
        @dsl.container_component
        def step():  # type: ignore[no-untyped-def]
            return dsl.ContainerSpec(image="x/robo-poet/step:1", command=command)

        def pipeline() -> None:
            step()

        return house.compile(pipeline)

    with pytest.raises(BadInput, match="the container has no command"):
        house.run(pipeline_of([]))
