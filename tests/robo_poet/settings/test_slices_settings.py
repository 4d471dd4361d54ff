from typing import Any

import pytest
from pydantic import ValidationError

from robo_poet.evaluation.likelihood import SLICES
from robo_poet.settings.evaluation import SlicesSettings


def test_the_columns_are_those_of_the_table() -> None:
    assert SlicesSettings().columns == SLICES
    assert SlicesSettings(crosses=[["period", "author", "genre"]]).crosses == (("period", "author", "genre"),)


@pytest.mark.parametrize(
    ("settings", "what"),
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
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as error:
        SlicesSettings(**settings)
    assert what in str(error.value)
