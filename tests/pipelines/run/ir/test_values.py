"""Parameter values and placeholders: the same text on a command line as on the cluster."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.run.ir.values import PlaceholderValues, check_placeholders, fill_placeholders, from_text, plain, render, typed
from robo_poet.errors import BadInput

COMPONENT = {
    "inputDefinitions": {"parameters": {"x": {}, "y": {}}, "artifacts": {"corpus": {}}},
    "outputDefinitions": {"parameters": {"digest": {}}, "artifacts": {"model": {}}},
}
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text()
structs = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"), (42, "42"), (1.5, "1.5"), (1e-7, "0.0000001"), (1e21, "1000000000000000000000"), (1e23, "1" + "0" * 23),
        (-0.25, "-0.25"),
        (0.0003, "0.0003"), (True, "true"), (False, "false"), (None, ""), ("3.0", "3.0"), ("", ""), ([], "[]"), ({}, "{}"),
        ({"b": [1.0, 2.5, None], "a": {"c": True}}, '{"a":{"c":true},"b":[1,2.5,null]}'), ([1e-7, 1e21, 1e-5], "[1e-7,1e+21,0.00001]"),
        (["<a&b>", "é\n"], '["\\u003ca\\u0026b\\u003e","é\\n"]'),
    ],
)  # fmt: skip
def test_rendering_matches_the_kfp_launcher(value: object, text: str) -> None:
    assert render(plain(value)) == text


@given(numbers)
def test_a_number_reads_back_and_has_no_exponent(value: float) -> None:
    text = render(plain(value))
    assert float(text) == value and "e" not in text.lower() and not text.endswith(".0")


@given(structs)
def test_structs_are_json_and_whole_floats_are_integers(value: object) -> None:
    if not isinstance(value, (dict, list)):
        return
    text = render(plain(value))
    back = plain(json.loads(text, parse_int=float))
    assert back == plain(value) and render(back) == text


@given(st.text(), st.text())
def test_a_value_is_never_expanded_again(x: str, y: str) -> None:
    x += "{{$.inputs.parameters['y']}}"
    placeholders = PlaceholderValues({"x": x, "y": y}, {}, Path("/o"))
    template = "<{{$.inputs.parameters['x']}}|{{$.inputs.parameters[\"y\"]}}>"
    check_placeholders(template, COMPONENT, "t")
    assert fill_placeholders(template, placeholders) == f"<{x}|{y}>"


def test_every_supported_placeholder() -> None:
    placeholders = PlaceholderValues({"x": 2}, {"corpus": Path("/in")}, Path("/o"))
    template = (
        "{{$.inputs.parameters['x']}}{{$.inputs.parameters['y']}} {{$.inputs.artifacts['corpus'].path}} "
        "{{$.inputs.artifacts['corpus'].uri}} "
        "{{$.outputs.artifacts['model'].path}} {{$.outputs.artifacts['model'].uri}} "
        "{{$.outputs.parameters['digest'].output_file}} {{$.outputs.output_file}}"
    )
    check_placeholders(template, COMPONENT, "t")
    assert (
        fill_placeholders(template, placeholders)
        == "2 /in /in /o/artifacts/model /o/artifacts/model /o/parameters/digest /o/executor_output.json"
    )


@pytest.mark.parametrize(
    "template",
    [
        "{{$}}", "{{$.inputs}}", "{{$.inputs.parameters['z']}}", "{{$.inputs.parameters['x'].path}}", "{{$.outputs.parameters['digest']}}",
        "{{$.inputs.artifacts['corpus'].metadata}}", "{{$.inputs.artifacts['corpus'].metadata['rows']}}",
        "{{$.outputs.artifacts['x'].path}}",
        "{{$.pipeline_job_name}}", "{{$.inputs.artifacts['corpus'].value}}", '{"Concat": ["a"]}', '{"IfPresent": {}}',
        "{{$.inputs.parameters['x\"]}}",
    ],
)  # fmt: skip
def test_unknown_placeholders_are_refused(template: str) -> None:
    with pytest.raises(BadInput):
        check_placeholders(template, COMPONENT, "task t")


def test_texts_of_output_files() -> None:
    assert from_text("STRING", " a\n", "o") == " a\n"
    assert [from_text(kind, text, "o") for kind, text in (("NUMBER_INTEGER", "3\n"), ("NUMBER_DOUBLE", "2.5"), ("BOOLEAN", "True"))] == [
        3,
        2.5,
        True,
    ]
    assert from_text("STRUCT", '{"a": 1.0}', "o") == {"a": 1} and from_text("LIST", "[1]", "o") == [1]
    for kind, text in (("NUMBER_INTEGER", "3.5"), ("NUMBER_DOUBLE", ""), ("BOOLEAN", "yes"), ("LIST", "{}"), ("NUMBER_DOUBLE", "NaN")):
        with pytest.raises(BadInput, match="output o"):
            from_text(kind, text, "output o")


def test_types() -> None:
    assert typed("NUMBER_INTEGER", 3.0, "p") == 3 and typed("NUMBER_DOUBLE", 3, "p") == 3
    for kind, value in (
        ("STRUCT", {"a": [math.nan]}),
        ("LIST", [2**60]),
        ("NUMBER_INTEGER", "3"),
        ("NUMBER_DOUBLE", math.inf),
        ("STRING", None),
        ("BOOLEAN", 0),
        ("NUMBER_INTEGER", 2**54),
    ):
        with pytest.raises(BadInput, match="parameter p"):
            typed(kind, value, "parameter p")
