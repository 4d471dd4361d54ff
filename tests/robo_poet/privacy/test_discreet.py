import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.planted_secrets import planted
from robo_poet.privacy.discreet import MASK, discreet
from robo_poet.privacy.patterns import PatternFinder
from robo_poet.settings.planted_secrets import PlantedSecretsSettings

PRIVATE = (
    "anna.k@example.org", "https://example.org/~anna", "www.example.org/anna", "212-555-0147", "+49 30 901820", "(212) 555 0147",
    "4111 1111 1111 1111", "DE89370400440532013000", "078-05-1120", "00:1b:63:84:45:e6", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
)  # fmt: skip


@pytest.mark.parametrize("private", PRIVATE)
@given(before=st.sampled_from(["", "O ", "write to\n", "("]), after=st.sampled_from(["", ", love", ".\nThen", ")"]))
def test_what_the_detector_finds_is_not_shown(private, before, after):
    shown = discreet(before + private + after)
    assert MASK in shown and not PatternFinder(0.4).find(shown)
    assert not re.search(r"\d{4}|anna", shown)


def test_verse_stays_as_it_is():
    verse = "KING. Thou hast 3 ships, and 40 men;\nin 1599 we saw them -- at 10:30.\nNOT A WORD\tof http, nor @ home."
    assert discreet(verse) == verse


def test_a_planted_secret_is_not_shown():
    for secret in planted(PlantedSecretsSettings(rates=(1,), per_rate=20), seed=1):
        assert secret.secret not in discreet(secret.text) and discreet(secret.text).startswith(secret.prefix)
