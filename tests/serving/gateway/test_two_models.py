"""Two models in one registry folder and one serving folder at the same time, with equal version numbers, never collide (REG-1).

The gateways run beside each other, as the gateways of two models on a cluster with one volume do.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from robo_poet.model.tokenizer import Tokenizer
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.registry.names import model_names
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.registry import Registry
from robo_poet.request_log.query import read
from robo_poet.settings.serve import ServeSettings
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, running, wait_until
from tests.serving.gateway.stand_in_model_server import stand_in

TEXTS = {"shakespeare": " my heart burns", "sonnets": " a cold star"}
SAID = {"who": "ada", "why": "test"}


def two_models(root: Path, make_registry: Any) -> dict[str, Registry]:
    """Return both models. They have three versions of the same files. One has another champion, and a canary that serves all users."""
    made = {model: make_registry(root, 3, model) for model in TEXTS}
    made["sonnets"].start_canary(2, **SAID)
    made["sonnets"].promote(2, **SAID)
    made["sonnets"].start_canary(3, **SAID)
    made["sonnets"].set_share(3, 0, 0.999999, **SAID)
    return made


@pytest.fixture(scope="module")
def registries(make_registry: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Registry]:
    return two_models(tmp_path_factory.mktemp("registered") / "registry", make_registry)


@dataclass(frozen=True)
class Served:
    """One model: its gateway, and the answer to a request."""

    gateway: Gateway
    answer: dict[str, Any]


@pytest.fixture(scope="module")
def served(registries: dict[str, Registry], words: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    folder = tmp_path_factory.mktemp("served")

    def settings(model: str, server: str) -> ServeSettings:
        places = {"model_server": server, "registry": str(registries[model].root), "folder": str(folder)}
        return ServeSettings(**{**QUIET, "request_log": {"names": "patterns"}, **places, "model": model})

    with stand_in(words) as one, stand_in(words, "sonnets") as two:
        for server in (one, two):
            server.available = {1, 2, 3}
            server.write = lambda seed, text=TEXTS[server.model]: text  # type: ignore[misc]
        with running(settings("shakespeare", one.address)) as first, running(settings("sonnets", two.address)) as second:
            gateways = {"shakespeare": first, "sonnets": second}
            assert wait_until(lambda: second.parts.versions.health.canary == 3)
            yield {model: Served(gateway, gateway.generate(seed=5).json()) for model, gateway in gateways.items()}


def test_versions_stages_and_logs_are_those_of_the_model(make_registry: Any, tmp_path: Path) -> None:
    registries = two_models(tmp_path, make_registry)
    assert sorted(model_names(tmp_path)) == sorted(TEXTS)
    states = {model: RegistryReader(tmp_path, model).state() for model in TEXTS}
    assert {model: (state.champion, state.canary) for model, state in states.items()} == {"shakespeare": (1, None), "sonnets": (2, 3)}
    digests = {model: {version.digest for version in registries[model].versions()} for model in TEXTS}
    assert all(len(found) == 3 for found in digests.values()) and not digests["shakespeare"] & digests["sonnets"]
    assert {model: len(list((tmp_path / model / "log").glob("*.json"))) for model in TEXTS} == {"shakespeare": 4, "sonnets": 8}


def test_each_gateway_serves_its_model(served: dict[str, Served]) -> None:
    told = {
        model: (one.answer["generated_text"], one.answer["metadata"]["model_version"], one.answer["metadata"]["arm"])
        for model, one in served.items()
    }
    assert told == {"shakespeare": ([TEXTS["shakespeare"]], "1", "champion"), "sonnets": ([TEXTS["sonnets"]], "3", "canary")}


def test_a_completion_id_is_valid_for_its_model_only(served: dict[str, Served]) -> None:
    """The gateways share the key of the ids, which is in the folder."""
    for model, one in served.items():
        (other,) = (each for name, each in served.items() if name != model)
        rating = {"completion_id": one.answer["id"], "rating": 4}
        refused = other.gateway.http.post("/v1/feedback", json=rating)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_completion")
        assert one.gateway.http.post("/v1/feedback", json=rating).status_code == 200


def test_metrics_outcomes_audit_log_and_request_log_name_the_model(served: dict[str, Served]) -> None:
    folder = served["sonnets"].gateway.folder
    answers = {one.answer["request_id"]: model for model, one in served.items()}
    for model, one in served.items():
        labels = set(re.findall(r'^robo_poet_\w+\{.*?\bmodel="([^"]*)"', one.gateway.http.get("/metrics").text, re.MULTILINE))
        assert labels == {model}
        reader, version = OutcomeReader(folder / "outcomes" / model), int(one.answer["metadata"]["model_version"])
        seen: list[int] = []
        assert wait_until(lambda: seen.extend(row["version"] for _, row in reader.read() if row["kind"] == "outcome") or seen != [])  # noqa: B023
        assert seen == [version]
    lines = [json.loads(line) for path in (folder / "audit").glob("audit-*.jsonl") for line in path.read_text().splitlines()]
    assert {line["request_id"]: line["model"] for line in lines if line["request_id"] in answers} == answers
    assert wait_until(lambda: answers.keys() <= set(read(folder / "requests")["request_id"].to_pylist()), 60)
    rows = [row for row in read(folder / "requests").to_pylist() if row["request_id"] in answers]
    assert {row["request_id"]: row["model"] for row in rows} == answers
    digests = {row["model"]: row["digest"] for row in rows}
    assert digests["shakespeare"] != digests["sonnets"]


def test_a_move_of_one_model_changes_nothing_of_the_other(served: dict[str, Served], registries: dict[str, Registry]) -> None:
    registries["shakespeare"].start_canary(3, **SAID)
    registries["shakespeare"].promote(3, **SAID)

    def version(model: str) -> str:
        return str(served[model].gateway.generate().json()["metadata"]["model_version"])

    assert wait_until(lambda: version("shakespeare") == "3") and version("sonnets") == "3"
    assert registries["sonnets"].state().champion == 2
