"""The KFP components that the declarations of the steps become."""

import importlib

import pytest

from pipelines import steps
from pipelines.steps import STEPS
from robo_poet.step.declaration import Step


def named(step: Step) -> str:
    return step.name


@pytest.mark.parametrize("step", STEPS, ids=named)
def test_a_container_gets_the_arguments_that_its_program_knows(step: Step, capsys: pytest.CaptureFixture[str]) -> None:
    if step.group == "validate":
        pytest.skip("its program runs in an environment of its own; tests/components/validate_data runs it")
    program = importlib.import_module(f"components.{step.name}.__main__")
    with pytest.raises(SystemExit, match="0"):
        program.main(["--help"])
    text = capsys.readouterr().out
    container = getattr(steps, step.name).component_spec.implementation.container
    flags = [flag for flag in container.args if str(flag).startswith("--")]
    assert flags[-1] == "--executor-output"
    assert all(f"{flag} " in text for flag in flags)
    assert container.image == f"robo-poet/{step.name}"
    assert container.command == ["python", "-m", f"components.{step.name}"]


@pytest.mark.parametrize("step", STEPS, ids=named)
def test_every_artifact_of_a_component_has_a_digest_and_a_description(step: Step) -> None:
    spec = getattr(steps, step.name).component_spec
    inputs, outputs = spec.inputs or {}, spec.outputs or {}
    assert {f"{name}_digest" for name in step.names("input")} <= set(inputs)
    assert set(outputs) == {*step.names("output", "view", "result"), *(f"{name}_digest" for name in step.names("output"))}
    assert all(value.description for value in inputs.values())


def test_types_reach_kfp_under_its_own_names() -> None:
    ingest, register = steps.ingest.component_spec, steps.register_model.component_spec
    assert {name: value.type for name, value in ingest.inputs.items()} == {
        "source": "String", "source_digest": "String", "suppression": "String", "suppression_digest": "String", "live_text": "String", "live_text_digest": "String", "seed": "Integer", "settings": "Dict",
        "beam": "Dict",
    }  # fmt: skip
    assert ingest.outputs["corpus"].type == "system.Dataset@0.0.1"
    assert register.outputs["version"].type == "Integer"
