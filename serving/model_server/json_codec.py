"""JSON encoding of tensors, as in TensorFlow Serving: rows (`instances` → `predictions`) or columns (`inputs` → `outputs`)."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from serving.model_server.errors import CallError, Code


class Spec(Protocol):
    """The type and shape of a signature's input, as in `tf.TensorSpec`."""

    dtype: Any
    shape: Any


def decode_request(body: bytes) -> tuple[str, dict[str, Any], bool]:
    """Parse the JSON body of a predict request.

    Returns:
        The signature name (empty for the default), the values by input name, and True if they came as rows.

    Raises:
        CallError: INVALID_ARGUMENT, the body is not a valid request.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CallError(Code.INVALID_ARGUMENT, f"JSON Parse error: {error}") from None
    if not isinstance(request, dict):
        raise CallError(Code.INVALID_ARGUMENT, "the request must be a JSON object")
    signature = request.get("signature_name", "")
    if not isinstance(signature, str):
        raise CallError(Code.INVALID_ARGUMENT, "signature_name must be a string")
    if ("instances" in request) == ("inputs" in request):
        raise CallError(Code.INVALID_ARGUMENT, "give either 'instances' or 'inputs'")
    if "inputs" in request:
        columns = request["inputs"] if isinstance(request["inputs"], dict) else {"": request["inputs"]}
        return signature, columns, False
    rows = request["instances"]
    if not isinstance(rows, list) or not rows:
        raise CallError(Code.INVALID_ARGUMENT, "instances must be a list of at least one row")
    if not all(isinstance(row, dict) for row in rows):
        return signature, {"": rows}, True
    if any(row.keys() != rows[0].keys() for row in rows):
        raise CallError(Code.INVALID_ARGUMENT, "all instances must have the same inputs")
    return signature, {name: [row[name] for row in rows] for name in rows[0]}, True


def to_arrays(values: Mapping[str, Any], specs: Mapping[str, Spec]) -> dict[str, npt.NDArray[np.generic]]:
    """Convert the values to arrays with the types and ranks of the signature. A single value without a name is the only input.

    Raises:
        CallError: INVALID_ARGUMENT, with the name of the wrong input.
    """
    if set(values) == {""} and len(specs) == 1:
        values = dict.fromkeys(specs, values[""])
    if values.keys() != specs.keys():
        missing, unknown = sorted(specs.keys() - values.keys()), sorted(values.keys() - specs.keys())
        problem = f"missing {', '.join(missing)}" if missing else f"unknown {', '.join(unknown)[:100]}"
        raise CallError(Code.INVALID_ARGUMENT, f"the inputs are {', '.join(sorted(specs))}; {problem}")
    arrays = {}
    for name, spec in specs.items():
        dtype = np.dtype(spec.dtype.as_numpy_dtype)
        try:
            raw = np.asarray(values[name])
            if raw.dtype.kind not in "iuf" or (dtype.kind == "i" and raw.dtype.kind == "f"):
                raise ValueError(f"holds {raw.dtype.kind!r}")
            array = raw.astype(dtype)
            if dtype.kind == "i" and (array != raw).any():
                raise ValueError("a number is too large")
        except (ValueError, OverflowError, TypeError):
            raise CallError(Code.INVALID_ARGUMENT, f"{name}: must be a rectangular list of {dtype.name}") from None
        if array.ndim != spec.shape.rank:
            raise CallError(Code.INVALID_ARGUMENT, f"{name}: must have {spec.shape.rank} dimensions, not {array.ndim}")
        arrays[name] = array
    return arrays


def encode_answer(result: Mapping[str, npt.NDArray[np.generic]], rows: bool) -> bytes:
    """Encode the outputs as JSON, as rows or as columns like the request. A single output is written without its name."""
    if not rows:
        outputs: Any = {name: value.tolist() for name, value in result.items()}
        return json.dumps({"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}).encode()
    lists = {name: value.tolist() for name, value in result.items()}
    if len(lists) == 1:
        return json.dumps({"predictions": next(iter(lists.values()))}).encode()
    count = len(next(iter(lists.values())))
    return json.dumps({"predictions": [{name: value[row] for name, value in lists.items()} for row in range(count)]}).encode()
