"""The story of a replay: five acts, each with what must happen in it (MON-4).

Nothing is simulated but the users. The gates, the canary judge, the drift judge and the trigger of the retraining are those of a real
service, with the settings of profiles/replay.yaml.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.replay.journal import Act, ActFailed, Journal
from cli.replay.programs import Programs, Prometheus
from cli.replay.texts import LOWER_CASE, PLAYS, Texts
from cli.replay.users import Users
from monitoring.drift.history import History, Judged
from monitoring.retraining.log import RetrainingLog
from robo_poet.judges.retraining.state import Request
from robo_poet.registry.log.entry import Action
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.record import Record, Stage
from serving.canary.evidence import Evidence
from serving.canary.status_page import bounds_text, number_text

MODEL = "replay"
FACTOR = 1 / 100  # of the durations of the alert rules: a minute takes 0.6 s
RUN_SECONDS, RELEASE_SECONDS, WINDOWS_SECONDS, ALERT_SECONDS = 420.0, 240.0, 240.0, 60.0  # longest waits
UP_SECONDS = 30.0  # until Prometheus has read all programs once
MOST_SECONDS = 2400.0  # of the users, who must stop by themselves
FIRST_EPOCHS = 1
JOBS = {  # program of `serve` → job of Prometheus
    "gateway": "robo-poet-gateway", "model_server": "robo-poet-model-server", "canary": "robo-poet-canary",
    "model_sync": "robo-poet-model-sync",
}  # fmt: skip
FIRING = 'ALERTS{alertname="RoboPoetPerplexityDrift",alertstate="firing"}'

ACTS = (
    ("Release 1", "A first model is trained on Shakespeare's plays. It has no champion to beat, so it is served at once."),
    ("Release 2 is better", "A longer training makes a better model. A part of the users gets it. It proves itself, and is promoted."),
    (
        "Release 3 passes its gates and fails its users",
        "A clean-up wrote the corpus in lower case. The held-out text is in lower case too, so the model passes each gate. But users write "
        "capitals. The canary judge must notice it, and roll the release back.",
    ),
    (
        "The users change",
        "The users who type passages of plays go. Others come, who type passages of presidents' speeches. The model predicts this "
        "text less well: its perplexity rises by more than 20 %. The drift judge must notice it, an alert must reach people, and one "
        "training run must start.",
    ),
    (
        "Release 4 closes the loop",
        "The retrained model knows both kinds of text. It passes the same gates and the same canary. Its perplexity stays within its own "
        "bounds. Perplexities of versions with different tokens cannot be compared, so the same prompts are scored by both versions, in "
        "bits per byte.",
    ),
)


def acts() -> list[Act]:
    """Return the acts, before anything has happened."""
    return [Act(title, description) for title, description in ACTS]


@dataclass
class Scene:
    """The programs, texts and settings of a replay.

    Attributes:
        options: `--profile` and `--set` of each command.
        prometheus, users: None before the service has started.
    """

    programs: Programs
    texts: Texts
    options: list[str]
    prometheus: Prometheus | None = None
    users: Users | None = None

    @property
    def folder(self) -> Path:
        """Return the folder of the replay."""
        return self.programs.folder

    @property
    def registry(self) -> Registry:
        """Return the registry of the replay."""
        return Registry(self.folder / "registry", MODEL)

    @property
    def history(self) -> History:
        """Return the judged windows."""
        return History(self.folder / ".serve" / "drift" / MODEL)

    def requests(self) -> tuple[Request, ...]:
        """Return the requests for a retraining."""
        return RetrainingLog(self.folder / ".serve" / "retraining" / MODEL / "log", MODEL).state().requests

    def check(self) -> None:
        """Raise an exception if a program or the users have failed."""
        self.programs.check()
        if self.users is not None and self.users.error is not None:
            raise self.users.error


def play(journal: Journal, scene: Scene) -> None:
    """Play all acts.

    Raises:
        ActFailed: something that an act needs did not happen.
        Broken: a program failed.
    """
    journal.next_act()
    _train(journal, scene, 1, PLAYS, epochs=FIRST_EPOCHS)
    journal.expect("version 1 is champion", scene.registry.state().champion == 1, "it is the first version that the gates accepted")
    with _service(journal, scene):
        journal.next_act()
        _train(journal, scene, 2, PLAYS)
        _promoted(journal, scene, 2)
        journal.next_act()
        _train(journal, scene, 3, LOWER_CASE)
        _rolled_back(journal, scene, 3)
        journal.next_act()
        _users_change(journal, scene)
        journal.next_act()
        _promoted(journal, scene, 4)
        _back_in_bounds(journal, scene)
        asked, failed = (scene.users.asked, scene.users.failed) if scene.users else (0, 0)
        journal.expect("no request of a user has failed", asked > 0 and not failed, f"{asked:,} requests, {failed:,} failed")
        journal.next_act()


def _train(journal: Journal, scene: Scene, number: int, corpus: str, epochs: int = 0) -> None:
    """Run the pipeline. It must register version `number`, as the gates accept it."""
    name = f"run-{number}"
    words = ["run", "--run-id", name, "--corpus", scene.texts.corpus(corpus), "--model", MODEL, "--same-model", *scene.options]
    process = scene.programs.robo_poet(name, *words, *(["--set", f"train.epochs={epochs}"] if epochs else []))
    journal.wait(f"the pipeline trains version {number}", lambda: process.poll() is not None, RUN_SECONDS, training=True)
    scene.check()
    summary = json.loads((scene.folder / "runs" / name / "summary.json").read_text("utf-8"))
    accepted = summary["verdict"] == "accepted" and summary["version"] == number
    outcome = measured(summary) if accepted else f"version {summary['version']}, {summary['verdict']}: {summary['reason']}"
    journal.expect(f"the gates accept version {number}", accepted, outcome)


def measured(summary: Mapping[str, Any]) -> str:
    """Return the perplexity and the bits per byte of a run in a line."""
    metrics = summary["metrics"]
    return f"perplexity of held-out text {metrics['perplexity']:.1f}, {metrics['bits_per_byte']:.2f} bits per byte"


@contextmanager
def _service(journal: Journal, scene: Scene) -> Iterator[None]:
    """Start the service, its monitoring and the users. The users stop at the end of the block."""
    programs = scene.programs
    address, ports = journal.wait("model server, gateway and canary controller are ready", lambda: programs.serve(scene.options), 1)
    key = programs.new_key()
    trigger, watcher = programs.listen(scene.options), programs.watch(scene.options, ports["model_server"])
    alertmanager = programs.alertmanager(FACTOR, trigger)
    targets = {
        **{JOBS[name]: port for name, port in ports.items()}, "robo-poet-drift": watcher, "robo-poet-retraining": trigger,
        "alertmanager": alertmanager,
    }  # fmt: skip
    prometheus = scene.prometheus = programs.prometheus(FACTOR, targets)
    journal.wait("Prometheus reads the metrics of all programs", lambda: prometheus.up() == set(targets), UP_SECONDS)
    scene.users = Users(address, key, scene.texts.play_prompts)
    with scene.users.asking(MOST_SECONDS):
        journal.wait("users get answers", lambda: scene.users and scene.users.asked >= 10, 30)
        yield


def _promoted(journal: Journal, scene: Scene, number: int) -> None:
    """Wait until the controller has promoted a canary, and all users have it."""
    _decided(journal, scene, number, Stage.CHAMPION, f"the canary judge promotes version {number}")
    journal.wait(f"version {number} serves all users", lambda: scene.registry.state().watch is None, RELEASE_SECONDS)


def _rolled_back(journal: Journal, scene: Scene, number: int) -> None:
    """Wait until the controller has rolled a canary back."""
    _decided(journal, scene, number, Stage.REJECTED, f"the canary judge rolls version {number} back")


def _decided(journal: Journal, scene: Scene, number: int, expected: Stage, text: str) -> None:
    """Wait until users get a canary, and until the controller has decided about it. Another decision fails the act at once."""

    def exposed() -> bool:
        state = scene.registry.state()
        return state.canary_share > 0 or state.record(number).stage is not Stage.CANARY

    def decision() -> Record | None:
        record = scene.registry.state().record(number)
        if record.stage not in (Stage.CANARY, expected):
            raise ActFailed(f"version {number} is {record.stage}: {record.why}")
        return record if record.stage is expected else None

    journal.wait(f"users get version {number} as canary", exposed, RELEASE_SECONDS)
    journal.wait(text, decision, RELEASE_SECONDS, lambda record: record.why)


def _window(scene: Scene, number: int, action: str) -> Judged | None:
    """Return the newest window of a version if its verdict is `action`."""
    judged = [window for window in scene.history.judged() if window.version == number]
    return judged[-1] if judged and judged[-1].action == action else None


def _users_change(journal: Journal, scene: Scene) -> None:
    """Replace the users, and wait for the verdict, the alert and the training run."""
    assert scene.users is not None and scene.prometheus is not None
    champion, delivered, prometheus = 2, scene.programs.delivered, scene.prometheus
    journal.wait(
        "the drift judge finds no drift yet", lambda: _window(scene, champion, "no_drift"), WINDOWS_SECONDS, lambda window: reason(window)
    )
    scene.users.prompts = scene.texts.speech_prompts
    journal.wait("the drift judge finds a drift", lambda: _window(scene, champion, "drift"), WINDOWS_SECONDS, lambda window: reason(window))
    journal.wait("Prometheus fires the alert", lambda: prometheus.query(FIRING), ALERT_SECONDS)
    journal.wait(
        "Alertmanager delivers it to people", lambda: next((message for message in delivered if "PerplexityDrift" in message.title), None),
        ALERT_SECONDS, lambda message: message.title,
    )  # fmt: skip
    journal.wait("the alert starts one training run", lambda: any(request.runs for request in scene.requests()), ALERT_SECONDS)

    def finished() -> Request | None:
        requests = scene.requests()
        if len(requests) != 1:
            causes = ", ".join(request.key.cause for request in requests)
            raise ActFailed(f"one cause must ask for a retraining, not {len(requests)}: {causes}")
        [request] = requests
        if request.status in ("refused", "open"):
            raise ActFailed(f"the training run is {request.status}: {request.why}")
        return request if request.status == "finished" else None

    request = journal.wait("the run trains on plays and speeches", finished, RUN_SECONDS, lambda request: request.why, training=True)
    if request.made != 4:
        raise ActFailed(f"the run registered version {request.made or 'none'}, not version 4: {request.why}")


def _back_in_bounds(journal: Journal, scene: Scene) -> None:
    """Wait until version 4 is within its own bounds. Its tokens are not those of version 2, so both are compared in bits per byte."""
    journal.wait(
        "the drift judge finds no drift of version 4", lambda: _window(scene, 4, "no_drift"), WINDOWS_SECONDS, lambda window: reason(window)
    )
    journal.wait(
        "the alert is over", lambda: scene.prometheus is not None and not scene.prometheus.query(FIRING), ALERT_SECONDS,
        lambda _: "Prometheus does not fire it any more",
    )  # fmt: skip
    quality = promotion_evidence(scene.registry, scene.folder, 4)["guardrails"]["quality"]
    journal.expect(
        "the users' text is easier for version 4 than for version 2", quality["high"] is not None and quality["high"] < 0,
        f"{number_text(quality['unit'], quality['estimate'])} for the same prompts, {bounds_text(quality)}",
    )  # fmt: skip


def kept_evidence(folder: Path) -> Evidence:
    """Return the evidence of the canary judge in the folder of a replay."""
    return Evidence(folder / ".serve" / "canary" / MODEL / "evidence")


def promotion_evidence(registry: Registry, folder: Path, number: int) -> dict[str, Any]:
    """Return the evidence of the canary judge for the promotion of a version. Raises ActFailed if there is none."""
    for entry in reversed(registry.log()):
        said = entry.statement
        if (said.action, said.version) == (Action.PROMOTE, number) and said.details.get("evidence"):
            kept = kept_evidence(folder).read(said.details["evidence"])
            return dict(kept["evidence"])
    raise ActFailed(f"version {number} was promoted without evidence")


def reason(window: Judged) -> str:
    """Return the reason and the likely cause of a verdict in a line."""
    return window.reasons[0] + (f"; likely cause: {window.cause}" if window.cause else "")
