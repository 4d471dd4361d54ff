import http.client
import json
import socket
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from serving.gateway.http.body import parse_body
from serving.gateway.http.refusals import RefusedField
from serving.gateway.schema import FeedbackRequest, GenerateRequest
from serving.refusal import Refused
from tests.serving.gateway.running import Gateway

TEXT = {"text": "the rose sleeps"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 5), ("text", None), ("text", ""), ("text", "a" * 10_001), ("text", ["a"]),
        ("max_length", 0), ("max_length", 513), ("max_length", "100"), ("max_length", 1.5), ("max_length", True), ("max_length", 10**40),
        ("temperature", 0.09), ("temperature", 2.01), ("temperature", "hot"), ("temperature", False), ("temperature", None),
        ("top_p", 0.09), ("top_p", 1.01), ("top_k", 0), ("top_k", 101), ("top_k", [5]),
        ("num_samples", 0), ("num_samples", 6), ("seed", -1), ("seed", 2**53), ("repetition_penalty", 0.9), ("repetition_penalty", 1.3),
        ("stop_tokens", "."), ("stop_tokens", ["."] * 9), ("stop_tokens.0", [""]), ("stop_tokens.1", [".", "x" * 33]), ("stop_tokens.0", [5]),
        ("stream", "yes"), ("stream", 1), ("token_probabilities", None), ("prompt", "unknown field"),
    ],
)  # fmt: skip
def test_an_invalid_field_is_named(field: str, value: Any) -> None:
    body = {**TEXT, field.partition(".")[0]: value}
    with pytest.raises(RefusedField) as refused:
        parse_body(json.dumps(body).encode(), GenerateRequest)
    assert (refused.value.status, refused.value.field) == (422, field)
    assert refused.value.message.startswith(f"{field}: ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_non_finite_numbers_are_rejected(number: str) -> None:
    with pytest.raises(Refused, match="temperature: "):
        parse_body(f'{{"text": "the rose", "temperature": {number}}}'.encode(), GenerateRequest)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"), (b"{", 400, "invalid_json"), (b"[" * 50_000, 400, "invalid_json"), (b"text=x", 400, "invalid_json"),
        (b'{"text": "\xff\xfe"}', 400, "invalid_utf8"), ('{"text": "the rose"}'.encode("utf-16"), 400, "invalid_utf8"),
        (b'{"text": "half \\ud83d a pair"}', 422, "invalid_text"), (b'{"text": "a", "text": "b"}', 400, "invalid_json"),
        (b"null", 422, "invalid_body"), (b"[]", 422, "invalid_body"), (b'"text"', 422, "invalid_body"), (b"{}", 422, "invalid_field"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_a_json_object_is_refused(body: bytes, status: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_body(body, GenerateRequest)
    assert (refused.value.status, refused.value.code) == (status, code)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "the body is empty; send one JSON object"), (" \n", "the body is empty; send one JSON object"),
        ("{'text': 5}", "the body is not JSON, at character 2: expecting property name enclosed in double quotes"),
        ('{"text": "a\nb"}', "the body is not JSON, at character 12: invalid control character"),
        ("[" * 50_000, "the JSON is nested too deeply; send one flat object"),
        ('{"text": "a", "seed": 1, "seed": 2}', "seed: the body has this field more than once; send it once"),
        (r'{"text": "Shall \ud800 compare"}', "text: the text has an unpaired surrogate; send UTF-8 or complete pairs"),
        (r'{"text": "a", "stop_tokens": [".", "\udfff"]}', "stop_tokens.1: the text has an unpaired surrogate; send UTF-8 or complete pairs"),
        ('{"text": "a", "max_tokens": 5}', "max_tokens: unknown field; did you mean max_length?"),
        ('{"text": "a", "maxlength": 5}', "maxlength: unknown field; did you mean max_length?"),
        ('{"text": "a", "voice": 5}', "voice: unknown field"),
        ('{"text": "a", "max_length": ' + "9" * 5000 + "}", "the body is not valid JSON (a number may be too long); send one JSON object"),
    ],
)  # fmt: skip
def test_the_message_names_the_error_and_its_position(body: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_body(body.encode(), GenerateRequest)
    assert refused.value.message == message


def test_a_complete_surrogate_pair_is_one_character() -> None:
    assert parse_body(rb'{"text": "a star \ud83c\udf1f"}', GenerateRequest).text == "a star \U0001f31f"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"thumb": "sideways"}, "thumb"), ({"thumb": None}, "thumb"), ({"rating": 9}, "rating"), ({"rating": "5"}, "rating")],
)
def test_the_field_name_has_no_internal_parts_of_pydantic(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RefusedField) as refused:
        parse_body(json.dumps({"completion_id": "x", **body}).encode(), FeedbackRequest)
    assert refused.value.field == field


def test_integers_may_be_written_as_floats() -> None:
    read = parse_body(b'\xef\xbb\xbf{"text": "a", "max_length": 1e2, "temperature": 1, "seed": 3.0}', GenerateRequest)
    assert (read.max_length, read.temperature, read.seed) == (100, 1.0, 3)


@pytest.mark.parametrize(
    "body",
    [{}, {"rating": 6}, {"rating": 0}, {"rating": True}, {"thumb": "sideways"}, {"rating": None}, {"thumb": "up", "comment": "nice"}],
)
def test_feedback_without_a_valid_rating_or_thumb_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        parse_body(json.dumps({"completion_id": "x", **body}).encode(), FeedbackRequest)
    assert refused.value.status == 422


def test_a_long_body_is_refused_by_its_content_length(staged: Gateway) -> None:
    response = raw(staged, b"Content-Length: 10000000\r\n", [])
    assert response.startswith(b"HTTP/1.1 413") and b"connection: close" in response.lower() and b"body_too_large" in response


def test_a_long_chunked_body_is_refused_before_its_end(staged: Gateway) -> None:
    chunk = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    response = raw(staged, b"Transfer-Encoding: chunked\r\n", [chunk] * 5)  # the body has no last chunk
    assert response.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "forged"}, {"Content-Type": "text/plain"}])
def test_a_client_that_sends_the_whole_body_first_receives_the_error(staged: Gateway, headers: dict[str, str]) -> None:
    """Closing a connection with unread bytes would reset it, and the client would lose the response (RFC 9112, 9.6)."""
    url = urlsplit(staged.address)
    request_headers = {"Content-Type": "application/json", "X-API-Key": staged.http.headers["x-api-key"], **headers}
    with closing(http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)) as connection:
        connection.request("POST", "/v1/generate", body=b"a" * 10_000_000, headers=request_headers)
        response = connection.getresponse()
        assert response.status == {(): 413, ("X-API-Key",): 401, ("Content-Type",): 415}[tuple(headers)]
        assert json.loads(response.read())["status"] == "error"


def test_the_connection_of_a_client_that_keeps_sending_is_closed(staged: Gateway) -> None:
    url = urlsplit(staged.address)
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=20) as connection:
        key = staged.http.headers["x-api-key"].encode()
        head = (
            b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-API-Key: "
            + key
            + b"\r\nContent-Length: 10000000\r\n\r\n"
        )
        connection.sendall(head)
        while connection.recv(65536):  # the response, then the end of the server's half
            pass
        with pytest.raises(OSError):  # then the server closes the other half
            for _ in range(100):
                connection.sendall(b"a")
                time.sleep(0.1)


def test_an_incomplete_body_is_a_408_error(staged: Gateway) -> None:
    assert raw(staged, b"Content-Length: 100\r\n", [b'{"text'], seconds=20).startswith(b"HTTP/1.1 408")


def test_another_content_type_is_a_415_error(staged: Gateway) -> None:
    response = staged.http.post("/v1/generate", content=b'{"text": "the rose sleeps"}', headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")


def raw(gateway: Gateway, headers: bytes, parts: list[bytes], seconds: float = 10) -> bytes:
    """Send a raw request. Return all bytes until the server closes the connection."""
    url = urlsplit(gateway.address)
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=seconds) as connection:
        key = gateway.http.headers["x-api-key"].encode()
        connection.sendall(
            b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-API-Key: " + key + b"\r\n" + headers + b"\r\n"
        )
        for part in parts:
            connection.sendall(part)
        response = b""
        while part := connection.recv(65536):
            response += part
    return response
