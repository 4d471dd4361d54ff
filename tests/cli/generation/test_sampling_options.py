import pytest

from cli.generation.sampling_options import FIELDS, HELP, format_setting, parse_setting, sampling_of
from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling


def test_every_setting_has_a_help_text_and_a_field_of_sampling() -> None:
    assert list(FIELDS) == list(HELP)
    assert all(hasattr(Sampling, field) for field in FIELDS.values())


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("temperature 0.6", "temperature", 0.6),
        ("top_k=20", "top_k", 20),
        ("max-length  200", "max_new", 200),
        ("stop . ! ?", "stop", (".", "!", "?")),
        (r'stop "\n\n" ". "', "stop", ("\n\n", ". ")),
        ("stop", "stop", ()),
        ("stop none", "stop", ()),
        ("""ban "'" '"' #""", "banned", ("'", '"', "#")),
    ],
)
def test_a_setting_is_parsed(words: str, field: str, value: object) -> None:
    assert parse_setting(words) == (field, value)


@pytest.mark.parametrize("value", [(), (".",), (". ", "\n\n", "'")])
def test_a_formatted_setting_can_be_parsed_again(value: tuple[str, ...]) -> None:
    assert parse_setting(f"stop {format_setting(value)}") == ("stop", value)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("warmth 1", "unknown setting 'warmth'; the settings are max-length, min-length"),
        ("", "unknown setting ''"),
        ("temperature", "temperature: '' is not a number; for example temperature=0.8"),
        ("top-k 2.5", "top-k: '2.5' is not a whole number"),
        ("ban '", "ban: a quotation mark is not closed"),
    ],
)
def test_an_invalid_setting_has_a_one_line_message(words: str, line: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_setting(words)
    assert str(error.value).startswith(line)


def test_the_default_minimum_length_is_lowered_to_the_maximum() -> None:
    assert sampling_of({}) == Sampling()
    assert sampling_of({"max_new": 4}).min_new == 4
    with pytest.raises(BadInput, match=r"^min-length: 9 is more than max-length, 4; lower the minimum or raise the maximum$"):
        sampling_of({"max_new": 4, "min_new": 9})
