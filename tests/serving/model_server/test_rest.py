"""The REST API of a running server. Covers: errors, metrics."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving.model_server.conftest import Server, completion

PATH = "/v1/models/shakespeare"


def requests_total(server: Server, code: str, model: str = "shakespeare", version: str = "1") -> float:
    """Return the number of predict calls with a status code, from the metrics page."""
    series = f'robo_poet_model_server_requests_total{{code="{code}",model_name="{model}",version="{version}"}} '
    page = server.call("/monitoring/prometheus/metrics").text
    return next((float(line.removeprefix(series)) for line in page.splitlines() if line.startswith(series)), 0.0)


@pytest.fixture(scope="module")
def rows(shared_server: Server) -> list[dict[str, Any]]:
    """The answer to two rows of different length in one call."""
    answer = shared_server.call(f"{PATH}:predict", signature_name="generate", instances=[completion(1), completion(2, 5)])
    assert answer.status_code == 200
    return list(answer.json()["predictions"])


def test_predict_returns_one_row_of_named_outputs_for_each_instance(rows: list[dict[str, Any]]) -> None:
    assert [row["length"] for row in rows] == [8, 5] and set(rows[0]) == {"tokens", "length", "log_prob", "stop_reason"}


@pytest.mark.parametrize(
    ("path", "signature"),
    [(f"{PATH}/versions/1:predict", "generate_xla"), (f"{PATH}/labels/stable:predict", ""), (f"{PATH}:predict", "generate")],
)
@pytest.mark.parametrize(("number", "seed", "new"), [(0, 1, 8), (1, 2, 5)])
def test_a_row_alone_gets_the_same_tokens_from_each_path_and_signature(
    path: str, signature: str, number: int, seed: int, new: int, rows: list[dict[str, Any]], shared_server: Server
) -> None:
    columns = {name: [value] for name, value in completion(seed, new).items()}
    outputs = shared_server.call(path, signature_name=signature, inputs=columns).json()["outputs"]
    assert outputs["tokens"][0] == rows[number]["tokens"][:new]


def test_an_invalid_value_is_refused_with_the_check_of_the_graph(shared_server: Server) -> None:
    before = requests_total(shared_server, "INVALID_ARGUMENT")
    wrong = shared_server.call(f"{PATH}:predict", signature_name="generate", instances=[{**completion(), "max_new": 0, "min_new": 0}])
    assert wrong.status_code == 400
    assert wrong.json()["error"] == "max_new: must be at least 1 and at least min_new; min_new must be at least 0"
    assert requests_total(shared_server, "INVALID_ARGUMENT") == before + 1


def test_successful_calls_are_counted(rows: list[dict[str, Any]], shared_server: Server) -> None:
    assert requests_total(shared_server, "OK") >= 1


def test_calls_of_unknown_models_share_a_label(shared_server: Server) -> None:
    before = requests_total(shared_server, "NOT_FOUND", "other", "other")
    shared_server.call("/v1/models/none:predict", instances=[completion()])
    shared_server.call("/v1/models/nothing:predict", instances=[completion()])
    assert requests_total(shared_server, "NOT_FOUND", "other", "other") == before + 2


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v1/models/none:predict", {"instances": [completion()]}, 404, "Servable not found for request: Latest(none)"),
        (f"{PATH}/labels/canary:predict", {"instances": [completion()]}, 400, "Unrecognized servable version label: canary"),
        (f"{PATH}:predict", {"signature_name": "sing", "instances": [completion()]}, 400, "'sing' not found in signature def"),
        (f"{PATH}:classify", {"examples": []}, 404, "Malformed request"),
        (f"{PATH}/versions/9", {}, 404, "Could not find version 9 of model shakespeare"),
    ],
)
def test_an_unknown_model_label_signature_or_version_is_refused(
    path: str, body: dict[str, Any], status: int, message: str, shared_server: Server
) -> None:
    answer = shared_server.call(path, **body)
    assert answer.status_code == status and message in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", f"{PATH}:predict"), ("GET", "/v2/nothing"), ("POST", "/monitoring/prometheus/metrics")]
)
def test_other_methods_and_paths_are_malformed_requests(method: str, path: str, shared_server: Server) -> None:
    answer = httpx.request(method, f"{shared_server.http}{path}", timeout=60)
    assert answer.status_code == 404 and answer.json() == {"error": f"Malformed request: {method} {path}"}


def test_a_deadline_that_is_not_a_number_is_refused(shared_server: Server) -> None:
    answer = httpx.post(
        f"{shared_server.http}{PATH}:predict", content=b'{"instances": [{}]}', headers={"X-Deadline-Ms": "soon"}, timeout=60
    )
    assert answer.status_code == 400 and answer.json() == {"error": "x-deadline-ms must be a whole number of milliseconds"}


def test_the_metadata_lists_the_signatures(shared_server: Server) -> None:
    signatures = shared_server.call(f"{PATH}/metadata").json()["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) >= {"generate", "score", "generate_xla"}


def test_a_signature_of_xla_is_refused_on_a_server_without_xla(plain_config: Path, start: Any) -> None:
    server = start(f"--model_config_file={plain_config}")
    compiled = server.call(f"{PATH}:predict", signature_name="generate_xla", instances=[completion()])
    assert compiled.status_code == 400 and "start it with --xla_cpu_compilation_enabled=true" in compiled.json()["error"]
