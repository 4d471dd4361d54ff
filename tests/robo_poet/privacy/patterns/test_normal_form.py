import pytest

from robo_poet.privacy.findings import Finding
from robo_poet.privacy.patterns.finder import PatternFinder
from robo_poet.privacy.patterns.normal_form import normal_form


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("plain", "plain"), ("４１１１", "4111"), ("٤١", "41"), ("an\u200bna@exa\u00admple.org", "anna@example.org"), ("\u0430nna@example.org", "anna@example.org"),
        ("anna＠example．org", "anna@example.org"), ("06\u00a012\u202f34", "06 12 34"), ("555‑1234", "555-1234"), ("почта", "почта"), (r"call\n450", "call \n450"), (r"\name", r"\name"), (r"\nhttps://a.org", " \nhttps://a.org"), (r"\twww.a.org", " \nwww.a.org"),
    ],
)  # fmt: skip
def test_normal_form(text: str, normal: str) -> None:
    assert normal_form(text).text == normal


def test_a_finding_is_mapped_to_the_original() -> None:
    text = "x \u200ban\u200bna\u200b y"
    normal = normal_form(text)
    start = normal.text.index("anna")
    finding = normal.original(Finding("PERSON", start, start + 4, 1.0, "r"))
    assert text[finding.start : finding.end] == "an\u200bna"


@pytest.mark.parametrize(
    "hidden",
    [
        "４１１１ １１１１ １１１１ １１１１",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111 1111 1111 1111",
        "аnna@example.org",
        "anna＠example.org",
    ],
)
def test_look_alikes_hide_nothing(hidden: str) -> None:
    text = f"write {hidden} now"
    findings = PatternFinder(0.4).find(text)
    assert (min(f.start for f in findings), max(f.end for f in findings)) == (6, 6 + len(hidden))
