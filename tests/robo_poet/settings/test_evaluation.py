from typing import Any

import pytest
from pydantic import ValidationError

from robo_poet.evaluation.likelihood import SLICES
from robo_poet.settings.evaluation import AuditSettings, EvaluateSettings, SlicesSettings


def test_the_slice_columns_are_those_of_the_likelihood_table() -> None:
    assert SlicesSettings().columns == SLICES
    assert SlicesSettings(crosses=[["period", "author", "genre"]]).crosses == (("period", "author", "genre"),)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": ["author", "author"]}, "a column is listed twice"),
        ({"columns": ["colour"]}, "Input should be 'source', 'author'"),
        ({"crosses": [["author"]]}, "a cross needs two or more different columns, not ['author']"),
        ({"crosses": [["author", "author"]]}, "a cross needs two or more different columns"),
        ({"crosses": [["author", "period"], ["period", "author"]]}, "a cross is listed twice"),
        ({"min_works": 4}, "greater than or equal to 5"),
        ({"resamples": True}, "true and false are not allowed here"),
    ],
)
def test_invalid_slice_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        SlicesSettings(**settings)
    assert message in str(error.value)


def test_prompt_and_continuation_must_fit_into_the_context() -> None:
    with pytest.raises(ValidationError, match="larger than 511, the context of the model"):
        EvaluateSettings(prompt_tokens=256, continuation_tokens=256)
    EvaluateSettings(prompt_tokens=31, continuation_tokens=480)


def test_an_audit_language_is_listed_once() -> None:
    with pytest.raises(ValidationError, match="a language is listed twice"):
        AuditSettings(languages=("en", "en"))
