"""Snapshots of the prompts in a log that the real writer wrote."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.features.features import FEATURES
from robo_poet.features.prompt_snapshot import LEAST_USERS, PROMPT_FEATURES, PromptSnapshot, parse_snapshot, write_snapshot
from robo_poet.request_log.log import RequestLog
from robo_poet.request_log.record import Request
from robo_poet.request_log.snapshot import MOST_PROMPTS, take_snapshot
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

RequestOf = Callable[..., Request]
LONG = "the night is long and the road is dark and the moon has gone behind the hill where no one ever walks"


def english(text: str) -> str:
    return "en"


def take(folder: Path, model: str = "poems") -> PromptSnapshot:
    return take_snapshot(folder, model, english)


def write(folder: Path, requests: list[Request]) -> Path:
    log = Writer(folder, RequestLogSettings())
    for one in requests:
        assert log.add("request", asdict(one))
    log.close()
    return folder


@pytest.fixture
def requests(request_of: RequestOf) -> list[Request]:
    """Three prompts of each of six users, on two days."""
    return [
        request_of(number, user=f"u{number % 6}", prompt=f"{LONG} and {number}", time=request_of(0).time + 43_200 * (number % 3))
        for number in range(18)
    ]


def test_a_snapshot_has_numbers_and_neither_texts_nor_users(tmp_path: Path, requests: list[Request]) -> None:
    snapshot = take(write(tmp_path, requests))
    assert (snapshot.users, snapshot.prompts.documents, snapshot.first_day, snapshot.last_day) == (6, 18, "2026-03-01", "2026-03-02")
    assert snapshot.prompts.bins["language"] == {"en": 18} and snapshot.prompts.bins.keys() == set(PROMPT_FEATURES)
    text = snapshot.to_text()
    for secret in ("night", "moon", "u1", "falls softly", "c3", "r3"):
        assert secret not in text
    words = {word for value in json.loads(text).values() if isinstance(value, dict) for word in value}
    assert words <= FEATURES.keys()


def test_the_same_records_give_the_same_digest(tmp_path: Path, requests: list[Request]) -> None:
    one, other = take(write(tmp_path / "a", requests)), take(write(tmp_path / "b", requests[::-1]))
    assert one.digest == other.digest
    paths = [write_snapshot(tmp_path / "registry", snapshot) for snapshot in (one, other)]
    assert paths[0] == paths[1] == tmp_path / "registry" / "poems" / "prompts" / f"{one.digest}.json"
    assert parse_snapshot(paths[0].read_text(), one.digest, "s") == one


def test_what_does_not_count_is_counted(tmp_path: Path, requests: list[Request], request_of: RequestOf) -> None:
    more = [
        request_of(100, user="u0", prompt=None), request_of(101, user="u0", prompt="  "),
        request_of(102, user="u0", prompt="refused", status=400), request_of(103, user="u0", prompt=requests[0].prompt),
        *(request_of(200 + number, user="bot", prompt=f"{number} {LONG}") for number in range(50)),
        request_of(300, user="u9", prompt="to another model", model="plays"),
    ]  # fmt: skip
    snapshot = take(write(tmp_path, requests + more))
    assert snapshot.left_out == {"no_text": 2, "rejected": 1, "repeated": 1, "more_of_the_user": 50 - MOST_PROMPTS}
    assert (snapshot.users, snapshot.prompts.documents) == (7, 18 + MOST_PROMPTS)


def test_a_placeholder_counts_as_the_word_that_it_replaced(tmp_path: Path, requests: list[Request], request_of: RequestOf) -> None:
    named = [request_of(number, user=f"u{number}", prompt=f"dear <PERSON> of <LOCATION>, {number}") for number in range(6)]
    plain = [request_of(number, user=f"u{number}", prompt=f"dear name of name, {number}") for number in range(6)]
    assert take(write(tmp_path / "a", named)).prompts == take(write(tmp_path / "b", plain)).prompts


def test_the_language_of_short_prompts_does_not_count(tmp_path: Path, request_of: RequestOf) -> None:
    short = [request_of(number, user=f"u{number}", prompt="la noche") for number in range(6)]
    assert take(write(tmp_path, short)).prompts.bins["language"] == {}


@pytest.mark.parametrize(
    ("users", "model", "what"),
    [
        (0, "poems", "the request log has no requests to poems in this period; wait for more requests, or take a longer period"),
        (6, "plays", "the request log has no requests to plays in this period; "),
        (1, "poems", f"prompts of 1 user are in this period, and a snapshot needs {LEAST_USERS}; "),
        (LEAST_USERS - 1, "poems", f"prompts of {LEAST_USERS - 1} users are in this period, and a snapshot needs {LEAST_USERS}; "),
    ],
)
def test_a_log_without_enough_prompts_is_refused(tmp_path: Path, request_of: RequestOf, users: int, model: str, what: str) -> None:
    write(tmp_path, [request_of(number, user=f"u{number % max(users, 1)}") for number in range(9 if users else 0)])
    with pytest.raises(BadInput) as error:
        take(tmp_path, model)
    assert str(error.value).startswith(f"{tmp_path}: {what}") and "\n" not in str(error.value)


def test_fewer_users_than_the_floor_cannot_be_allowed(tmp_path: Path, request_of: RequestOf) -> None:
    write(tmp_path, [request_of(0)])
    with pytest.raises(BadInput, match=f"a snapshot needs {LEAST_USERS}"):
        take_snapshot(tmp_path, "poems", english, least_users=1)


def test_a_period_without_prompts_is_refused(tmp_path: Path, requests: list[Request]) -> None:
    write(tmp_path, requests)
    with pytest.raises(BadInput, match="no requests to poems in this period"):
        take_snapshot(tmp_path, "poems", english, since=datetime(2027, 1, 1, tzinfo=UTC))
    with pytest.raises(BadInput, match="no such folder"):
        take(tmp_path / "nothing")


def test_prompts_count_as_the_writer_process_scrubbed_them(tmp_path: Path, request_of: RequestOf) -> None:
    log = RequestLog(tmp_path, RequestLogSettings(names="patterns", scrub_share=1, text_wait_seconds=600))
    for number in range(6):
        assert log.put(request_of(number, user=f"u{number}", time=time.time(), prompt=f"write to u{number}@example.org"))
    log.close(120)
    snapshot = take(tmp_path)
    assert (snapshot.prompts.documents, snapshot.left_out) == (6, {}) and snapshot.prompts.bins["words"] == {"3": 6}
