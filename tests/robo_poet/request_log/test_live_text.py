"""Prompts with consent as a corpus, from a log that the real writer wrote and that the real ingest reads."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robo_poet.corpus.source import open_source
from robo_poet.errors import BadInput
from robo_poet.request_log.deletion import forget
from robo_poet.request_log.live_text import MOST_PROMPTS, REASONS, LiveText, describe_left_out, read_live_text
from robo_poet.request_log.record import BY_TOKEN, Request
from robo_poet.request_log.writer import Writer
from robo_poet.settings.data import IngestSettings
from robo_poet.settings.serve import RequestLogSettings

RequestOf = Callable[..., Request]
LONG = "the night is long and the road is dark"


def write(folder: Path, requests: list[Request]) -> Path:
    log = Writer(folder, RequestLogSettings())
    for one in requests:
        assert log.add("request", asdict(one))
    log.close()
    return folder


def texts(live: LiveText) -> list[str]:
    return [json.loads(line)["text"] for line in live.documents.splitlines()]


RECORD = st.fixed_dictionaries(
    {
        "user": st.sampled_from(["ann", "ben", "cy"]),
        "consent": st.sampled_from(["", "k1", "k2", BY_TOKEN]),
        "client": st.sampled_from(["key", "token", "application", ""]),
        "status": st.sampled_from([200, 200, 422]),
        "day": st.integers(0, 2),
        "has_text": st.booleans(),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORD, max_size=12))
def test_only_prompts_with_a_consent_that_holds_are_used(
    tmp_path_factory: pytest.TempPathFactory, request_of: RequestOf, records: list[dict[str, Any]]
) -> None:
    requests = []
    for number, record in enumerate(records):
        fields = {name: record[name] for name in ("user", "consent", "client", "status")}
        prompt = f"{LONG} marker-{number:02d}" if record["has_text"] else None
        time = request_of(0).time + 86_400 * record["day"]
        requests.append(request_of(number, **fields, prompt=prompt, time=time, completions=[f"completion-{number:02d}"]))
    folder = write(tmp_path_factory.mktemp("log"), [*requests, request_of(99)])
    live = read_live_text(folder, "poems", {"k1"})
    newest = {}
    for one in sorted((one for one in requests if one.client != "key"), key=lambda one: (one.time, not one.consent)):
        newest[one.user] = one.consent
    for number, one in enumerate(requests):
        expected = one.consent in ("k1", BY_TOKEN) and one.status == 200 and one.prompt is not None
        if one.client != "key":
            expected = expected and bool(newest[one.user])
        assert (f"marker-{number:02d}" in live.documents) == expected
    assert "completion-" not in live.documents and "falls softly" not in live.documents
    assert live.requests == len(requests) + 1 == live.used + sum(live.left_out.values())
    assert live == read_live_text(folder, "poems", {"k1"})


def test_a_document_is_a_day_of_a_user_whom_it_does_not_name_and_ingest_reads_it(tmp_path: Path, request_of: RequestOf) -> None:
    given: dict[str, Any] = {"consent": "k1", "client": "key"}
    requests = [
        request_of(n, user=f"pseudonym-{n % 2}", prompt=f"{LONG} {n}\nand on", time=request_of(n).time + 86_400 * (n // 4), **given)
        for n in range(8)
    ]
    again = request_of(8, user="pseudonym-0", prompt=f"{LONG.upper()}  0 and on", **given)
    short = request_of(9, prompt="write to <PERSON> <EMAIL_ADDRESS>", **given)
    other = request_of(10, model="tales", prompt=f"{LONG} of another model", **given)
    live = read_live_text(write(tmp_path / "log", [*requests, again, short, other]), "poems", {"k1"})
    assert (live.number, live.users, live.used, live.requests) == (4, 2, 8, 10)
    assert list(describe_left_out(live)) == ["requests that have fewer than 20 characters: 1", "requests that repeat an earlier prompt: 1"]
    assert "pseudonym" not in live.documents and "another model" not in live.documents and "k1" not in live.documents
    assert f"{LONG} 0\nand on\n\n{LONG} 2\nand on" in texts(live)
    live.write(tmp_path / "live.jsonl")
    assert (tmp_path / "live.jsonl").stat().st_mode & 0o777 == 0o600
    documents = list(open_source(str(tmp_path / "live.jsonl"), "", IngestSettings()).documents())
    assert [document.text for document in documents] == texts(live)
    assert {document.group for document in documents} == {""} and {document.date for document in documents} == {"2026-03-01", "2026-03-02"}
    assert {document.consent for document in documents} == {"by the user, with an API key"} and all(one.licence for one in documents)


def test_forgotten_users_and_older_periods_are_not_used(tmp_path: Path, request_of: RequestOf) -> None:
    requests = [request_of(n, user=f"u{n}", prompt=f"{LONG} {n}", consent="k1", client="key") for n in range(3)]
    folder = write(tmp_path / "log", requests)
    forget(folder, "u1")
    assert sorted(texts(read_live_text(folder, "poems", {"k1"}))) == [f"{LONG} 0", f"{LONG} 2"]
    later = datetime.fromtimestamp(requests[2].time, UTC)
    assert texts(read_live_text(folder, "poems", {"k1"}, since=later)) == [f"{LONG} 2"]
    assert texts(read_live_text(folder, "poems", {"k1"}, until=later)) == [f"{LONG} 0"]
    assert read_live_text(folder, "poems", set()).number == 0  # the key was withdrawn, revoked or deleted


def test_records_of_an_older_release_have_no_consent(tmp_path: Path, request_of: RequestOf) -> None:
    folder = write(tmp_path / "log", [request_of(0, prompt=LONG, consent="k1", client="key")])
    [part] = folder.glob("date=*/part-*")
    pq.write_table(pq.ParquetFile(part).read().drop_columns(["consent"]), part)
    live = read_live_text(folder, "poems", {"k1", ""})
    assert (live.number, live.left_out) == (0, {"no_consent": 1})


def test_one_user_has_a_quota_and_all_reasons_have_words(tmp_path: Path, request_of: RequestOf) -> None:
    requests = [request_of(n, prompt=f"{LONG} {n}", consent="k1", client="key") for n in range(MOST_PROMPTS + 3)]
    live = read_live_text(write(tmp_path / "log", requests), "poems", {"k1"})
    assert (live.used, live.left_out) == (MOST_PROMPTS, {"more_of_the_user": 3}) and live.left_out.keys() <= REASONS.keys()


def test_a_folder_that_is_not_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        read_live_text(tmp_path / "requests", "poems", set())
