from robo_poet.features.distributions import MISSING, MOST_CATEGORIES, OTHER, STORED_CATEGORIES, Distributions
from robo_poet.features.features import FEATURES


def test_batches_add_up_and_examples_are_the_first_documents() -> None:
    columns = {name: [None] * 4 for name in FEATURES} | {"characters": [1, 5, 1, 7], "source": ["a", "b", "a", None]}
    whole, parts = Distributions(examples=2), Distributions(examples=2)
    whole.add(list("wxyz"), columns)
    for rows in (slice(0, 1), slice(1, 4)):
        parts.add(list("wxyz")[rows], {name: column[rows] for name, column in columns.items()})
    assert whole.bins() == parts.bins() and whole.documents == parts.documents == 4
    assert whole.bins()["characters"] == {"1": 2, "4": 1, "6": 1} and whole.bins()["source"] == {"a": 2, "b": 1}
    assert whole.examples("source", MISSING) == ["z"] and whole.examples("year", MISSING) == ["w", "x"]
    assert whole.examples("characters", "1") == parts.examples("characters", "1") == ["w", "y"]


def test_a_million_sources_do_not_fill_the_memory() -> None:
    distributions = Distributions(["source"])
    names = [str(number) for number in range(MOST_CATEGORIES + 500)]
    distributions.add(names, {"source": names})
    stored = distributions.bins()["source"]
    assert len(stored) == STORED_CATEGORIES + 1 and sum(stored.values()) == len(names) and stored[OTHER] == len(names) - STORED_CATEGORIES


def test_a_value_that_reads_like_our_own_category_is_in_quotes() -> None:
    counted = Distributions(["genre"], examples=5)
    counted.add(["a", "b", "c", "d"], {"genre": [MISSING, None, OTHER, "ode"]})
    assert counted.bins()["genre"] == {'"(none)"': 1, '"(other)"': 1, "ode": 1}
    assert counted.examples("genre", MISSING) == ["b"] and counted.examples("genre", '"(none)"') == ["a"]
