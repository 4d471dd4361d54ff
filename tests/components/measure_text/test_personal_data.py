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
from robo_poet.corpus.parquet import write_documents
from robo_poet.privacy.findings import Finding, new_audit
from robo_poet.privacy.patterns.finder import PatternFinder

TRAINING = ["Write to anna.k@example.org today.", "Call (212) 867-5309 or not."]


def test_data_from_the_training_text_counts_as_known():
    texts = ["ask anna.k@example.org", "ask bela@example.com or (212) 867-5309", "ask nobody", "anna.k@example.org, anna.k@example.org"]
    found = find_personal_data(texts, TRAINING, RemovedData({}), 0.4)
    assert (found.found, found.known) == ([1, 2, 0, 2], [1, 1, 0, 2])
    assert found.kinds == {"EMAIL_ADDRESS": 4, "PHONE_NUMBER": 1}
    assert found.known_kinds == {"EMAIL_ADDRESS": 3, "PHONE_NUMBER": 1}


def test_numbers_with_a_check_digit_are_found():
    texts = ["4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32", "192.168.17.4", "<EMAIL_ADDRESS> and <PERSON>", "Sonnet 116, line 12"]
    found = find_personal_data(texts, [], RemovedData({}), 0.4)
    assert found.found == [1, 1, 1, 0, 0] and found.known == [0] * 5
    assert set(found.kinds) == {"CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS"}


def test_the_result_holds_counts_and_no_data():
    assert "anna" not in repr(find_personal_data(["ask anna.k@example.org"], TRAINING, RemovedData({("ask", "anna"): "PERSON"}), 0.4))


def test_removed_data_counts_once_in_any_spelling():
    taken = RemovedData({("anna", "k", "example", "org"): "EMAIL_ADDRESS", ("mara", "ellison"): "PERSON"})
    found = find_personal_data(["ask Anna.K@example.org", "MARA\n  Ellison's, Mara", "anna k", ""], [], taken, 0.4)
    assert (found.found, found.known) == ([1, 1, 0, 0], [1, 1, 0, 0])
    assert found.kinds == found.known_kinds == {"EMAIL_ADDRESS": 1, "PERSON": 1}


NUMBERS = ["212-555-0147", "212.555.0147", "(212) 555-0147", "212 555 0147", "212 555–0147", "2125550147"]


@pytest.mark.parametrize("learnt", NUMBERS)
@pytest.mark.parametrize("written", NUMBERS)
def test_a_number_is_equal_in_any_spelling(learnt, written):
    text = f"Call {written} at night."
    assert identity(learnt) == identity(written) == ("2125550147",)
    assert find_personal_data([text], [f"The line is {learnt}, he said."], RemovedData({}), 0.4).known == [
        int(bool(PatternFinder(0.4).find(text)))
    ]
    assert find_personal_data([text], [], RemovedData({identity(learnt): "PHONE_NUMBER"}), 0.4).known == [1]


@given(st.text("abé1's .\n", max_size=40), st.text("abé1's .\n", max_size=10), st.text("abé1's .\n", max_size=40))
def test_data_inside_a_text_is_found(before, data, after):
    words = identity(data)
    if words and len(words) <= 8 and not re.search(r"\d", data):
        assert ("X", words) in list(RemovedData({words: "X"}).find_in(f"{before} {data} {after}"))
        assert spelling_pattern(words).search(f"{before} {data} {after}".casefold())
        assert not list(RemovedData({(*words, "c"): "X"}).find_in(f"{before} {after}"))


def scrub(folder, text, findings):
    """Write a corpus of one document and the audit of `findings`, (kind, text of the finding) each; return what load_removed_data reads."""
    document = Document("d", "g", "", split="train").with_text(text)
    write_documents(folder / "corpus", [document])
    with new_audit(folder / "audit", b"key") as audit:
        audit.add(document, [Finding(kind, text.index(data), text.index(data) + len(data), 0.9, "r") for kind, data in findings])
    return load_removed_data(folder / "corpus", folder / "audit")


def test_only_full_names_and_other_kinds_are_searched_for(tmp_path):
    text = (
        "Anna wrote to Mara Ellison's\nmaid Mira\nBell, 4111111111111111, and Anna said I ne'er saw Heigh-ho or Death's scythe, Exit Page."
    )
    persons = ["Anna", "Mara Ellison's", "Mira", "Bell", "I ne'er", "Heigh-ho", "Death's", "Exit Page"]
    removed = scrub(tmp_path, text, [*(("PERSON", name) for name in persons), ("CREDIT_CARD", "4111111111111111")])
    assert removed.kinds == {("mara", "ellison"): "PERSON", ("mira", "bell"): "PERSON", ("4111111111111111",): "CREDIT_CARD"}
    assert removed.skipped == 5


def test_a_handle_needs_its_sign_and_a_house_number_is_no_person(tmp_path):
    """Seen in a manual: `@beartype` is a decorator, 1000 a number of rows, and the completions used both as words."""
    findings = [
        ("HANDLE", "@beartype"),
        ("STREET_ADDRESS", "1000"),
        ("STREET_ADDRESS", "41 999"),
        ("STREET_ADDRESS", "7 Elm Road"),
        ("US_SSN", "078-05-1120"),
    ]
    removed = scrub(tmp_path, "Ask @beartype, 1000, 41 999, 7 Elm Road, 078-05-1120.", findings)
    assert removed.kinds.keys() == {("beartype",), ("7", "elm", "road"), ("078051120",)} and removed.skipped == 2
    texts = ["beartype checks types of 1000 rows", "ask @beartype", "Ask @BearType!", "7 Elm Road", "no 078051120"]
    assert find_personal_data(texts, [], removed, 0.4).known == [0, 1, 1, 1, 1]


def test_a_name_of_common_words_is_found_only_with_capitals(tmp_path):
    """The name finder takes headings of a manual for names. Then code such as `download_dataset` is not a name."""
    texts = ["Download Dataset by Mara Ellison and 王 小明.", *["download the dataset of 王 小明, mara ellison"] * 3]
    documents = [Document(f"d{number}", "g", "", split="train").with_text(text) for number, text in enumerate(texts)]
    write_documents(tmp_path / "corpus", documents)
    with new_audit(tmp_path / "audit", b"key") as audit:
        spans = [(texts[0].index(name), texts[0].index(name) + len(name)) for name in ("Download Dataset", "Mara Ellison")]
        audit.add(documents[0], [Finding("PERSON", start, end, 0.9, "r") for start, end in spans])
    removed = load_removed_data(tmp_path / "corpus", tmp_path / "audit")
    assert removed.common == {("download", "dataset")}
    found = find_personal_data(
        ["call download_dataset()", "Download Dataset", "DOWNLOAD DATASET", "mara_ellison", "Mara Ellison"], [], removed, 0.4
    )
    assert found.known == [0, 1, 1, 1, 1]
    without_case = RemovedData({("王", "小明"): "PERSON"}, common=frozenset({("王", "小明")}))
    assert find_personal_data(["王 小明"], [], without_case, 0.4).known == [1]


def test_a_word_beside_another_word_of_names_may_be_common(tmp_path):
    """Seen in Spanish quotations: "Poeta Latino" was found once, and "latino" stands after other words of names, such as "filósofo"."""
    text = (
        "Poeta Latino y Filósofo Ortega. "
        + "Uno, poeta latino. " * 10
        + "El poeta calla. Un filósofo latino. " * 10
        + "ortega el joven. " * 2
    )
    removed = scrub(tmp_path, text, [("PERSON", "Poeta Latino"), ("PERSON", "Filósofo Ortega")])
    assert removed.common == {("poeta", "latino")}
    assert find_personal_data(["un poeta latino", "Poeta Latino", "filósofo ortega"], [], removed, 0.4).known == [0, 1, 1]


def test_a_heading_and_the_text_below_it_are_no_name(tmp_path):
    """Seen in a corpus of man pages: "GIT" and "Part of the git suite". A name across a line break stays, if its words are no common words."""
    usual = " " + "for part of git; " * 10
    removed = scrub(
        tmp_path, "GIT\n   Part of the suite, by Mara\nEllison" + usual, [("PERSON", "GIT\n   Part"), ("PERSON", "Mara\nEllison")]
    )
    assert removed.kinds == {("mara", "ellison"): "PERSON"} and not removed.common


def test_a_word_may_be_the_subject_of_one_document(tmp_path):
    text = "Git Maintenance by Mara Ellison. " + "For maintenance of git, " * 10 + "see mara, see ellison."
    removed = scrub(tmp_path, text, [("PERSON", "Git Maintenance"), ("PERSON", "Mara Ellison")])
    assert removed.common == {("git", "maintenance")}
    found = find_personal_data(["git maintenance run", "Git Maintenance", "mara ellison"], [], removed, 0.4)
    assert found.known == [0, 1, 1]


def test_a_full_name_has_two_capitalised_words_in_any_alphabet():
    assert all(map(is_full_name, ("Élodie Ångström", "Álvaro de la Peña", "J. R. O'Neill", "JEAN-LUC Picard", "Мария Иванова")))
    assert all(map(is_full_name, ("Prince Henry Tudor", "Mr. Quistgaard", "Stephen King", "Doris Duke", "Alexander Pope")))
    assert not any(
        map(
            is_full_name,
            ("KING HENRY", "Duke of York", "Saint George", "élodie", "I ne'er", "O thou", "Heigh-ho", "Exit Page", "thou keepest"),
        )
    )


@pytest.mark.parametrize("kind", ["PERSON", "LOCATION", "URL"])
@pytest.mark.parametrize("data", ["Harrow's End", "Harrow’s End", "HARROW'S END's"])
def test_a_possessive_inside_removed_data_does_not_hide_it(kind, data, tmp_path):
    removed = scrub(tmp_path, f"The mill of {data} stands.", [(kind, data)])
    assert removed.kinds == {("harrow", "end"): kind}
    for completion in ("I saw Harrow's End at noon", "HARROW’S\nEND", "Harrow End's bells"):
        assert find_personal_data([completion], [], removed, 0.4).known_kinds == {kind: 1}, completion


def test_pattern_data_with_a_possessive_is_found_in_the_training_text_and_counts_once():
    text = "See https://harrow.example/harrow's/end today."
    removed = RemovedData({identity("https://harrow.example/harrow's/end"): "URL"})
    assert find_personal_data([text], [text], RemovedData({}), 0.4).known == find_personal_data([text], [], removed, 0.4).known == [1]


def test_a_word_of_dots_is_no_name_and_takes_no_time() -> None:
    """The pattern tried all ways to divide the dots."""
    assert not is_full_name("A" + "." * 5000 + "1 B" + "." * 5000 + "1")
