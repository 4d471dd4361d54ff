"""The YAML that users write: what is a number and what is a text, and one line for each problem."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.strict_yaml import parse_value, parse_yaml

PLAIN = {
    "010": 10, "0": 0, "-7": -7, "+7": 7, "00012": 12, "1.5": 1.5, ".5": 0.5, "3.": 3.0, "3e-4": 3e-4, "1E6": 1e6, ".inf": math.inf, "-.INF": -math.inf,
    "12:30": "12:30", "1:30:00": "1:30:00", "190:20:30": "190:20:30", "0x10": "0x10", "0o17": "0o17", "0b11": "0b11", "1_000": "1_000", "1_0.5": "1_0.5",
    "yes": "yes", "no": "no", "on": "on", "off": "off", "Yes": "Yes", "OFF": "OFF", "y": "y", "n": "n", "true": True, "True": True, "FALSE": False, "tRue": "tRue",
    "2024-01-15": "2024-01-15", "2024-01-15 12:30:00": "2024-01-15 12:30:00", "2024-01-15T12:30:00Z": "2024-01-15T12:30:00Z",
    "null": None, "~": None, "": None, "none": "none", "None": "None", "=": "=", "<<": "<<", "1.2.3": "1.2.3", "1e": "1e", "-": "-", ".": ".", "٣": "٣", "１２": "１２",
    "po$ems": "po$ems", "~/poems": "~/poems", "caf\u00e9": "caf\u00e9",
}  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_value_is_a_decimal_number_true_false_null_or_the_text(text: str) -> None:
    expected = PLAIN[text]
    values: list[Any] = [parse_value(text, where="--set x")]
    if text not in ("-", "=", "<<"):  # in a document, these are syntax
        values += [parse_yaml(f"x: {text}\n", where="f")["x"], parse_yaml(f"[a, {text}]" if text else "[a, ~]", where="f")[1]]
    assert all(value == expected and type(value) is type(expected) for value in values), values


def test_nan_is_a_number() -> None:
    assert math.isnan(parse_value(".nan", where="")) and math.isnan(parse_yaml(".NaN", where=""))


@pytest.mark.parametrize(
    "text",
    [
        "po$ems #1", "a: b", "*star", "&name x", "!bang", "@home", "`tick`", "%x", "| pipe", "> more", "- item", "? why", "# all of it", "[draft", "{draft",
        "'tis the season", '"quoted" and more', " blanks ", "tab\there", "back\\slash", "{a}b", "$(HOME) ${HOME}", "a\nb", "\u201cquoted\u201d", "\U0001f600",
    ],
)  # fmt: skip
def test_a_text_on_the_command_line_stays_as_it_stands(text: str) -> None:
    assert parse_value(text, where="--set x") == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[a, 1, 010]", ["a", 1, 10]), ("{cpu: 500m, gpu: 1}", {"cpu": "500m", "gpu": 1}), ('"010"', "010"), ("'yes'", "yes"), ('"a: #b"', "a: #b"), (" [1]", [1]),
        ("{1609: none, yes: x}", {"1609": "none", "yes": "x"}), ("[{metric: '*', drop: a test}]", [{"metric": "*", "drop": "a test"}]),
    ],
)  # fmt: skip
def test_lists_mappings_and_quoted_texts_are_yaml(text: str, value: Any) -> None:
    assert parse_value(text, where="--set x") == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seed: 1\ntrain: {a: 1}\nseed: 2\n", "f: the key seed is there twice, on lines 1 and 3; keep one, with the values of both"),
        ("a: {b: 1, b: 2}", "f: the key b is there twice, on line 1; keep one, with the values of both"),
        ("1: x\n'1': y", "f: the key 1 is there twice, on lines 1 and 2; keep one, with the values of both"),
        ("train: &t {x: *t}", "f: the anchor contains itself (line 1, column 8); write the value out"),
        ("a: &a [1, [2, *a]]", "f: the anchor contains itself (line 1, column 4); write the value out"),
        ("a: &a\n  <<: *a", "f: the anchor contains itself (line 1, column 4); write the value out"),
        ("a: 1\n  b: 2", "f: not YAML: mapping values are not allowed here (line 2, column 4)"),
        ("a: [", "f: not YAML: expected the node content, but found '<stream end>' (line 1, column 5)"),
        ("a: *b", "f: not YAML: found undefined alias 'b' (line 1, column 4)"),
        ("a: \x07", "f: not YAML: unacceptable character #x0007: special characters are not allowed"),
        ("a: 1\n---\nb: 2", "f: not YAML: but found another document (line 2, column 1)"),
        ("\ta: 1", "f: not YAML: found character '\\t' that cannot start any token (line 1, column 1)"),
        ("a: !!python/name:os.system x", "f: the tag !!python/name:os.system is not supported here (line 1, column 4); remove it"),
        ("a: !!timestamp 2024-01-15", "f: the tag !!timestamp is not supported here (line 1, column 4); remove it"),
        ("a: !!int 0x10", "f: the tag !!int is not supported here (line 1, column 4); remove it"),
        ("a: !!set {x, y}", "f: the tag !!set is not supported (line 1, column 4); remove it"),
        ("[a, b]: 1", "f: a key is a list or a mapping (line 1, column 1); write a word"),
        ("a: {<<: 3}", "f: << takes a mapping or a list of mappings (line 1, column 9)"),
        (f"a: {'9' * 5000}", "f: the number has too many digits (line 1, column 4)"),
        ("[" * 5000, "f: nested deeper than 50"),
        ('a: "\\ud83d"', "f: half of a surrogate pair is not a character (line 1, column 4)"),
    ],
)  # fmt: skip
def test_a_problem_is_one_line_with_its_place(text: str, line: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_yaml(text, where="f")
    assert str(error.value).startswith(line) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["{a: 1, a: 2}", "[&a [*a]]", f"{'[' * 5000}", f"{'9' * 5000}", "[!!python/none x]"])
def test_a_problem_of_a_value_names_the_option(text: str) -> None:
    with pytest.raises(BadInput, match="^--set x: "):
        parse_value(text, where="--set x")


def test_aliases_cannot_stand_for_a_billion_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    with pytest.raises(BadInput, match="more than 100,000 values"):
        parse_yaml("\n".join(lines), where="f")


def test_anchors_and_merged_mappings_are_read() -> None:
    text = "base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\nboth: {<<: [{x: 5}, *b]}\nagain: *b\n"
    assert parse_yaml(text, where="f") == {
        "base": {"x": 1, "y": 2},
        "mine": {"x": 1, "y": 3},
        "both": {"x": 5, "y": 2},
        "again": {"x": 1, "y": 2},
    }


def test_an_empty_document_is_none() -> None:
    assert (
        parse_yaml("", where="f") is None
        and parse_yaml("# only a comment\n", where="f") is None
        and parse_yaml("\ufeffa: 1", where="f") == {"a": 1}
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=40), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_json_is_read_as_json_reads_it(value: Any) -> None:
    text = json.dumps(value)
    assert parse_yaml(text, where="f") == json.loads(text)


def test_every_bundled_profile_reads_as_before() -> None:
    for path in sorted((Path(__file__).resolve().parents[2] / "profiles").glob("*.yaml")):
        assert parse_yaml(path.read_text("utf-8"), where=path.name) == yaml.safe_load(path.read_text("utf-8"))
