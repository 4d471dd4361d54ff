"""Base class of all settings."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Settings(BaseModel):
    """Base class of every section of a profile.

    Unknown keys and non-finite numbers are rejected, and instances are immutable. Defaults are the figures of the specification.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Reject booleans in fields of other types. YAML reads `yes` as true, and pydantic would convert it to 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("true and false are no value here")
        return value
