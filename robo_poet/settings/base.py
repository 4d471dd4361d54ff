"""What all settings have in common: unknown keys are refused, values are checked, nothing changes after reading."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of every section of a profile. Defaults are the figures of the specification."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
