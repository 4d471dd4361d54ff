import pytest
from pydantic import ValidationError

from robo_poet.settings.data import IngestSettings, ScrubSettings, TokenizerSettings, ValidateSettings


def test_a_source_without_a_policy_gets_the_full_treatment() -> None:
    assert ScrubSettings().default_policy == "full"


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (IngestSettings, {"bundled": ["bible"]}),
        (IngestSettings, {"split_train": 1}),
        (IngestSettings, {"columns": {"body": "content"}}),
        (ScrubSettings, {"policies": {"diary": "some"}}),
        (ValidateSettings, {"on_size": "stop"}),
        (TokenizerSettings, {"vocabulary": 259}),  # 256 bytes and 4 control tokens are 260
    ],
)
def test_invalid_values_are_rejected(section: type[IngestSettings], values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        section.model_validate(values)
