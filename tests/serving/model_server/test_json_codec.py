import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.model_server.errors import CallError, Code
from serving.model_server.json_codec import decode_request, encode_answer, to_arrays


def spec(kind: type, rank: int) -> Any:
    return SimpleNamespace(dtype=SimpleNamespace(as_numpy_dtype=kind), shape=SimpleNamespace(rank=rank))


SPECS = {"tokens": spec(np.int32, 2), "heat": spec(np.float32, 1)}
TABLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=width, max_size=width), min_size=1, max_size=5)
)


@given(TABLE, st.booleans())
def test_rows_and_columns_give_the_same_arrays(table: list[list[int]], as_rows: bool) -> None:
    heat = [0.5] * len(table)
    given = (
        {"instances": [{"tokens": row, "heat": h} for row, h in zip(table, heat, strict=True)]}
        if as_rows
        else {"inputs": {"tokens": table, "heat": heat}}
    )
    signature, values, rows = decode_request(json.dumps({"signature_name": "s", **given}).encode())
    arrays = to_arrays(values, SPECS)
    assert (signature, rows) == ("s", as_rows)
    assert arrays["tokens"].dtype == np.int32 and arrays["tokens"].tolist() == table and arrays["heat"].dtype == np.float32
    answer = json.loads(encode_answer(arrays, rows))
    assert answer == ({"predictions": given["instances"]} if as_rows else {"outputs": given["inputs"]})


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda x: (
            st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(["instances", "inputs", "signature_name", "tokens", "heat"]), x)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_decoded_or_refused(body: bytes) -> None:
    try:
        to_arrays(decode_request(body)[1], SPECS)
    except CallError as error:
        assert error.code is Code.INVALID_ARGUMENT and error.message


@pytest.mark.parametrize(
    "body, told",
    [
        ("{", "JSON Parse error"),
        ("[1]", "a JSON object"),
        ('{"signature_name": 1, "inputs": {}}', "signature_name must be a string"),
        ("{}", "either 'instances' or 'inputs'"),
        ('{"instances": [], "inputs": {}}', "either 'instances' or 'inputs'"),
        ('{"instances": []}', "at least one row"),
        ('{"instances": [{"tokens": [1]}, {"heat": 1}]}', "the same inputs"),
        ('{"inputs": {"tokens": [[1]]}}', "the inputs are heat, tokens; missing heat"),
        ('{"inputs": {"tokens": [[1]], "heat": [1], "rest": 1}}', "unknown rest"),
        ('{"inputs": {"tokens": [[1], [1, 2]], "heat": [1, 1]}}', "tokens: must be a rectangular list of int32"),
        ('{"inputs": {"tokens": [[1.5]], "heat": [1]}}', "tokens: must be a rectangular list of int32"),
        ('{"inputs": {"tokens": [[4294967296]], "heat": [1]}}', "tokens: must be a rectangular list of int32"),
        ('{"inputs": {"tokens": [1], "heat": [1]}}', "tokens: must have 2 dimensions, not 1"),
        ('{"inputs": {"tokens": [[true]], "heat": [1]}}', "tokens: must be a rectangular list of int32"),
        ('{"inputs": {"tokens": [["1"]], "heat": [1]}}', "tokens: must be a rectangular list of int32"),
    ],
)
def test_the_error_names_the_wrong_input(body: str, told: str) -> None:
    with pytest.raises(CallError, match=told):
        to_arrays(decode_request(body.encode())[1], SPECS)


def test_a_single_input_and_a_single_output_need_no_name() -> None:
    _, values, rows = decode_request(b'{"instances": [[1, 2], [3, 4]]}')
    arrays = to_arrays(values, {"tokens": SPECS["tokens"]})
    assert json.loads(encode_answer(arrays, rows)) == {"predictions": [[1, 2], [3, 4]]}
    assert json.loads(encode_answer(arrays, False)) == {"outputs": [[1, 2], [3, 4]]}
