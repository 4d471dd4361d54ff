"""Gates in a profile or a JSON list. They are read as `Gate` of the judges, and checked when they are read (EVAL-6)."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, with_config

from robo_poet.judges.gate import Gate


def _without_booleans(value: Any) -> Any:
    """Refuse YAML's `true` and `yes`: pydantic would read them as the number 1."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, bool):
                raise ValueError(f"{key} cannot be true or false")
    return value


def _without_fault(gate: Gate) -> Gate:
    if fault := gate.fault():
        raise ValueError(fault)
    return gate


with_config(ConfigDict(extra="forbid"))(Gate)
CheckedGate = Annotated[Gate, BeforeValidator(_without_booleans), AfterValidator(_without_fault)]
