from pathlib import Path

import pytest

from robo_poet.errors import BadInput, parse_object, read_object, validation_message


def test_reads_an_object(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": [1, null]}')
    assert read_object(tmp_path / "a.json") == parse_object('{"a": [1, null]}', where="here") == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "message"), [("", "here: not JSON"), ("{", "not JSON"), ("[]", "needed, not list"), ("[" * 99999, "not JSON")]
)
def test_text_that_is_no_json_object_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse_object(text, where="here")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    for path in (tmp_path, tmp_path / "a.json"):
        with pytest.raises(BadInput, match="not a JSON file"):
            read_object(path)


@pytest.mark.parametrize("message", ["Value error, Stride is larger than window", "Stride is larger than window"])
def test_a_validation_message_has_no_prefix_and_begins_in_lower_case(message: str) -> None:
    assert validation_message(message) == "stride is larger than window"
