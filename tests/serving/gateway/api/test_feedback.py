import pytest

from serving.gateway.backend.arms import CompletionIds
from tests.serving.gateway.running import Gateway


def figures(gateway: Gateway) -> str:
    return gateway.http.get("/metrics").text


def test_metrics_count_the_first_rating_and_the_first_thumb_of_a_user(staged: Gateway) -> None:
    id_ = staged.generate().json()["id"]

    def feedback_counters() -> dict[str, float]:
        lines = [line.rsplit(" ", 1) for line in figures(staged).splitlines() if line.startswith("robo_poet_feedback_")]
        return {name: float(value) for name, value in lines if "thumbs_total" in name or "score_count" in name}

    before = feedback_counters()
    for opinion in ({"thumb": "up"}, {"thumb": "down"}, {"rating": 4}, {"rating": 5, "thumb": "up"}):
        response = staged.http.post("/v1/feedback", json={"completion_id": id_, **opinion})
        assert (response.status_code, response.json()) == (200, {"status": "success", "request_id": response.headers["x-request-id"]})
    after = feedback_counters()  # a counter cannot decrease, so only the first rating and thumb count
    assert {name.split("{")[0] + name[name.find("thumb=") :][:11]: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)} == {
        'robo_poet_feedback_thumbs_totalthumb="up",': 1.0, "robo_poet_feedback_score_count}": 1.0,
    }  # fmt: skip


def test_the_completion_id_of_a_replica_is_accepted(staged: Gateway) -> None:
    id_ = staged.parts.ids.issue(1, "canary")  # of another process with the same key file
    assert staged.http.post("/v1/feedback", json={"completion_id": id_, "rating": 3}).status_code == 200


@pytest.mark.parametrize(
    "id_",
    ["x", "A" * 40, CompletionIds(b"forged" * 6, "shakespeare", 30).issue(1, "champion"), "\u6708"],
    ids=["short", "long", "forged", "foreign"],
)
def test_an_unknown_completion_id_is_a_404_error(staged: Gateway, id_: str) -> None:
    response = staged.http.post("/v1/feedback", json={"completion_id": id_, "thumb": "up"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_completion")
    assert response.json()["error"]["field"] == "completion_id"
