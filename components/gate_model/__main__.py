"""Check the metrics of a model against the gates of the profile. A rejected model is a normal result, not an error (EVAL-6)."""

import json
import sys
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from components.gate_model.component import gate_model
from components.gate_model.evidence import read_gate_input, read_step_metrics, stopped_early
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput, validation_message
from robo_poet.judges.decision import judge_gates
from robo_poet.judges.gate import Gate
from robo_poet.judges.remedies import Remedies
from robo_poet.settings.gate import CheckedGate
from robo_poet.step.program import Call, program


def parse_gates(text: str) -> list[Gate]:
    """Read the gates from a JSON list.

    Raises:
        BadInput: not JSON, not a list, or a gate has an unknown key, a wrong type or invalid bounds. Names the gate, counted from 1.
    """
    try:
        return TypeAdapter(list[CheckedGate]).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        number, *key = first["loc"] or ("",)
        where = f"--gates: gate {number + 1}" if isinstance(number, int) else "--gates"
        raise BadInput(validation_message(first["msg"]), where=".".join([where, *map(str, key)])) from None


def parse_remedies(text: str) -> Remedies:
    """Read the remedies from a JSON object; an empty object has none.

    Raises:
        BadInput: not such an object.
    """
    try:
        return TypeAdapter(Remedies).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(validation_message(first["msg"]), where=".".join(["--remedies", *map(str, first["loc"])])) from None


def work(call: Call) -> None:
    """Write the output `decision` and the results `verdict` and `open_questions`, and `metrics` if requested."""
    step_metrics = read_step_metrics(call.inputs)
    remedies = parse_remedies(call.parameters["remedies"])
    if stopped_early(call.inputs["history"]):
        remedies = remedies.after_early_stopping()
    decision = judge_gates(read_gate_input(step_metrics, call.inputs), parse_gates(call.parameters["gates"]), remedies)
    if decision.verdict == "rejected":
        call.warn(f"the model is rejected: {decision.reason}")
    for question in decision.open_questions:
        call.warn(f"open question: {question['reason']}")
    write_text(call.outputs["decision"], json.dumps(decision.to_json() | step_metrics.to_json(), indent=1, allow_nan=False) + "\n")
    call.result("verdict", decision.verdict)
    call.result("open_questions", json.dumps(decision.open_questions, allow_nan=False))
    failed = sum(gate.verdict == "fail" for gate in decision.gates)
    if "metrics" in call.outputs:
        metrics = {gate.metric: gate.value for gate in decision.gates if gate.value is not None and not gate.slice and not gate.against}
        call.describe("metrics", **metrics, gates_failed=failed, gates_open=len(decision.open_questions))
        write_text(call.outputs["metrics"], json.dumps(metrics, indent=1) + "\n")
    is_open = len(decision.open_questions)
    passed = f"{len(decision.gates) - failed - is_open} of {len(decision.gates)} gates passed{f', {is_open} open' if is_open else ''}"
    call.progress(1, 1, f"{decision.verdict}: {passed}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(gate_model, work, argv)


if __name__ == "__main__":
    sys.exit(main())
