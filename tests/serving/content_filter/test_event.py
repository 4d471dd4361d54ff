from dataclasses import asdict

from serving.content_filter.decision import Decision
from serving.content_filter.event import event
from serving.telemetry.pseudonym import Pseudonyms

TEXT = "what somebody wrote, and nobody else should read"


def test_an_event_tells_the_rule_and_not_the_text() -> None:
    digest = Pseudonyms(b"k" * 32).text
    one = event(Decision(False, "words.strong", "obscene"), "completion", TEXT, digest, attempt=2)
    assert one is not None and one.digest == digest(TEXT)
    assert asdict(one) == {
        "side": "completion", "allowed": False, "rule": "words.strong", "category": "obscene", "digest": digest(TEXT), "attempt": 2,
    }  # fmt: skip
    assert not any(word in str(asdict(one)) for word in TEXT.split() if len(word) > 3)


def test_without_a_hit_there_is_none_and_a_logged_hit_has_one() -> None:
    assert event(Decision(True), "prompt", TEXT, str) is None
    logged = event(Decision(True, "toxicity", "toxicity"), "prompt", TEXT, lambda _text: "digest")
    assert logged is not None and logged.allowed
