import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.measure_text.personal_data import (
    RemovedData,
    find_personal_data,
    identity,
    is_full_name,
    load_removed_data,
    spelling_pattern,
)
from robo_poet.corpus.document import Document
from robo_poet.corpus.write import write_documents
from robo_poet.privacy.audit import new_audit
from robo_poet.privacy.finding import Finding
from robo_poet.privacy.patterns import PatternFinder

TRAINING = ["Write to anna.k@example.org today.", "Call (212) 867-5309 or not."]


def test_what_is_from_the_training_text_is_told_apart():
    texts = ["ask anna.k@example.org", "ask bela@example.com or (212) 867-5309", "ask nobody", "anna.k@example.org, anna.k@example.org"]
    found = find_personal_data(texts, TRAINING, RemovedData({}), 0.4)
    assert (found.found, found.known) == ([1, 2, 0, 2], [1, 1, 0, 2])
    assert found.kinds == {"EMAIL_ADDRESS": 4, "PHONE_NUMBER": 1}
    assert found.known_kinds == {"EMAIL_ADDRESS": 3, "PHONE_NUMBER": 1}


def test_kinds_with_a_check_digit():
    texts = ["4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32", "192.168.17.4", "<EMAIL_ADDRESS> and <PERSON>", "Sonnet 116, line 12"]
    found = find_personal_data(texts, [], RemovedData({}), 0.4)
    assert found.found == [1, 1, 1, 0, 0] and found.known == [0] * 5
    assert set(found.kinds) == {"CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS"}


def test_nothing_leaves_but_counts():
    assert "anna" not in repr(find_personal_data(["ask anna.k@example.org"], TRAINING, RemovedData({("ask", "anna"): "PERSON"}), 0.4))


def test_what_was_taken_out_counts_once_and_however_it_is_set():
    taken = RemovedData({("anna", "k", "example", "org"): "EMAIL_ADDRESS", ("mara", "ellison"): "PERSON"})
    found = find_personal_data(["ask Anna.K@example.org", "MARA\n  Ellison's, Mara", "anna k", ""], [], taken, 0.4)
    assert (found.found, found.known) == ([1, 1, 0, 0], [1, 1, 0, 0])
    assert found.kinds == found.known_kinds == {"EMAIL_ADDRESS": 1, "PERSON": 1}


NUMBERS = ["212-555-0147", "212.555.0147", "(212) 555-0147", "212 555 0147", "212 555–0147", "2125550147"]


@pytest.mark.parametrize("learnt", NUMBERS)
@pytest.mark.parametrize("written", NUMBERS)
def test_a_number_is_the_same_however_it_is_set(learnt, written):
    text = f"Call {written} at night."
    assert identity(learnt) == identity(written) == ("2125550147",)
    assert find_personal_data([text], [f"The line is {learnt}, he said."], RemovedData({}), 0.4).known == [
        int(bool(PatternFinder(0.4).find(text)))
    ]
    assert find_personal_data([text], [], RemovedData({identity(learnt): "PHONE_NUMBER"}), 0.4).known == [1]


@given(st.text("abé1 .\n", max_size=40), st.text("abé1 .\n", max_size=10), st.text("abé1 .\n", max_size=40))
def test_what_is_there_is_found(before, said, after):
    words = identity(said)
    if words and len(words) <= 8 and not re.search(r"\d", said):
        assert ("X", words) in list(RemovedData({words: "X"}).within(f"{before} {said} {after}"))
        assert spelling_pattern(words).search(f"{before} {said} {after}".casefold())
        assert not list(RemovedData({(*words, "c"): "X"}).within(f"{before} {after}"))


def test_a_first_name_alone_is_nobody_and_a_number_is_somebody(tmp_path):
    text = (
        "Anna wrote to Mara Ellison's\nmaid Mira\nBell, 4111111111111111, and Anna said I ne'er saw Heigh-ho or Death's scythe, Exit Page."
    )
    document = Document("d", "g", "", split="train").with_text(text)
    write_documents(tmp_path / "corpus", [document])
    persons = ["Anna", "Mara Ellison's", "Mira", "Bell", "I ne'er", "Heigh-ho", "Death's", "Exit Page"]
    places = [(text.index(name), text.index(name) + len(name), "PERSON") for name in persons]
    places.append((text.index("4111"), text.index("4111") + 16, "CREDIT_CARD"))
    with new_audit(tmp_path / "audit") as audit:
        audit.add(document, [Finding(kind, start, end, 0.9, "r") for start, end, kind in places])
    assert all(map(is_full_name, ("Élodie Ångström", "Álvaro de la Peña", "J. R. O'Neill", "JEAN-LUC Picard", "Мария Иванова")))
    assert not any(map(is_full_name, ("élodie", "I ne'er", "O thou", "Heigh-ho", "Exit Page", "thou keepest")))
    found = load_removed_data(tmp_path / "corpus", tmp_path / "audit")
    assert found.kinds == {("mara", "ellison"): "PERSON", ("mira", "bell"): "PERSON", ("4111111111111111",): "CREDIT_CARD"}
    assert found.left == 5
