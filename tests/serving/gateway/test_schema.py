"""Tests of the request models (SERVE-2). The API tests check the limits of each field through the gateway."""

from typing import Any

import pytest
from pydantic import ValidationError

from serving.gateway.schema import SEED, FeedbackRequest, GenerateRequest


def test_a_number_without_a_fraction_is_an_integer() -> None:
    request = GenerateRequest.model_validate_json('{"text": "my heart burns", "max_length": 60.0, "seed": 7e0}')
    assert (request.max_length, request.seed) == (60, 7)
    assert isinstance(request.max_length, int) and isinstance(request.seed, int)


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_length", 60.5), ("max_length", "60"), ("top_k", True), ("seed", -1), ("seed", SEED + 1), ("temperature", "hot"), ("unknown", 1)],
)
def test_an_invalid_value_is_an_error_of_its_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as error:
        GenerateRequest.model_validate({"text": "my heart burns", field: value})
    assert {location["loc"][0] for location in error.value.errors()} == {field}


@pytest.mark.parametrize("name", ["temperature", "top_p", "repetition_penalty"])
@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_non_finite_numbers_are_rejected(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        GenerateRequest.model_validate_json(f'{{"text": "my heart burns", "{name}": {value}}}')


@pytest.mark.parametrize("rating", [{"rating": 4}, {"thumb": "up"}, {"rating": 1.0, "thumb": "down"}])
def test_feedback_has_a_rating_or_a_thumb(rating: dict[str, Any]) -> None:
    assert FeedbackRequest.model_validate({"completion_id": "c", **rating}).model_dump(exclude_none=True) == {
        "completion_id": "c",
        **rating,
    }


@pytest.mark.parametrize(
    "rating", [{}, {"rating": None}, {"rating": 3, "thumb": None}, {"rating": 0}, {"rating": 6}, {"thumb": "sideways"}]
)
def test_feedback_without_a_valid_rating_is_rejected(rating: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FeedbackRequest.model_validate({"completion_id": "c", **rating})


def test_the_bounds_of_optional_numbers_are_in_the_json_schema() -> None:
    seed = GenerateRequest.model_json_schema()["properties"]["seed"]["anyOf"][0]
    assert (seed["minimum"], seed["maximum"]) == (0, SEED)
    rating = FeedbackRequest.model_json_schema()["properties"]["rating"]
    assert (rating["minimum"], rating["maximum"]) == (1, 5)
