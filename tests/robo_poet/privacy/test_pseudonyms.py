import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.privacy.findings import Finding
from robo_poet.privacy.pseudonyms import with_pseudonyms


def marked(text: str) -> tuple[str, list[Finding]]:
    """Return a text without its marks `[ENTITY:value]`, and the findings of the marks."""
    plain, findings = "", []
    for part in re.split(r"(\[[A-Z]+:[^]]*\])", text):
        if mark := re.fullmatch(r"\[([A-Z]+):([^]]*)\]", part):
            findings.append(Finding(mark[1], len(plain), len(plain) + len(mark[2]), 1.0, "test"))
            plain += mark[2]
        else:
            plain += part
    return plain, findings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[PERSON:Marta Quill] met [PERSON:Anna]; [PERSON:MARTA QUILL] left", "<PERSON_1> met <PERSON_2>; <PERSON_1> left"),
        ("[PERSON:Marta] came. [PERSON:Marta Quill] left", "<PERSON_1> came. <PERSON_1> left"),
        ("[PERSON:Anna Kowalski], [PERSON:Anna Smith], [PERSON:Anna]", "<PERSON_1>, <PERSON_2>, <PERSON_3>"),
        ("[PHONE:(212) 867-5309] or [PHONE:212.867.5309]", "<PHONE_1> or <PHONE_1>"),
        ("[PERSON:Anna] [PERSON:Berta]", "<PERSON_1> <PERSON_2>"),
        ("[EMAIL:a@example.org] of [PERSON:Anna]", "<EMAIL_1> of <PERSON_1>"),
        ("[PERSON:Marta's] book by [PERSON:Marta Quill]", "<PERSON_1> book by <PERSON_1>"),
        ("nobody", "nobody"),
    ],
)
def test_equal_values_have_one_number(text: str, expected: str) -> None:
    assert with_pseudonyms(*marked(text)) == expected


@given(
    st.lists(st.tuples(st.sampled_from(["PERSON", "EMAIL"]), st.sampled_from(["Anna", "Anna Quill", "Berta", "berta", "C."])), max_size=30)
)
def test_numbers_are_consecutive_and_no_value_stays(values: list[tuple[str, str]]) -> None:
    text, findings = marked(" and ".join(f"[{entity}:{value}]" for entity, value in values))
    result = with_pseudonyms(text, findings)
    assert not re.search("(?i)anna|berta|quill", result)
    for entity in ("PERSON", "EMAIL"):
        numbers = [int(number) for number in re.findall(rf"<{entity}_(\d+)>", result)]
        assert list(dict.fromkeys(numbers)) == list(range(1, len(set(numbers)) + 1))
    assert result.count("<") == len(values)
