"""Attacks on identities: bad keys from the address of a reader, and one identity in several spellings."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from robo_poet.registry.registry import Registry
from robo_poet.request_log.query import read
from robo_poet.settings.serve import ServeSettings
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, running, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer

TEXT = {"text": "the rose sleeps upon"}


@pytest.fixture
def attacked(registry: Registry, server: StandInModelServer, tmp_path: Path) -> Iterator[Gateway]:
    settings = {**QUIET, "model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path)}
    with running(ServeSettings.model_validate({**settings, "request_log": {"names": "patterns"}})) as gateway:
        yield gateway


def good_key(gateway: Gateway, user: str, *scopes: str) -> dict[str, str]:
    key = gateway.key(user, scopes)
    assert wait_until(lambda: gateway.parts.access._ring.find(key.split("_")[1]) is not None)
    return {"X-API-Key": key}


def test_bad_keys_do_not_refuse_a_good_key_of_the_same_address(attacked: Gateway) -> None:
    good, without_scope = good_key(attacked, "bob", "generate"), good_key(attacked, "eve", "feedback")
    bad: list[dict[str, str]] = [
        {"X-API-Key": ""}, {"X-API-Key": "rp_wrong"}, {"X-API-Key": f"rp_{good['X-API-Key'][3:19]}_{'A' * 43}"},
        {"X-API-Key": "", "Authorization": "Bearer a.b.c"}, without_scope,
    ]  # fmt: skip
    statuses = [attacked.http.post("/v1/generate", json=TEXT, headers=bad[number % 5]).status_code for number in range(120)]
    assert set(statuses[:100]) == {401, 403} and statuses[100:] == [429] * 20
    assert attacked.http.post("/v1/generate", json=TEXT, headers=good).status_code == 200
    assert attacked.http.post("/v1/feedback", json={"completion_id": "x", "thumb": "up"}, headers=without_scope).status_code == 404


def test_one_user_has_one_vote_and_one_limit_in_every_spelling(attacked: Gateway) -> None:
    forms = {unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD")}
    keys = [good_key(attacked, user, "generate", "feedback") for user in sorted(forms)]
    answer = attacked.http.post("/v1/generate", json=TEXT, headers=keys[0])
    completion = answer.json()["id"]
    spellings = {
        completion.replace("-", "+").replace("_", "/"), f"{completion}=", f"{completion}==", f" {completion}", f"{completion}\n", f"{completion}AAAA",
        f"{completion[:39]}{chr(ord(completion[39]) ^ 1)}", completion.swapcase(), "".join(chr(ord(c) + 0xFEE0) for c in completion),
    } - {completion}  # fmt: skip
    for spelling in spellings:
        response = attacked.http.post("/v1/feedback", json={"completion_id": spelling, "thumb": "up"}, headers=keys[0])
        assert response.status_code == 404, spelling
    for key in keys:
        response = attacked.http.post("/v1/feedback", json={"completion_id": completion, "thumb": "up"}, headers=key)
        assert response.status_code == 200
    assert int(response.headers["RateLimit-Remaining"]) == 100 - 1 - len(spellings) - 2
    audit = [
        json.loads(line)
        for path in (Path(attacked.parts.settings.folder) / "audit").glob("audit-*")
        for line in path.read_text().splitlines()
    ]
    assert len({line["user"] for line in audit}) == 1
    folder = Path(attacked.parts.settings.folder) / "requests"
    assert wait_until(lambda: [row["thumbs_up"] for row in read(folder).to_pylist()] == [1], seconds=60)
