import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from robo_poet.errors import BadInput
from robo_poet.outcomes.log import OutcomeLog
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.outcomes.record import AssignedArm, Outcome
from robo_poet.request_log.record import Feedback, Request
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings
from serving.access.api_keys import KeyStore
from serving.access.caller import Consent
from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key, reader_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Path]:
    """A gateway's folder: two requests of anna, one of ben, and a writer that still runs."""
    names = Pseudonyms(read_or_create_key(tmp_path / "pseudonyms.key"))
    logs = [Writer(tmp_path / "requests", RequestLogSettings()) for _ in range(2)]
    for n, user in enumerate(("anna", "ben", "anna")):
        logs[n // 2].add("request", asdict(Request(
            f"c{n}", f"r{n}", NOON + n * 3600, names.user(user), "poems", 3, "d" * 64, "champion", f"the night {n}", ["falls softly"],
            {"temperature": 0.8}, 0.05, tokens=[7], finish_reasons=["end"],
        )))  # fmt: skip
    logs[0].add("feedback", asdict(Feedback("c0", NOON, names.user("anna"), rating=5, thumb="up")))
    logs[0].close()
    yield tmp_path
    logs[1].close()


def type_(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["requests", *words, "--folder", str(folder / "requests")], env={"COLUMNS": "160"})


def asked(folder: Path, *words: str) -> list[str]:
    return [json.loads(line)["completion_id"] for line in type_(folder, "show", "--json", *words).stdout.splitlines()]


def test_requests_are_filtered_by_time_and_user(serve: Path) -> None:
    shown = type_(serve, "show", "--last", "2").stdout
    assert "the night 1" in shown and "the night 2" in shown and "the night 0" not in shown and "2 of 3 requests" in shown
    assert "1 up" in type_(serve, "show").stdout
    narrow = CliRunner().invoke(app, ["requests", "show", "--folder", str(serve / "requests")], env={"COLUMNS": "80"}).stdout.splitlines()
    assert max(map(len, narrow)) <= 80 and len(narrow) == 5  # one line for each request, between head and end
    assert "2026-03-01 12:00:00" in narrow[1] and "5 1 up" in narrow[1] and "the night 0" in narrow[1]
    assert asked(serve) == ["c0", "c1", "c2"] and asked(serve, "--user", "anna") == ["c0", "c2"]
    assert asked(serve, "--since", "2026-03-01T13:00", "--until", "2026-03-01T14:00+00:00") == ["c1"]
    assert "no matching requests" in type_(serve, "show", "--since", "2026-03-02").stdout


def test_forget_removes_a_user_and_reports_files_in_use(serve: Path) -> None:
    done = type_(serve, "forget", "anna")
    assert done.exit_code == 0 and "1 request and 1 rating" in done.stdout and "1 file not changed yet" in done.stdout
    assert "repeat this command in two minutes" in done.stdout
    pseudonym = Pseudonyms(read_or_create_key(serve / "pseudonyms.key")).user("ben")
    done = type_(serve, "forget", "--pseudonym", pseudonym)
    assert done.stdout == f"removed for {pseudonym}: 1 request and 0 ratings\n"
    unknown = type_(serve, "forget", "anna.")
    assert unknown.exit_code == 0 and "has no records; nothing was removed. Users are named as in their API keys: " in unknown.stdout
    assert asked(serve) == ["c2"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["forget"], "USER: give either the name of a user or --pseudonym"),
        (["forget", "anna", "--pseudonym", "a" * 32], "USER: give either the name of a user or --pseudonym"),
        (["forget", "--pseudonym", "anna"], "--pseudonym: a pseudonym has 32 hexadecimal digits (0 to 9, a to f)"),
        (["show", "--since", "yesterday"], "--since: not a date or time; write it like 2026-03-01 or 2026-03-01T18:30"),
    ],
)
def test_a_wrong_argument_has_a_one_line_message(serve: Path, words: list[str], told: str) -> None:
    error = type_(serve, *words).exception
    assert isinstance(error, BadInput) and str(error) == told


def test_a_snapshot_of_prompts_is_written_for_enough_users(serve: Path) -> None:
    registry = serve / "registry"
    words = ("snapshot", "--model", "poems", "--set", f"local.registry={registry}")
    few = type_(serve, *words).exception
    assert isinstance(few, BadInput) and "prompts of 2 users are in this period, and a snapshot needs 10; " in str(few)
    assert not registry.exists()
    log = Writer(serve / "requests", RequestLogSettings())
    for n in range(20):
        log.add(
            "request", asdict(Request(f"d{n}", f"s{n}", NOON, f"u{n % 10}", "poems", 3, "d" * 64, "champion", f"the night {n % 15}", ["x"]))
        )
    log.close()
    written = type_(serve, *words).stdout.splitlines()
    assert written[0] == "23 prompts of 12 users, 2026-03-01 to 2026-03-01; numbers only, no texts"
    assert written[1].startswith(f"wrote {registry}/poems/prompts/") and "run --set validation.prompt_snapshot=" in written[1]
    [file] = (registry / "poems" / "prompts").iterdir()
    assert "night" not in file.read_text() and file.stem[:12] in written[1]
    assert type_(serve, *words).stdout.splitlines() == written


@pytest.mark.parametrize("words", [["show"], ["forget", "anna"], ["forget", "--pseudonym", "a" * 32]])
def test_a_folder_that_is_not_a_log_is_refused(tmp_path: Path, words: list[str]) -> None:
    for _ in range(2):
        assert isinstance(type_(tmp_path, *words).exception, BadInput)
        (tmp_path / "requests" / "other").mkdir(parents=True, exist_ok=True)
    assert not (tmp_path / "pseudonyms.key").exists()


def test_without_the_key_for_pseudonyms_no_new_key_is_made(serve: Path) -> None:
    (serve / "pseudonyms.key").unlink()
    error = type_(serve, "forget", "anna").exception
    assert isinstance(error, BadInput) and "the gateway's key for pseudonyms is missing" in str(error)
    assert not (serve / "pseudonyms.key").exists()


def test_forget_blanks_the_outcomes_also_without_a_request_log_and_of_one_reader(tmp_path: Path) -> None:
    names, arm = Pseudonyms(read_or_create_key(tmp_path / "pseudonyms.key")), AssignedArm("d:7", 0, "canary")
    log = OutcomeLog(tmp_path / "outcomes" / "poems")
    for user in ("anna", reader_of("app", "4711"), reader_of("app", "4712"), "anna"):
        log.begin(arm)
        log.end(arm, Outcome(NOON, names.user(user), 3, "canary", 200, 0.5))
    log.close()
    assert "blanked 2 lines of the outcomes" in type_(tmp_path, "forget", "anna").stdout
    assert "blanked 1 line of the outcomes" in type_(tmp_path, "forget", "app", "--end-user", "4711").stdout
    assert "nothing was removed" in type_(tmp_path, "forget", "app", "--end-user", "4711").stdout
    reader = OutcomeReader(tmp_path / "outcomes" / "poems")
    assert [fields["user"] for _, fields in reader.read()] == [names.user(reader_of("app", "4712"))]
    assert reader.losses("d:7")["canary"].lost == 0
    with pytest.raises(BadInput, match="an end user belongs to an application"):
        CliRunner().invoke(app, ["requests", "forget", "--pseudonym", "0" * 32, "--end-user", "4"], catch_exceptions=False)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Path]:
    """A gateway's folder: prompts of ann, who consents, and of ben, who does not."""
    names, keys = Pseudonyms(read_or_create_key(tmp_path / "pseudonyms.key")), KeyStore(tmp_path / "keys")
    ann = keys.create("ann", ["generate"], 9, Consent.USER).key
    log = Writer(tmp_path / "requests", RequestLogSettings())
    for n, (user, consent) in enumerate((("ann", names.api_key(ann.id)), ("ben", ""))):
        log.add("request", asdict(Request(
            f"c{n}", f"r{n}", NOON, names.user(user), "poems", 3, "d" * 64, "champion", f"the long night of secret-{user}", ["falls softly"],
            client="key", consent=consent,
        )))  # fmt: skip
    log.close()
    yield tmp_path


def test_a_corpus_has_the_prompts_of_users_who_consent_until_they_withdraw(live: Path) -> None:
    out = live / "live.jsonl"
    words = ("corpus", str(out), "--model", "poems", "--since", "2026-03-01")
    written = type_(live, *words)
    assert written.exit_code == 0 and written.stdout.splitlines()[:3] == [
        "2 requests to poems, 1 with consent",
        "used: 1 prompt of 1 user; no completions",
        "left out: requests that have no consent: 1",
    ]
    assert "secret-ann" in out.read_text() and "secret-ben" not in out.read_text() and "falls" not in out.read_text()
    store = KeyStore(live / "keys")
    [key] = store.read_all()
    store.revoke(key.id, "lost")
    assert "may become training text" in str(type_(live, *words).exception)  # somebody else may have used it
    (live / "keys" / f"{key.id}.revoked.json").unlink()
    assert type_(live, *words).exit_code == 0
    out.unlink()
    store.withdraw(key.id)
    error = type_(live, *words).exception
    assert isinstance(error, BadInput) and "no prompt to poems in this period may become training text (2 requests)" in str(error)
    assert "left out: requests that have a consent that was withdrawn" in str(error) and "\n" not in str(error)
    assert not out.exists()


def test_a_corpus_needs_the_key_for_pseudonyms_and_a_name_of_json_lines(live: Path) -> None:
    assert "give a file that ends in .jsonl" in str(type_(live, "corpus", "a.txt", "--model", "poems", "--since", "2026-03-01").exception)
    (live / "pseudonyms.key").unlink()
    words = ("corpus", str(live / "a.jsonl"), "--model", "poems", "--since", "2026-03-01")
    assert "the gateway's key for pseudonyms is missing" in str(type_(live, *words).exception)
    assert not (live / "a.jsonl").exists() and not (live / "pseudonyms.key").exists()


def test_a_deletion_and_a_withdrawal_remove_the_live_text_of_a_retraining(live: Path) -> None:
    file = live / "retraining" / "poems" / "live-text-0123456789abcdef.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    assert "removed 1 file of live text" in type_(live, "forget", "ann").stdout and not file.exists()
    file.write_text("{}")
    [key] = KeyStore(live / "keys").read_all()
    assert "removed 1 file of live text" in CliRunner().invoke(app, ["keys", "withdraw", key.id, "--folder", str(live / "keys")]).stdout
    assert not file.exists()
