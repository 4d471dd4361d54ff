import math

import numpy as np
import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from components.measure_text.english_metrics import (
    english_rows,
    flesch_kincaid_grade,
    mean_sentiment,
    reading_grade,
    syllables,
    toxic_share,
    unknown_rows,
)
from components.measure_text.metric import value

# What a dictionary says; the first half was looked at when the rules were written, the second was not.
SEEN = """over 2 even 2 idea 3 area 3 being 2 create 2 people 2 little 2 the 1 creature 2 reptilian 3 australian 3 platypus 3 seemingly 3
hybrid 2 mammal 2 poem 2 table 2 heaven 2 loved 1 wanted 2 beautiful 3 science 2 lion 2 evening 2 ago 2 open 2 hath 1 majesty 3 noble 2
houses 2 horses 2 makes 1 ages 2 wishes 2 judges 2 played 1 ended 2 ruined 2 moved 1 quiet 2 dying 2 seeing 2 eye 1 lie 1 died 1 queen 1
question 2 nation 2 million 2 various 3 serious 3 precious 2 villain 2 soldier 2 patience 2 experience 4 audience 3 piano 3 giant 2 usual 3
actual 3 january 4 situation 4 fluid 2 power 2 our 1 fire 1 there 1 therefore 2 something 2 everything 3 interest 3 government 3 america 4
united 3 states 1 constitution 4 rhythm 2 syllable 3 able 2 cities 2 friend 1 ancient 2 society 4 agreed 2 breathe 1 dances 2 don't 1 didn't 2"""
UNSEEN = """garden 2 window 2 remember 3 yesterday 3 tomorrow 3 animal 3 music 2 paper 2 water 2 sugar 2 orange 2 apple 2 bottle 2 purple 2 circle 2
stone 1 bridge 1 change 1 changed 1 hoped 1 hated 2 landed 2 walked 1 laughed 1 boxes 2 glasses 2 churches 2 roses 2 bees 1 trees 1 knees 1
family 3 history 3 memory 3 company 3 library 3 machine 2 police 2 village 2 language 2 courage 2 bear 1 beer 1 bread 1 great 1 said 1 praise 1
ocean 2 theory 3 museum 3 poet 2 poetry 3 chaos 2 violin 3 diary 3 period 3 material 4 musical 3 physical 3 political 4 economy 4 democracy 4
education 4 information 4 religion 3 opinion 3 union 2 onion 2 suspicion 3 conscious 2 delicious 3 furious 3 obvious 3 victorious 4 glory 2
story 2 hurry 2 marry 2 married 2 worried 2 hurried 2 knife 1 knives 1 lives 1 leaves 1 sleeve 1 believe 2 receive 2 whole 1 rule 1 rules 1
rude 1 cute 1 fuse 1 used 1 tired 1 admire 2 desire 2 require 2 umbrella 3 banana 3 potato 3 tomato 3 volcano 3 zero 2 hero 2 heroes 2"""


def accuracy(listed):
    words = listed.split()
    return np.mean([syllables(word) == int(count) for word, count in zip(words[::2], words[1::2], strict=True)])


def test_syllables_agree_with_a_dictionary():
    assert accuracy(SEEN) > 0.97
    assert accuracy(UNSEEN) > 0.93
    assert syllables("O’er") == 1 and syllables("Hamlet's") == 2 and syllables("hmm") == 1


def test_grades_equal_published_examples():
    counts = lambda *numbers: [np.asarray([number], float) for number in numbers]  # noqa: E731
    # The lowest grade there is: sentences of one word of one syllable.
    assert flesch_kincaid_grade(*counts(1, 1, 1))[0] == pytest.approx(-3.40)
    assert value(reading_grade(["Go."]).statistic, 1) == pytest.approx(-3.40)
    # Six words of one syllable.
    assert value(reading_grade(["The cat sat on the mat."]).statistic, 1) == pytest.approx(-1.45)
    # 13 words and 24 syllables, as it is cited: 0.39 · 13 + 11.8 · 24/13 − 15.59
    platypus = "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature."
    assert value(reading_grade([platypus]).statistic, 1) == pytest.approx(11.264, abs=1e-3)


def test_the_grade_is_of_all_texts_together():
    short, long_ = "Go.", "The cat sat on the mat."
    assert value(reading_grade([short, long_]).statistic, 2) == pytest.approx(0.39 * 7 / 2 + 11.8 - 15.59)
    assert value(reading_grade(["The cat sat. On the"]).statistic, 1) == pytest.approx(
        0.39 * 5 / 2 + 11.8 - 15.59
    )  # cut off: two sentences


def test_without_words_there_is_no_grade():
    assert math.isnan(value(reading_grade(["", "… 12 --"]).statistic, 2))


def test_sentiment_equals_vader():
    texts = ["I love this wonderful day!", "A horrible, cruel death.", "The table is in the hall."]
    expected = [SentimentIntensityAnalyzer().polarity_scores(text)["compound"] for text in texts]
    assert list(mean_sentiment(texts).rows) == expected
    assert expected[0] > 0.5 > -0.5 > expected[1] and expected[2] == 0
    assert value(mean_sentiment(texts).statistic, 3) == pytest.approx(sum(expected) / 3)


def test_abuse_is_counted_and_ignored_words_are_not():
    texts = ["The moon is bright upon the sea. Shut up, you stupid idiot. The stars are far.", "The moon is bright.", "", "thou art a fool"]
    assert list(toxic_share(texts, 0.9, ["fool"]).rows) == [1, 0, 0, 0]
    assert value(toxic_share(texts, 0.9, []).statistic, 4) >= 0.25


def test_rows_in_english_or_an_unknown_language_are_selected():
    assert english_rows(["en", "en-GB", "", *["en"] * 17, "fr"]) == [*range(20)]
    assert (
        english_rows(["en"] * 18 + ["fr"] * 2) == english_rows(["en", "fr", "de"]) == english_rows(["en", "fr"]) == english_rows([]) == []
    )
    assert unknown_rows(["en", "", "whatever it is", "fr"]) == 2
