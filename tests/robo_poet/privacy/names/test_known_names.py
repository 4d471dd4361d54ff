"""Names that were found in one document and missed in another. All names are invented."""

from hypothesis import given
from hypothesis import strategies as st

from robo_poet.privacy.findings import Finding
from robo_poet.privacy.names.known_names import KNOWN_SCORE, KnownNames

Documents = list[tuple[str, list[Finding]]]


def name(text: str, value: str) -> list[Finding]:
    return [Finding("PERSON", text.index(value), text.index(value) + len(value), 0.9, "EntityModel")]


def learned(documents: Documents) -> KnownNames:
    names = KnownNames()
    for text, findings in documents:
        names.learn(text, findings)
    for text, findings in documents:
        names.count(text, findings)
    return names


def missed(documents: Documents) -> list[list[str]]:
    names = learned(documents)
    return [[text[f.start : f.end] for f in names.missed(text, findings)] for text, findings in documents]


FOUND = ("Marta Quill wrote this.", name("Marta Quill wrote this.", "Marta Quill"))


def test_a_name_of_one_document_is_found_in_another() -> None:
    others = "As Marta Quill said.|MARTA QUILL's poems|marta quill|Marta met Quill|Marta. A Quill|Marta\n\nQuill|Martha Quill".split("|")
    documents: Documents = [*[FOUND] * 8, *((text, []) for text in others)]
    assert missed(documents)[8:] == [["Marta Quill"], ["MARTA QUILL"], [], [], [], [], []]
    [finding] = learned(documents).missed(others[0], [])
    assert finding == Finding("PERSON", 3, 14, KNOWN_SCORE, "KnownName")


def test_a_name_that_is_mostly_not_found_is_no_name() -> None:
    """The engine took a heading for a name once."""
    assert missed([FOUND, *[("Ask Marta Quill.", [])] * 4]) == [[]] * 5
    assert missed([FOUND, *[("Ask Marta Quill.", [])] * 3]) == [[], *[["Marta Quill"]] * 3]


def test_what_a_finding_touches_is_not_found_again() -> None:
    longer = "Dr Marta Quill Ortega reads."
    assert missed([FOUND, (longer, name(longer, "Quill Ortega"))]) == [[], []]
    assert missed([FOUND, FOUND, (longer, [])]) == [[], [], ["Marta Quill"]]


def test_the_longest_name_wins() -> None:
    long = "Marta Quill Ortega reads."
    assert missed([FOUND, (long, name(long, "Marta Quill Ortega")), ("For Marta Quill Ortega.", [])])[2] == ["Marta Quill Ortega"]


def test_single_names_and_other_kinds_are_not_learned() -> None:
    text = "Marta lives at 14 Tanner Street."
    place = Finding("STREET_ADDRESS", 15, 31, 0.9, "EntityModel")
    assert not learned([(text, [*name(text, "Marta"), place])])
    assert not learned([("the quill of marta", name("the quill of marta", "quill of marta"))])


WORDS = st.lists(st.sampled_from("Marta Quill Ortega de marta , . \n and".split(" ")), max_size=12).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_the_result_does_not_depend_on_the_order_and_touches_no_finding(texts: list[str]) -> None:
    documents: Documents = [(text, name(text, "Marta Quill") if "Marta Quill" in text and len(text) % 2 else []) for text in texts]
    result = missed(documents)
    assert missed(documents[::-1]) == result[::-1]
    names = learned(documents)
    for text, findings in documents:
        for finding in names.missed(text, findings):
            assert not any(f.start < finding.end and finding.start < f.end for f in findings)
