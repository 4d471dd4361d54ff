from dataclasses import dataclass
from typing import Any

import pytest

from robo_poet.registry.registry import Registry
from robo_poet.request_log.query import read
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.access.caller import Consent
from serving.gateway.http.exchange import Exchange
from serving.gateway.writing.ledger import client_kind, numbers
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import running, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer


@dataclass(frozen=True)
class Logged:
    """Responses of four requests, and the rows of five in the request log by request id."""

    answer: dict[str, Any]
    refused_completion: dict[str, Any]
    refused_prompt: dict[str, Any]
    consented: dict[str, Any]
    pseudonym: str
    pseudonym_of_key: str
    rows: dict[str, dict[str, Any]]

    def row_of(self, response: dict[str, Any]) -> dict[str, Any]:
        return self.rows[response["request_id"]]


@pytest.fixture(scope="module")
def logged(registry: Registry, stand_in_of_session: StandInModelServer, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """A gateway with a request log answers a request with a refused sample, a refused completion, a refused prompt and three ratings."""
    server, folder = stand_in_of_session, tmp_path_factory.mktemp("logged")
    server.reset()
    server.write = lambda seed: " zounds, my heart burns" if seed % 2**54 == 4 else " my heart burns over a bright cold star"
    settings: dict[str, Any] = {**QUIET, "request_log": {"names": "patterns"}}
    settings |= {"model_server": server.address, "registry": str(registry.root), "folder": str(folder)}
    keys = KeyStore(folder / "keys")
    eve = keys.create("eve", ["generate"], 1, Consent.USER)  # before the start, so that the gateway knows it at once
    app = keys.create("app", ["generate", "end-users"], 1)
    with running(ServeSettings(**settings)) as gateway:
        answer = gateway.generate(text="the rose sleeps, write to ada@example.org", seed=3, num_samples=2, temperature=1.1).json()
        refused_completion = gateway.generate(text="the rose sleeps upon", seed=4).json()
        refused_prompt = gateway.generate(text="zounds, you filthy rose sleeps").json()
        body = {"text": "the rose sleeps in May"}
        consented = gateway.http.post("/v1/generate", json=body, headers={"X-API-Key": eve.text}).json()
        of_reader = {"X-API-Key": app.text, "X-End-User": "4711"}
        assert gateway.http.post("/v1/generate", json=body, headers=of_reader).status_code == 200
        for rating in ({"rating": 2}, {"rating": 5}, {"thumb": "up"}):
            assert gateway.http.post("/v1/feedback", json={"completion_id": answer["id"], **rating}).status_code == 200
        assert wait_until(lambda: "robo_poet_scored_tokens_total" in gateway.http.get("/metrics").text)
        pseudonym, pseudonym_of_key = gateway.parts.pseudonyms.user("ada"), gateway.parts.pseudonyms.api_key(eve.key.id)
    # On a busy machine the writer process finishes after the gateway has stopped.
    assert wait_until(lambda: read(folder / "requests").num_rows == 5, seconds=120)
    rows = {row["request_id"]: row for row in read(folder / "requests").to_pylist()}
    return Logged(answer, refused_completion, refused_prompt, consented, pseudonym, pseudonym_of_key, rows)


def test_every_generation_request_has_one_row(logged: Logged) -> None:
    responses = (logged.answer, logged.refused_completion, logged.refused_prompt, logged.consented)
    assert len(logged.rows) == 5 and logged.rows.keys() > {response["request_id"] for response in responses}


def test_only_the_request_of_a_key_with_consent_says_so(logged: Logged) -> None:
    consents = {id_: row["consent"] for id_, row in logged.rows.items()}
    assert consents.pop(logged.consented["request_id"]) == logged.pseudonym_of_key
    assert set(consents.values()) == {""}


def test_the_row_has_the_completion_and_its_metadata(logged: Logged) -> None:
    row = logged.row_of(logged.answer)
    assert (row["completion_id"], row["version"], row["arm"], row["status"], row["code"]) == (logged.answer["id"], 1, "champion", 200, "")
    assert row["completions"] == logged.answer["generated_text"] == [" my heart burns over a bright cold star", ""]
    assert row["finish_reasons"] == ["end", "refused"] and row["completion_perplexities"] == [pytest.approx(1.6487, rel=1e-3), None]
    assert dict(row["parameters"])["temperature"] == 1.1 and "stream" not in dict(row["parameters"])
    assert 0 < row["generation_seconds"] <= row["seconds"]


def test_the_row_has_a_pseudonym_and_a_scrubbed_prompt(logged: Logged) -> None:
    row = logged.row_of(logged.answer)
    assert row["user"] == logged.pseudonym != "ada" and row["client"] == "key"
    assert "example.org" not in row["prompt"] and row["prompt"].startswith("the rose sleeps")


def test_the_row_has_the_last_rating(logged: Logged) -> None:
    row = logged.row_of(logged.answer)
    assert (row["rating"], row["thumbs_up"], row["thumbs_down"]) == (5, 1, 0)


def test_a_refused_prompt_is_logged_without_completions(logged: Logged) -> None:
    assert logged.refused_prompt["error"]["code"] == "content_refused"
    row = logged.row_of(logged.refused_prompt)
    assert (row["status"], row["filter_side"], row["completions"]) == (422, "prompt", []) and row["filter_rule"]


def test_a_refused_completion_is_logged_without_its_text(logged: Logged) -> None:
    row = logged.row_of(logged.refused_completion)
    assert (row["status"], row["code"], row["filter_side"]) == (422, "content_refused", "completion") and row["filter_rule"]
    assert row["completions"] == [""]


@pytest.mark.parametrize(
    ("credential", "end_user", "identified", "kind"),
    [("k1", "", True, "key"), ("jwt:t1", "", True, "token"), ("k1", "ann", True, "application"), ("jwt:t1", "", False, "application")],
)
def test_the_kind_of_a_client(credential: str, end_user: str, identified: bool, kind: str) -> None:
    assert client_kind(Exchange("1", "192.0.2.1", "generate", credential=credential, end_user=end_user, identified=identified)) == kind


def test_booleans_are_not_numeric_parameters() -> None:
    assert numbers({"top_k": 5, "stream": True, "temperature": 0.5}) == {"top_k": 5.0, "temperature": 0.5}
