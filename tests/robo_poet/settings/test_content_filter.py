import pytest
from pydantic import ValidationError

from robo_poet.settings.content_filter import ContentFilterSettings, ModerationSettings, Sides


@pytest.mark.parametrize("text", ["ab", "  ab  ", "a" * 101])
def test_a_restricted_text_has_3_to_100_characters(text: str) -> None:
    with pytest.raises(ValidationError, match="give 3 to 100 characters"):
        ContentFilterSettings(restricted_texts=(text,))
    assert ContentFilterSettings(restricted_texts=("abc", "a" * 100)).restricted == "refuse"


def test_the_moderation_service_is_off_by_default() -> None:
    assert not ModerationSettings().called
    assert ModerationSettings(sides=Sides(prompt="log", completion="off"), text_may_leave=True).called


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_loopback_address_needs_no_permission_to_send_texts(host: str) -> None:
    assert ModerationSettings(sides=Sides(), url=f"http://{host}:9/analyze").on_loopback
