from robo_poet.privacy.findings import Finding
from robo_poet.privacy.names.repeated_names import repeated_names


def again(text: str, name: str) -> list[str]:
    finding = Finding("PERSON", text.index(name), text.index(name) + len(name), 0.9, "r")
    return [text[f.start : f.end] for f in repeated_names(text, [finding], {"the"}.__contains__)]


def test_the_parts_of_a_full_name_are_found_elsewhere() -> None:
    assert again("Anna Kowalski came. Kowalski's dog, Anna Kowalski and anna@example.org", "Anna Kowalski") == [
        "Anna Kowalski",
        "Kowalski",
        "Anna Kowalski",
    ]


def test_single_names_and_ordinary_words_are_not() -> None:
    assert again("Speaker rose. The Speaker spoke.", "Speaker") == []
    assert again("Will Hope came. I will go. Hope came.", "Will Hope") == ["Hope", "Hope"]
