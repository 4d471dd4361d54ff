from components.measure_text.places import apart, other_places

LONG = "and so the captain of the long ship went home over the grey sea to his own house".split()


def test_what_overlaps_is_taken_once():
    first, second, elsewhere = " ".join(LONG[:12]), " ".join(LONG[3:]), "the farmer mows the meadow in the morning and rests at noon"
    assert apart([first, second, elsewhere, first]) == [0, 2]
    assert apart([elsewhere, second, first]) == [0, 1]


def test_seven_words_in_common_are_no_overlap():
    assert apart([" ".join(LONG[:8]), "x " + " ".join(LONG[:7])]) == [0, 1]


def test_short_and_empty_texts():
    assert apart(["no", "no", "yes", "", ""]) == [0, 2, 3, 4]


def test_another_place_is_of_the_same_work_and_not_the_same_text():
    texts = [" ".join(LONG[:12]), " ".join(LONG[3:]), "ay, my lord", "the bell", "alone"]
    found = other_places(texts, ["a", "a", "a", "b", "b"], seed=3)
    assert found[0] == found[1] == "ay, my lord"
    assert found[2] in texts[:2]
    assert found[3:] == ["alone", "the bell"]
    assert other_places(["x", "x", "y"], ["a", "a", "b"], seed=1) == [None, None, None]
