import re
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_poet.privacy.patterns.finder import TELEPHONE, WINDOW_SIZE, PatternFinder, windows

FINDER = PatternFinder(0.4)
PLANTED = {
    "jane.doe@example.org": "EMAIL_ADDRESS",
    "jane@printer.local": "EMAIL_ADDRESS",
    "JANE_DOE+x@MAIL.EXAMPLE.CO.UK": "EMAIL_ADDRESS",
    "https://blog.example.com/~jane?x=1": "URL",
    "http://intranet/~jane": "URL",
    "www.example.com": "URL",
    "example.org/jane": "URL",
    "EXAMPLE.COM/JANE": "URL",
    "Example.Com:8080/jane": "URL",
    "EXAMPLE.CO.UK": "URL",
    "QUILL.INFO/ABOUT": "URL",
    "example.com?u=jane": "URL",
    "example.com#jane": "URL",
    "www.jane-quill.biz": "URL",
    "quill.biz": "URL",
    "www.jane.photography": "URL",
    "+1 415-555-0132": "PHONE_NUMBER",
    "(212) 867-5309": "PHONE_NUMBER",
    "001-123-456-7890x123": "PHONE_NUMBER",
    "+44 20 7946 0958": "PHONE_NUMBER",
    "030 12345678": "PHONE_NUMBER",
    "4111 1111 1111 1111": "CREDIT_CARD",
    "5500005555555559": "CREDIT_CARD",
    "GB82 WEST 1234 5698 7654 32": "IBAN_CODE",
    "DE89370400440532013000": "IBAN_CODE",
    "192.168.17.34": "IP_ADDRESS",
    "fe80::1ff:fe23:4567:890a": "IP_ADDRESS",
    "00:1A:2B:3C:4D:5E": "MAC_ADDRESS",
    "AA-BB-CC-DD-EE-FF": "MAC_ADDRESS",
    "536-22-8745": "US_SSN",
    "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ": "CRYPTO",
}
VERSE = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
around = st.sampled_from(["", VERSE, "x ", "In 1609, ", "No. 18:\n", "— "])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(around, st.sampled_from(sorted(PLANTED))), min_size=1, max_size=4))
def test_planted_personal_data_is_found(parts: list[tuple[str, str]]) -> None:
    text, places = "", []
    for before, secret in parts:
        text += before
        places.append((len(text), len(text) + len(secret), secret))
        text += secret + " and\n"
    found = FINDER.find(text)
    for start, end, secret in places:
        covered = {i for f in found for i in range(f.start, f.end)}
        assert {i for i in range(start, end) if text[i].isalnum()} <= covered, secret


@pytest.mark.parametrize("secret", PLANTED)
def test_a_finding_has_its_kind(secret: str) -> None:
    found = FINDER.find(f"Here is {secret} for you")
    assert PLANTED[secret] in {f.entity for f in found if f.start <= 8 and f.end >= 8 + len(secret)}


@pytest.mark.parametrize(
    "text",
    [
        VERSE,
        "In 1609 and 1623, 154 sonnets",
        "of polygamy.The mothers",
        "£1,234,567.89.These",
        "act 3.2.1",
        "Prologue. Act I. Scene II.",
        "i.e. e.g.",
    ],
)
def test_verse_has_no_findings(text: str) -> None:
    assert FINDER.find(text) == []


def test_a_match_at_the_cut_of_a_window_is_found() -> None:
    line = " ".join(str(n) for n in range(100, 2_000))
    for shift in range(0, 60, 7):
        at = WINDOW_SIZE - 30 + shift
        text = f"{line[:at]} DE89370400440532013000 {line[at:]}"
        assert any(f.entity == "IBAN_CODE" for f in FINDER.find(text))


def test_windows_are_short_and_cover_every_trigger() -> None:
    text = "word " * 300 + "030 12345678 " * 1_000 + "a" * 20_000 + " 030 12345678"
    found = list(windows(text, TELEPHONE))
    assert max(end - start for start, end in found) <= WINDOW_SIZE
    numbers = [m.span() for m in re.finditer("030 12345678", text)]
    assert all(any(a <= start and end <= b for a, b in found) for start, end in numbers)
    assert found[0][0] > 1_000


def test_min_score() -> None:
    assert PatternFinder(0.9).find("call (212) 867-5309 or jane@example.org")[0].entity == "EMAIL_ADDRESS"


def test_no_network_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(PatternFinder(0.4).find("jane@example.org at https://example.com")) >= 2


def test_fast_on_verse() -> None:
    text = VERSE * 5_000
    began = time.process_time()
    FINDER.find(text)
    assert len(text) / 1000 / (time.process_time() - began) > 500  # KB/s; measured: over 10,000
