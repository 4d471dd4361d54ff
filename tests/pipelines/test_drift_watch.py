"""The drift-watch pipeline: its golden file, and runs on this machine on a real registry and a real request log.

The golden file after a wanted change: ROBO_POET_GOLDEN=write pytest tests/pipelines/test_drift_watch.py
"""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.drift import app
from monitoring.drift.baseline import record_baseline
from monitoring.drift.history import History
from monitoring.drift.watch import Watcher
from pipelines.cluster.submit import cluster_parameters as training_parameters
from pipelines.drift_watch import cluster_parameters, compile_drift_watch
from pipelines.profile.load import load_profile
from pipelines.run.ir.document import read_pipeline
from pipelines.steps import DRIFT_STEPS
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import OLDER_WINDOW
from robo_poet.registry.registry import Registry
from robo_poet.settings.monitoring import DriftSettings
from tests.monitoring.logged import FIRST, Sent, write_log
from tests.pipelines.test_compile import parsed, without_words
from tests.robo_poet.registry.released import released

GOLDEN = Path(__file__).parent / "golden" / "drift-watch-rtx.yaml"
LAST = (datetime.now(UTC) - FIRST).days - 2  # complete also just after midnight
WINDOW = str((FIRST + timedelta(days=LAST)).date())
SETTINGS = DriftSettings(min_users=50, baseline_windows=3)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    claims = ["cluster.requests=/requests", "cluster.requests_claim=request-log"]
    target = tmp_path_factory.mktemp("ir") / "watch.yaml"
    compile_drift_watch(load_profile("rtx", claims).profile, target)
    return target


def test_the_pipeline_is_the_golden_one(compiled: Path) -> None:
    documents = without_words(parsed(compiled))
    if os.environ.get("ROBO_POET_GOLDEN") == "write":
        GOLDEN.write_text(yaml.safe_dump_all(documents, sort_keys=True))
    assert documents == list(yaml.safe_load_all(GOLDEN.read_text()))
    cached = {name: step.cache for name, step in read_pipeline(compiled).steps.items()}
    assert cached == {"collect-window": False, "judge-drift": True, "send-alert": False}  # the log and the registry change


def test_the_kubeflow_ui_shows_a_page_and_describes_everything(compiled: Path) -> None:
    pipeline = parsed(compiled)[0]
    steps = {name: part for name, part in pipeline["components"].items() if "executorLabel" in part}
    described = [
        pipeline["root"]["inputDefinitions"],
        *(part[side] for part in steps.values() for side in ("inputDefinitions", "outputDefinitions")),
    ]
    ports = [port for definitions in described for kind in definitions.values() for port in kind.values()]
    assert len(steps) == len(DRIFT_STEPS) and all(port.get("description") for port in ports)
    shown = steps["comp-judge-drift"]["outputDefinitions"]["artifacts"]
    assert {name: shown[name]["artifactType"]["schemaTitle"] for name in ("page", "metrics")} == {
        "page": "system.HTML",
        "metrics": "system.Metrics",
    }
    assert (
        pipeline["components"]["comp-condition-1"]
        and pipeline["root"]["dag"]["tasks"]["condition-1"]["taskInfo"]["name"] == "the window is a drift"
    )


def test_its_steps_are_not_part_of_a_models_lineage() -> None:
    code = training_parameters(load_profile("rtx").profile, source="")["lineage"]["code"]
    assert not code.keys() & {step.name for step in DRIFT_STEPS}


def test_a_cluster_run_needs_the_folder_of_the_request_log() -> None:
    with pytest.raises(BadInput, match="cluster.requests: the pods do not know the folder of the request log"):
        cluster_parameters(load_profile("rtx").profile)
    parameters = cluster_parameters(load_profile("rtx", ["cluster.requests=/requests"]).profile, "poems")
    assert (parameters["requests"], parameters["model_name"], parameters["window"]) == ("/requests", "poems", "")
    with pytest.raises(BadInput, match="requests_claim needs an absolute mount path"):
        load_profile("rtx", ["cluster.requests_claim=log"])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The champion serves since seven days before the window."""

    class Past(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return FIRST + timedelta(days=LAST - 6)

    with monkeypatch.context() as past:
        past.setattr("robo_poet.registry.log.entry.datetime", Past)
        return released(tmp_path)


def write_days(store: Registry, *days: tuple[int, float]) -> Path:
    """Write 60 users for each (days before the window, nats)."""
    dice, digest = random.Random(1), store.released().digest
    people = (Sent(f"u{k}", dice.gauss(nats, 0.3), day=LAST - back + 0.4, digest=digest) for back, nats in days for k in range(60))
    return write_log(Path(store.root).parent / "requests", people)


def call(folder: Path, *words: str) -> Result:
    places = ["--registry", str(folder / "registry"), "--folder", str(folder / "requests"), "--runs", str(folder / "runs")]
    values = [
        f"local.store={folder / 'store'}",
        *(f"monitoring.drift.{name}={getattr(SETTINGS, name)}" for name in ("min_users", "baseline_windows")),
    ]
    return CliRunner().invoke(app, ["run", "--window", WINDOW, *places, *words, *(word for value in values for word in ("--set", value))])


def test_a_drift_is_judged_as_the_watcher_judges_it(store: Registry, tmp_path: Path) -> None:
    log = write_days(store, *((back, 4.0) for back in (5, 4, 3, 2)), (1, 4.5), (0, 4.5))
    since, now = FIRST + timedelta(days=LAST - 5), FIRST + timedelta(days=LAST + 1.5)
    record_baseline(store, log, SETTINGS, now, since=since, who="ada", why="test")
    printed = call(tmp_path)
    assert printed.exit_code == 0 and "DRIFT: perplexity" in printed.stdout and "likely cause: the world changed" in printed.stdout
    assert "no alert is sent: monitoring.alertmanager is not set" in printed.stdout
    [run] = [path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()]
    verdict = json.loads((run / "verdict.json").read_text())
    unscored = Watcher(store, log, SETTINGS, History(tmp_path / "history"), now.timestamp, lambda _: OLDER_WINDOW)  # as in the pipeline
    watched = unscored.look()[-1]
    for name in ("version", "digest", "baseline", "start", "end", "snapshot", "row", "action", "reasons", "cause", "evidence"):
        assert verdict[name] == getattr(watched, name), name
    assert verdict["comparison"]["columns"]["perplexity"]["distance"] > 0.5 and len(verdict["comparison"]["reference_windows"]) == 3
    assert f"Window {WINDOW} of version 1: 60 users, compared with 180 users" in (run / "drift.html").read_text()


def test_what_cannot_be_judged_is_no_failure(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry", "poems")
    (tmp_path / "weights").write_text("1")
    registry.register({"weights": tmp_path / "weights"}, metrics={}, lineage={}, decision={}, stage="candidate", who="ada", why="test")
    printed = call(tmp_path)
    assert printed.exit_code == 0 and "cannot tell: the model has no champion" in printed.stdout
    assert "send-alert" in printed.stdout and "skipped" in printed.stdout


def test_another_folder_than_a_request_log_is_one_line(store: Registry, tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "notes.txt").write_text("no log")
    printed = call(tmp_path)
    assert isinstance(printed.exception, BadInput) and str(printed.exception).startswith(f"{tmp_path / 'requests'}")
    assert not list((tmp_path / "runs").iterdir())
