from components.measure_text.texts import non_overlapping_rows, other_texts_of_work

LONG = "and so the captain of the long ship went home over the grey sea to his own house".split()


def test_overlapping_texts_are_used_once():
    first, second, elsewhere = " ".join(LONG[:12]), " ".join(LONG[3:]), "the farmer mows the meadow in the morning and rests at noon"
    assert non_overlapping_rows([first, second, elsewhere, first]) == [0, 2]
    assert non_overlapping_rows([elsewhere, second, first]) == [0, 1]


def test_seven_common_words_are_no_overlap():
    assert non_overlapping_rows([" ".join(LONG[:8]), "x " + " ".join(LONG[:7])]) == [0, 1]


def test_short_and_empty_texts_overlap_only_if_equal():
    assert non_overlapping_rows(["no", "no", "yes", "", ""]) == [0, 2, 3, 4]


def test_the_other_text_is_of_the_same_work_and_different():
    texts = [" ".join(LONG[:12]), " ".join(LONG[3:]), "ay, my lord", "the bell", "alone"]
    found = other_texts_of_work(texts, ["a", "a", "a", "b", "b"], seed=3)
    assert found[0] == found[1] == "ay, my lord"
    assert found[2] in texts[:2]
    assert found[3:] == ["alone", "the bell"]
    assert other_texts_of_work(["x", "x", "y"], ["a", "a", "b"], seed=1) == [None, None, None]
