"""Recurring runs are one for each name, whatever is said how often."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.cluster import app
from pipelines.cluster.client import connect
from pipelines.cluster.connection import find_connection
from pipelines.cluster.recurring import check_cron, disable_recurring, list_recurring, schedule_pipeline
from pipelines.cluster.submit import cluster_parameters
from pipelines.compile import compile_training
from pipelines.profile.load import Profile
from pipelines.run.ir.document import read_pipeline
from robo_poet.errors import BadInput
from tests.pipelines.cluster.conftest import TRUSTED
from tests.pipelines.cluster.kubeflow_server import Kubeflow

Serve, Make = Callable[..., Kubeflow], Callable[..., Profile]
NIGHTLY, WEEKLY = "0 30 3 * * *", "0 30 3 * * MON"


def test_one_recurring_run_per_name(serve: Serve, profile: Make, ir: Path) -> None:
    server = serve()
    chosen = profile(f"cluster.host={server.address}")
    connected = connect(find_connection(chosen.cluster))
    parameters = cluster_parameters(chosen, source="", moving_source=True)

    def say(name: str, cron: str, **more: object) -> tuple[str, bool]:
        made, changed = schedule_pipeline(chosen, ir, {**parameters, **more}, name=name, cron=cron, connected=connected)
        return made.id, changed

    first, changed = say("night", NIGHTLY)
    assert changed and say("night", NIGHTLY) == (first, False) == say("night", NIGHTLY, who="another")
    assert say("week", WEEKLY)[1] and [(one.name, one.cron) for one in list_recurring(*connected)] == [("night", NIGHTLY), ("week", WEEKLY)]
    body = server.things["recurring"][first]
    assert body["max_concurrency"] == "1" or body["max_concurrency"] == 1
    assert body["no_catchup"] and body["runtime_config"]["pipeline_root"] == "gs://poets/runs" and body["experiment_id"] == "experiment-1"

    second, changed = say("night", WEEKLY)  # replaces
    assert changed and second != first and [one.id for one in list_recurring(*connected) if one.name == "night"] == [second]
    assert [one.id for one in disable_recurring(*connected, "night")] == [second] and disable_recurring(*connected, "night") == []
    assert not next(one for one in list_recurring(*connected) if one.id == second).enabled
    assert say("night", WEEKLY) == (second, True) and next(one for one in list_recurring(*connected) if one.id == second).enabled
    with pytest.raises(BadInput, match="day: there is no such recurring run in experiment Default"):
        disable_recurring(*connected, "day")


def test_the_drift_watch_is_a_pipeline_of_its_own(serve: Serve, profile: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    monkeypatch.setenv("ROBO_POET_CLUSTER_HOST", server.address)
    monkeypatch.setenv("ROBO_POET_CLUSTER_PIPELINE_ROOT", "gs://poets/runs")
    values = [TRUSTED, "cluster.image_prefix=images.example.org/poets", "cluster.requests=/requests", f"local.store={tmp_path}"]
    words = ["schedule", "create", "drift", "0 30 0 * * *", "--pipeline", "drift-watch", "--model", "poems"]
    words += [word for value in values for word in ("--set", value)]
    printed = CliRunner().invoke(app, words)
    assert "recurring run drift, 0 30 0 * * *: set" in printed.stdout, printed.exception
    assert "unchanged" in CliRunner().invoke(app, words).stdout
    [body] = server.things["recurring"].values()
    parameters = body["runtime_config"]["parameters"]
    assert (parameters["requests"], parameters["model_name"], parameters["window"]) == ("/requests", "poems", "")
    refused = CliRunner().invoke(app, [*words, "--corpus", "gs://poets/corpus"]).exception
    assert isinstance(refused, BadInput) and "the drift watch reads no corpus" in str(refused)


def test_duplicates_left_by_a_kill_are_removed(serve: Serve, profile: Make, ir: Path) -> None:
    server = serve()
    chosen = profile(f"cluster.host={server.address}")
    connected = connect(find_connection(chosen.cluster))
    parameters = cluster_parameters(chosen, source="")
    made, _ = schedule_pipeline(chosen, ir, parameters, name="night", cron=NIGHTLY, connected=connected)
    server.things["recurring"]["old"] = {**server.things["recurring"][made.id], "recurring_run_id": "old", "description": "made of another"}
    assert schedule_pipeline(chosen, ir, parameters, name="night", cron=NIGHTLY, connected=connected) == (made, True)
    assert list(server.things["recurring"]) == [made.id]


def test_each_run_reads_what_the_source_then_holds(profile: Make, tmp_path: Path) -> None:
    parameters = cluster_parameters(profile(), source="gs://poets/corpus", moving_source=True)
    assert parameters["source"] == "gs://poets/corpus" and parameters["source_digest"] == "" == parameters["lineage"]["source_digest"]
    for moving in (False, True):
        compile_training(profile(), tmp_path / "training.yaml", moving_source=moving)
        steps = read_pipeline(tmp_path / "training.yaml").steps
        assert steps["ingest"].cache is not moving and steps["train-model"].cache


@pytest.mark.parametrize("cron", [NIGHTLY, WEEKLY, "0 */15 8-18 ? JAN-MAR mon-fri", "0 0 0 1,15 * *", "*/5 * * * * *"])
def test_valid_crons_are_accepted(cron: str) -> None:
    assert check_cron(f"  {cron} ") == cron


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 3 * * *", "has 5 fields; Kubeflow's cron has six: second, minute, hour, day, month, weekday; put the seconds in front of a cron of five fields: '0 30 3 * * *'"),
        ("", "has 0 fields"),
        ("0 60 3 * * *", "'60' is not a minute; use 0 to 59"),
        ("0 30 24 * * *", "'24' is not a hour"),
        ("0 30 3 0 * *", "'0' is not a day of month"),
        ("0 30 3 * FEBRUARY *", "'FEBRUARY' is not a month"),
        ("0 30 3 * * MON-", "'MON-' is not a day of week"),
        ("0 30 3 * * 5-1", "'5-1' is not a day of week"),
        ("0 */0 3 * * *", "'*/0' is not a minute"),
    ],
)  # fmt: skip
def test_invalid_crons_are_rejected(cron: str, words: str) -> None:
    with pytest.raises(BadInput) as error:
        check_cron(cron)
    assert words in str(error.value)
