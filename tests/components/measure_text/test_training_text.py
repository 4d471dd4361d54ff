from collections import Counter

from components.measure_text.training_text import TrainingText, encode_texts, passages, sample_passages


def test_passages_have_100_words():
    assert list(passages(["a " * 250, "", "b"])) == [" ".join("a" * 100), " ".join("a" * 100), " ".join("a" * 50), "b"]


def test_passages_are_sampled_uniformly():
    assert sample_passages(["a", "b", "c"], seed=1, most=5) == ["a", "b", "c"]
    words = [f"w{number}" for number in range(20)]
    drawn = Counter(word for seed in range(2000) for word in sample_passages(words, seed, most=5))
    assert all(400 < drawn[word] < 600 for word in words)  # 500 expected, standard deviation 19


def test_the_training_split_can_be_iterated_repeatedly(corpus, training, tokenizer):
    text = TrainingText(corpus)
    assert list(text) == list(text) == training
    assert list(encode_texts(text, tokenizer)) == [tokenizer.encode(one) for one in training]
