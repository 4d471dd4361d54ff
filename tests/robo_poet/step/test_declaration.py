import pytest

from robo_poet.step.declaration import Artifact, Dataset, Input, Metrics, Output, Port, Result, Step, View, step


@step(group="tokenize")
def count_words(
    corpus: Input[Dataset],
    seed: int,
    note: str | None,
    settings: dict,
    counts: Output[Artifact],
    metrics: View[Metrics],
    total: Result[int],
) -> None:
    """Count the words of a corpus.

    Words are separated by white space.

    Args:
        corpus: The corpus,
            with a second line: and a colon.
        seed: Seed of the sample.
        note: A remark.
        settings: Section `count` of the profile.

    Returns:
        counts: A count for each word (JSON).
        metrics: The number of words.
        total: Number of words.
    """


def test_a_declaration_is_read_from_a_signature_and_its_docstring() -> None:
    assert count_words == Step(
        "count_words", "tokenize", "Count the words of a corpus. Words are separated by white space.",
        (
            Port("corpus", "input", Dataset, "The corpus, with a second line: and a colon."),
            Port("seed", "parameter", int, "Seed of the sample."),
            Port("note", "parameter", str, "A remark.", optional=True),
            Port("settings", "parameter", dict, "Section `count` of the profile."),
            Port("counts", "output", Artifact, "A count for each word (JSON)."),
            Port("metrics", "view", Metrics, "The number of words."),
            Port("total", "result", int, "Number of words."),
        ),
    )  # fmt: skip


def test_ports_are_found_by_role_in_the_declared_order() -> None:
    assert count_words.names("output", "view") == ["counts", "metrics"]
    assert [port.kind for port in count_words.of("result")] == [int]


def test_an_argument_without_a_description_is_refused() -> None:
    with pytest.raises(TypeError, match=r"without a description: \['seed'\]"):

        @step(group="data")
        def forgotten(seed: int) -> None:
            """Do a thing."""


def test_a_description_without_an_argument_is_refused() -> None:
    with pytest.raises(TypeError, match=r"without an argument: \['speed'\]"):

        @step(group="data")
        def misspelt(seed: int) -> None:
            """Do a thing.

            Args:
                seed: Seed of the sample.
                speed: Not an argument.
            """
