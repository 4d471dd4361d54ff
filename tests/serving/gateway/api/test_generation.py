import itertools
import json
import math
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from robo_poet.model.completion import Sampling
from robo_poet.model.inputs import encode_prompt
from robo_poet.model.saved_model import LoadedModel, generate, load_model
from tests.serving.gateway.running import Gateway, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer


def events(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Return name and data of each event of a stream."""
    named_events = []
    for block in response.text.strip("\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        named_events.append((lines["event"], json.loads(lines["data"])))
    return named_events


def texts(response: httpx.Response, samples: int = 1) -> list[str]:
    """Return the joined text of each sample of a stream."""
    return ["".join(data["text"] for name, data in events(response) if name == "text" and data["sample"] == k) for k in range(samples)]


@pytest.fixture(scope="module")
def model(toy_training: Any, toy_tokenizer: Any) -> LoadedModel:
    return load_model(toy_training / "model", toy_tokenizer)


def test_a_response_equals_the_output_of_the_model(live: Gateway, model: LoadedModel) -> None:
    parameters = {
        "text": "the rose sleeps upon",
        "max_length": 40,
        "temperature": 1.1,
        "top_k": 30,
        "top_p": 0.95,
        "num_samples": 3,
        "seed": 5,
        "repetition_penalty": 1.1,
    }
    answer = live.http.post("/v1/generate", json=parameters).json()
    restricted = live.parts.content_filter.restricted
    sampling = Sampling(40, 10, 1.1, 30, 0.95, 1.1, banned=restricted)
    written = generate(model, [encode_prompt(model, "the rose sleeps upon")] * 3, sampling, [5, 6, 7])
    assert answer["generated_text"] == [completion.text.rstrip("\ufffd") for completion in written]
    facts = answer["metadata"]
    log_probs = [log_prob for completion in written for log_prob in completion.log_probs]
    assert facts["tokens_generated"] == len(log_probs)
    assert facts["perplexity"] == pytest.approx(math.exp(-sum(log_probs) / len(log_probs)), rel=1e-3)
    assert facts["finish_reasons"] == [completion.reason.name.lower() for completion in written]
    assert (answer["status"], facts["model_version"], facts["arm"], facts["seed"]) == ("success", "1", "champion", 5)
    assert type(facts["generation_time_ms"]) is int and facts["generation_time_ms"] > 0


def test_the_default_parameters_reach_the_model_server(staged: Gateway, server: StandInModelServer) -> None:
    assert staged.generate().status_code == 200
    _, _, body = server.calls[0]
    inputs = {name: value[0] for name, value in body["inputs"].items()}
    expected = {"max_new": 100, "min_new": 10, "temperature": 0.8, "top_p": 0.9, "top_k": 50, "repetition_penalty": 1.0, "stop_tokens": [0]}
    assert {name: pytest.approx(value) for name, value in expected.items()} == {name: inputs[name] for name in expected}


@pytest.mark.parametrize("more", [{}, {"stop_tokens": [".\n", "cold"]}, {"num_samples": 3, "temperature": 1.6}])
def test_a_stream_has_the_same_text_as_a_response(live: Gateway, more: dict[str, Any]) -> None:
    samples = more.get("num_samples", 1)
    for seed in range(4):
        parameters = {"max_length": 70, "seed": seed, **more}
        response, stream = live.generate(**parameters).json(), live.generate(**parameters, stream=True)
        assert stream.headers["content-type"].startswith("text/event-stream")
        last, answer = events(stream)[-1]
        assert last == "done"
        assert texts(stream, samples) == response["generated_text"] == answer["generated_text"]
        for name in ("tokens_generated", "finish_reasons", "prompt_tokens", "seed"):
            assert answer["metadata"][name] == response["metadata"][name]
        assert answer["metadata"]["perplexity"] == pytest.approx(response["metadata"]["perplexity"], rel=1e-3)


def test_the_pieces_of_a_stream_are_complete_words(live: Gateway) -> None:
    pieces = [data["text"] for name, data in events(live.generate(max_length=100, seed=1, stream=True)) if name == "text"]
    assert len(pieces) >= 3
    assert all(piece[:1].isspace() or before[-1:].isspace() for before, piece in itertools.pairwise(pieces))


@pytest.mark.parametrize("stream", [False, True])
def test_token_texts_join_to_the_text_and_have_probabilities(live: Gateway, stream: bool) -> None:
    response = live.generate(seed=2, token_probabilities=True, stream=stream)
    if stream:
        tokens = [token for name, data in events(response) if name == "text" for token in data["tokens"]]
        text = texts(response)[0]
    else:
        tokens, text = response.json()["token_probabilities"][0], response.json()["generated_text"][0]
    assert "".join(token["text"] for token in tokens) == text
    assert all(0 <= token["probability"] <= 1 for token in tokens)


def test_a_random_seed_is_returned_and_reproduces_the_text(live: Gateway) -> None:
    first, second = live.generate(temperature=1.5).json(), live.generate(temperature=1.5).json()
    assert first["generated_text"] != second["generated_text"]
    assert live.generate(temperature=1.5, seed=first["metadata"]["seed"]).json()["generated_text"] == first["generated_text"]


def test_prompt_and_completion_stay_within_the_context_length(live: Gateway) -> None:
    answer = live.generate(text="the rose sleeps upon a bright cold star " * 12, max_length=512, seed=1).json()
    facts = answer["metadata"]
    assert facts["finish_reasons"][0] in ("context", "end")
    assert facts["prompt_tokens"] + 1 + facts["tokens_generated"] <= 512


@pytest.mark.parametrize("text", ["rose", "a", "x"])
def test_a_prompt_of_one_word_or_letter_is_continued(live: Gateway, model: LoadedModel, text: str) -> None:
    """The opening is context of the model only: it is in no field of the answer."""
    answer = live.generate(text=text, max_length=12, seed=3).json()
    written = generate(model, [encode_prompt(model, text)], Sampling(12), [3])[0]
    assert answer["generated_text"] == [written.text.rstrip("\N{REPLACEMENT CHARACTER}")]
    assert answer["metadata"]["prompt_tokens"] == len(model.tokenizer.encode(text)) == 1


def test_a_stop_sequence_ends_the_text_and_is_part_of_it(live: Gateway) -> None:
    answer = live.generate(stop_tokens=["."], seed=1).json()
    assert answer["generated_text"][0].endswith(".") and answer["metadata"]["finish_reasons"] == ["stop"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the rose " * 600, "too long: 1800 tokens; give at most 510 tokens"),
        ("\u200b\u202e", "the text is empty; give at least one character"),
    ],
)
def test_an_empty_or_too_long_prompt_is_refused(staged: Gateway, text: str, message: str) -> None:
    response = staged.generate(text=text)
    assert response.status_code == 422 and response.json()["error"]["field"] == "text"
    assert message in response.json()["error"]["message"]


def test_a_prompt_is_normalized_and_has_no_control_characters(staged: Gateway, server: StandInModelServer) -> None:
    staged.generate(text="the cafe\u0301\r\nros\u200be \x07sleeps")
    _, _, body = server.calls[0]
    assert staged.parts.versions.choose("x").served.tokenizer.decode(body["inputs"]["prompt"][0]) == "the caf\u00e9\nrose sleeps"


def test_a_completion_has_no_control_characters(staged: Gateway, server: StandInModelServer) -> None:
    server.write = lambda seed: " my heart\x1b[2J burns \u202eover\u200b a star\x00"
    assert staged.generate(stop_tokens=[]).json()["generated_text"] == [" my heart[2J burns over a star"]
    assert texts(staged.generate(stream=True)) == [" my heart[2J burns over a star"]


def busy(body: Any) -> Response:
    return JSONResponse({"error": "secret insides"}, 503, {"Retry-After": "7"})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("behave", "status", "code", "retry"),
    [
        (busy, 503, "overloaded", "7"),
        (lambda _: JSONResponse({"error": "secret insides"}, 500), 502, "model_failed", None),
        (lambda _: JSONResponse({"error": "secret insides"}, 400), 502, "model_failed", None),
        (lambda _: JSONResponse({"error": "secret insides"}, 504), 504, "timeout", None),
        (lambda _: Response("secret insides"), 502, "model_failed", None),
        (lambda _: JSONResponse({"outputs": {"tokens": "secret insides"}}), 502, "model_failed", None),
    ],
)  # fmt: skip
def test_an_error_of_the_model_server_becomes_an_error_without_its_message(
    staged: Gateway, server: StandInModelServer, stream: bool, behave: Any, status: int, code: str, retry: str | None
) -> None:
    server.behave = behave
    response = staged.generate(stream=stream)
    assert (response.status_code, response.json()["error"]["code"], response.headers.get("retry-after")) == (status, code, retry)
    assert response.json()["status"] == "error" and response.json()["request_id"] == response.headers["x-request-id"]
    assert "secret" not in response.text


def test_a_slow_model_server_meets_the_deadline(staged: Gateway, server: StandInModelServer) -> None:
    server.seconds = 10
    assert staged.generate().status_code == 504
    _, headers, _ = server.calls[0]
    assert 0 < int(headers["x-deadline-ms"]) <= 1500  # the model server receives the remaining time


def test_an_error_during_a_stream_is_an_event(staged: Gateway, server: StandInModelServer) -> None:
    server.write = lambda seed: " the star burns" * 20
    server.behave = lambda body: busy(body) if len(server.calls) > 2 else None
    name, data = events(staged.generate(stream=True))[-1]
    assert (name, data["status"], data["error"]["code"], data["status_code"]) == ("error", "error", "overloaded", 503)


def test_the_request_id_is_forwarded_and_returned(staged: Gateway, server: StandInModelServer) -> None:
    response = staged.http.post("/v1/generate", json={"text": "the rose sleeps"}, headers={"X-Request-ID": "mine-1"})
    own_id = response.json()["request_id"]
    assert response.headers["x-request-id"] == "mine-1" and own_id == server.calls[0][1]["x-request-id"] and own_id != "mine-1"
    for bad in ("a b", "x" * 65, "<script>"):
        second_response = staged.http.post("/v1/generate", json={"text": "the rose sleeps"}, headers={"X-Request-ID": bad})
        assert second_response.headers["x-request-id"] not in (bad, "mine-1") and len(second_response.headers["x-request-id"]) == 16


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_sample_is_generated_again_with_another_seed(staged: Gateway, server: StandInModelServer, stream: bool) -> None:
    good = " my heart burns over a bright cold star"
    server.write = lambda seed: good if seed >= 2**54 else " zounds, you filthy heart"
    response = staged.generate(seed=3, num_samples=2, stream=stream)
    generated = texts(response, 2) if stream else response.json()["generated_text"]
    assert generated == [good, good] and "filthy" not in response.text


@pytest.mark.parametrize("stream", [False, True])
def test_a_sample_refused_in_every_attempt_is_a_422_error(staged: Gateway, server: StandInModelServer, stream: bool) -> None:
    server.write = lambda seed: " zounds, you filthy heart"
    response = staged.generate(stream=stream)
    assert response.status_code == 422 and response.json()["error"]["code"] == "content_refused"
    assert len(server.calls) == staged.parts.settings.content_filter.attempts
    assert "filthy" not in response.text


def test_a_refused_sample_is_empty_and_the_others_are_returned(staged: Gateway, server: StandInModelServer) -> None:
    server.write = lambda seed: " my heart burns over a star" if seed == 4 else " zounds, you filthy heart"
    answer = staged.generate(seed=3, num_samples=2).json()
    assert answer["generated_text"] == ["", " my heart burns over a star"]
    assert answer["metadata"]["finish_reasons"] == ["refused", "end"]


def test_a_stream_ends_before_the_refused_text(staged: Gateway, server: StandInModelServer) -> None:
    server.write = lambda seed: " my heart burns over a bright cold star and my night turns upon the wind, zounds of the sea"
    response = staged.generate(stream=True)
    name, data = events(response)[-1]
    assert (name, data["error"]["code"]) == ("error", "content_refused")
    assert texts(response)[0].startswith(" my heart burns") and "zounds" not in response.text


def test_a_refused_prompt_is_not_sent_to_the_model_server(staged: Gateway, server: StandInModelServer) -> None:
    response = staged.generate(text="zounds, you filthy rose sleeps")
    assert (response.status_code, response.json()["error"]["code"], response.json()["error"]["field"]) == (422, "content_refused", "text")
    assert server.calls == [] and "filthy" not in response.text


def test_the_content_filter_also_checks_the_prompt_before_cleaning(staged: Gateway, server: StandInModelServer) -> None:
    response = staged.generate(text="the rose sleeps" + "\u200b" * 12 + " upon the star")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "content_refused") and server.calls == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("log_probs", [[], [-0.5], [float("nan")] * 200, ["x"] * 200])
def test_invalid_log_probabilities_are_a_502_error(staged: Gateway, server: StandInModelServer, log_probs: list[Any], stream: bool) -> None:
    def short(body: dict[str, Any]) -> Response:
        outputs = server._outputs(body["inputs"]) | {"log_prob": [log_probs]}
        return Response(json.dumps({"outputs": outputs}), media_type="application/json")

    server.behave = short
    response = staged.generate(stream=stream)
    assert (response.status_code, response.json()["error"]["code"]) == (502, "model_failed")


@pytest.mark.parametrize("stream", [False, True])
def test_a_disconnect_cancels_the_call_of_the_model_server(staged: Gateway, server: StandInModelServer, stream: bool) -> None:
    server.seconds = 5
    with pytest.raises(httpx.ReadTimeout):
        staged.http.post("/v1/generate", json={"text": "the rose sleeps", "stream": stream}, timeout=0.3)
    server_saw = wait_until(lambda: server.disconnected == 1)
    assert server_saw and wait_until(lambda: staged.parts.client.calls == 0)


def test_a_disconnect_ends_a_running_stream(staged: Gateway, server: StandInModelServer) -> None:
    server.write = lambda seed: " the star burns" * 100
    server.seconds = 0.1
    with staged.http.stream("POST", "/v1/generate", json={"text": "the rose sleeps", "stream": True, "max_length": 500}) as response:
        next(response.iter_bytes())
    assert wait_until(lambda: staged.parts.client.calls == 0)
    calls_before = len(server.calls)
    assert calls_before < 10 and not wait_until(lambda: len(server.calls) > calls_before + 1, seconds=0.4)


def test_an_unloaded_version_without_replacement_is_a_503_error(staged: Gateway, server: StandInModelServer) -> None:
    server.behave = lambda body: JSONResponse({"error": "Servable not found"}, 404)
    response = staged.generate()
    assert (response.status_code, response.json()["error"]["code"]) == (503, "model_unavailable")  # there is no other
    assert len(server.calls) == 1
