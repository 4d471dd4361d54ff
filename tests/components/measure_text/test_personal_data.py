from components.measure_text.personal_data import find_personal_data

TRAINING = ["Write to anna.k@example.org today.", "Call (212) 867-5309 or not."]


def test_what_is_from_the_training_text_is_told_apart():
    texts = ["ask anna.k@example.org", "ask bela@example.com or (212) 867-5309", "ask nobody", "anna.k@example.org, anna.k@example.org"]
    found = find_personal_data(texts, TRAINING, 0.4)
    assert (found.found, found.known) == ([1, 2, 0, 2], [1, 1, 0, 2])
    assert found.kinds == {"EMAIL_ADDRESS": 4, "PHONE_NUMBER": 1}
    assert found.known_kinds == {"EMAIL_ADDRESS": 3, "PHONE_NUMBER": 1}


def test_kinds_with_a_check_digit():
    texts = ["4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32", "192.168.17.4", "<EMAIL_ADDRESS> and <PERSON>", "Sonnet 116, line 12"]
    found = find_personal_data(texts, [], 0.4)
    assert found.found == [1, 1, 1, 0, 0] and found.known == [0] * 5
    assert set(found.kinds) == {"CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS"}


def test_nothing_leaves_but_counts():
    assert "anna" not in repr(find_personal_data(["ask anna.k@example.org"], TRAINING, 0.4))
