from pathlib import Path
from typing import Any

import pytest

from robo_poet.registry.registry import Registry
from robo_poet.request_log.query import read
from robo_poet.settings.serve import ServeSettings
from serving.gateway.writing.ledger import numbers
from tests.serving.gateway.api.test_generation import wait_until
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import running
from tests.serving.gateway.stand_in_model_server import StandInModelServer


def test_a_request_is_logged_scrubbed_with_what_became_of_it(registry: Registry, server: StandInModelServer, tmp_path: Path) -> None:
    given: dict[str, Any] = {**QUIET, "request_log": {"names": "patterns"}}
    given |= {"model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path)}
    server.write = lambda seed: " zounds, my heart burns" if seed % 2**54 == 4 else " my heart burns over a bright cold star"
    with running(ServeSettings(**given)) as gateway:
        answer = gateway.generate(text="the rose sleeps, write to ada@example.org", seed=3, num_samples=2, temperature=1.1).json()
        refused = gateway.generate(text="the rose sleeps upon", seed=4)
        assert refused.status_code == 422
        away = gateway.generate(text="zounds, you filthy rose sleeps")
        assert away.status_code == 422
        for opinion in ({"rating": 2}, {"rating": 5}, {"thumb": "up"}):
            assert gateway.http.post("/v1/feedback", json={"completion_id": answer["id"], **opinion}).status_code == 200
        assert wait_until(lambda: "robo_poet_scored_tokens_total" in gateway.http.get("/metrics").text)
        pseudonym = gateway.parts.pseudonyms.user("ada")

    rows = {row["request_id"]: row for row in read(tmp_path / "requests").to_pylist()}
    assert rows.keys() == {one["request_id"] for one in (answer, refused.json(), away.json())}
    turned = rows[away.json()["request_id"]]
    assert (turned["status"], turned["filter_side"], turned["completions"]) == (422, "prompt", []) and turned["filter_rule"]
    row = rows[answer["request_id"]]
    assert (row["completion_id"], row["version"], row["arm"], row["status"], row["code"]) == (answer["id"], 1, "champion", 200, "")
    assert row["user"] == pseudonym != "ada"
    assert "example.org" not in row["prompt"] and row["prompt"].startswith("the rose sleeps")
    assert row["completions"] == answer["generated_text"] == [" my heart burns over a bright cold star", ""]
    assert row["finish_reasons"] == ["end", "refused"] and row["completion_perplexities"] == [pytest.approx(1.6487, rel=1e-3), None]
    assert dict(row["parameters"])["temperature"] == 1.1 and "stream" not in dict(row["parameters"])
    assert (row["rating"], row["thumbs_up"], row["thumbs_down"]) == (5, 1, 0)  # the last word counts
    assert 0 < row["generation_seconds"] <= row["seconds"]
    held = rows[refused.json()["request_id"]]
    assert (held["status"], held["code"], held["filter_side"]) == (422, "content_refused", "completion") and held["filter_rule"]
    assert held["completions"] == [""]


def test_booleans_are_not_numeric_parameters() -> None:
    assert numbers({"top_k": 5, "stream": True, "temperature": 0.5}) == {"top_k": 5.0, "temperature": 0.5}
