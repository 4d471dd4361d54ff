import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from components.measure_text.english_metrics import english_rows, mean_sentiment, toxic_share, unknown_rows
from components.measure_text.metric import value


def test_sentiment_is_vader_s():
    texts = ["I love this wonderful day!", "A horrible, cruel death.", "The table is in the hall."]
    expected = [SentimentIntensityAnalyzer().polarity_scores(text)["compound"] for text in texts]
    assert list(mean_sentiment(texts).rows) == expected
    assert expected[0] > 0.5 > -0.5 > expected[1] and expected[2] == 0
    assert value(mean_sentiment(texts).statistic, 3) == pytest.approx(sum(expected) / 3)


def test_abuse_is_counted_and_the_stage_s_words_are_not():
    texts = ["The moon is bright upon the sea. Shut up, you stupid idiot. The stars are far.", "The moon is bright.", "", "thou art a fool"]
    assert list(toxic_share(texts, 0.9, ["fool"]).rows) == [1, 0, 0, 0]
    assert value(toxic_share(texts, 0.9, []).statistic, 4) >= 0.25


def test_which_rows_are_english():
    assert english_rows(["en", "en-GB", "", *["en"] * 17, "fr"]) == [*range(20)]
    assert (
        english_rows(["en"] * 18 + ["fr"] * 2) == english_rows(["en", "fr", "de"]) == english_rows(["en", "fr"]) == english_rows([]) == []
    )
    assert unknown_rows(["en", "", "whatever it is", "fr"]) == 2
