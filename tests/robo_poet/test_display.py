import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.display import MASK, masked
from robo_poet.privacy.canary_strings import planted
from robo_poet.privacy.patterns.finder import PatternFinder
from robo_poet.settings.train import PlantedSecretsSettings

FINDER = PatternFinder(0.4)
PRIVATE = (
    "anna.k@example.org", "jane @ example.org", "jane.roe@\nexample.org", "https://example.org/~anna", "www.example.org/anna",
    "example.com/~jane.roe", "janeroe.net", "212-555-0147", "212\u00a0555\u00a00147", "+44–20–7946–0958", "+49 30 901820",
    "(212) 555 0147", "4111 1111 1111 1111", "DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "078-05-1120",
    "00:1b:63:84:45:e6", "00-1b-63-84-45-e6", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "10.0.0.1", "2001:db8::1",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
)  # fmt: skip
AROUND = st.sampled_from(["", " ", "(", ")", ", ", ".\n", "O ", " and so to bed", "write to\n"])
GROUPS = st.lists(st.integers(10, 9999).map(str), min_size=3, max_size=5)


@pytest.mark.parametrize("private", PRIVATE)
@given(before=AROUND, after=AROUND)
def test_text_that_the_detector_finds_is_masked(private, before, after):
    before = before if not before or not before[-1].isalnum() else f"{before} "
    after = after if not after or not after[0].isalnum() else f" {after}"
    shown = masked(before + private + after)
    assert MASK in shown and not FINDER.find(shown), shown


@given(GROUPS, st.sampled_from([" ", "-", ".", "–", "\u00a0", "/", ") ", " - ", ""]), st.sampled_from(["", "+", "(", "+("]))
def test_a_long_number_is_masked_with_any_separator(groups, between, sign):
    number = sign + between.join(groups)
    if FINDER.find(f"call {number} now"):
        assert masked(f"call {number} now").strip("cal+( now)") == MASK


@given(st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?", fullmatch=True), st.sampled_from(["example.org", "mail.example.co.uk", "printer.local"]))
def test_an_address_is_masked(name, domain):
    for shown in (f"{name}@{domain}", f"https://{domain}/{name}", f"{domain}/{name}"):
        assert masked(f"see {shown} there") == f"see {MASK} there"


def test_verse_is_not_masked():
    verse = "KING. Thou hast 3 ships, and 40 men;\nin 1599 we saw them -- at 10:30.\nNOT A WORD\tof http.The end: 1.Exeunt"
    assert masked(verse) == verse


def test_a_canary_string_is_masked():
    for secret in planted(PlantedSecretsSettings(rates=(1,), per_rate=20), seed=1):
        assert secret.secret not in masked(secret.text) and masked(secret.text).startswith(secret.prefix)


@pytest.mark.parametrize("part", ["a", ".", "-", "a-", "a.", "aa.", "1", "[", "a:", "a'", "AB12", "\u0301"])
def test_a_long_word_is_masked_in_a_time_that_grows_with_its_length(part: str) -> None:
    text = part * (100_000 // len(part))
    started = time.monotonic()
    masked(text + "x")
    assert time.monotonic() - started < 30  # a word of n characters was searched n times: minutes
