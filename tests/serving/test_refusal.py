"""Tests of the refusal of a request."""

import pytest

from serving.refusal import Refused


def test_a_refusal_carries_status_code_message_and_headers() -> None:
    refusal = Refused(429, "rate_limited", "too many requests; try again in 5 s", {"Retry-After": "5"})
    assert (refusal.status, refusal.code, refusal.message) == (429, "rate_limited", "too many requests; try again in 5 s")
    assert refusal.headers == {"Retry-After": "5"}


def test_the_text_of_a_refusal_is_its_message() -> None:
    assert str(Refused(503, "overloaded", "try again in 1 s")) == "try again in 1 s"


def test_a_refusal_has_no_headers_by_default_and_they_cannot_be_changed() -> None:
    refusal = Refused(404, "not_found", "there is no such path")
    assert refusal.headers == {}
    with pytest.raises(TypeError):
        refusal.headers["Retry-After"] = "1"  # type: ignore[index]
