"""How tests run the commands of messages and documents: placeholders, states, promised exit statuses, and what is not run in `make test`.

A key is a command as `tests.repository.commands.complete_commands` collects it. A command without an entry runs in `make test` as printed, in
a folder with a finished run of the profile `ci`, and must exit with status 0.
"""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["cluster", "engine", "time", "network", "serves"]


@dataclass(frozen=True)
class Mark:
    """Why `make test` does not run a command.

    Args:
        reason: what it needs. `serves` runs until it is stopped.
        soak: `make soak` runs it, in a process, as typed.
        note: who runs it, or why no test does, if `make soak` does not.
        before: bash commands that prepare the folder in `make soak`.
    """

    reason: Reason
    soak: bool = True
    note: str = ""
    before: str = ""


MODEL = "--model ci-shakespeare"
REMOTE_REGISTRY = Mark("network", soak=False, note="tests/robo_poet/registry/storage uses registries in buckets of an emulator")

# Placeholders: a `1` in a message is a value of the program.
TYPED = {
    "robo-poet data describe poems.csv --set ingest.encoding=windows-1252": (
        "robo-poet data describe poems.csv --set ingest.encoding=windows-1252 --set ingest.columns.text=body"
    ),
    "robo-poet run --set validation.schema_file=1": "robo-poet run --profile ci --set validation.schema_file=poems.pbtxt",
    "robo-poet data describe 1": "robo-poet data describe speeches",
    "robo-poet data describe CORPUS": "robo-poet data describe speeches",
    "robo-poet generate 11": f'robo-poet generate "Shall I compare thee" {MODEL} --version 2',
    'robo-poet keys revoke <id> --why "lost laptop"': 'robo-poet keys revoke KEY --why "lost laptop"',
    "robo-poet keys rotate <id>": "robo-poet keys rotate KEY",
    "robo-poet keys withdraw <id>": "robo-poet keys withdraw KEY",
    "robo-poet requests corpus live.jsonl --model poems --since 2026-03-01": (
        f"robo-poet requests corpus live.jsonl {MODEL} --since 2026-03-01"
    ),
    "robo-poet drift baseline --model 1": f"robo-poet drift baseline {MODEL}",
    "robo-poet drift report --model 1": f"robo-poet drift report {MODEL}",
    "robo-poet drift history --model 1": f"robo-poet drift history {MODEL}",
    "robo-poet retrain approve 1 --model 1 --why 'your reason'": f"robo-poet retrain approve 1 {MODEL} --why 'your reason'",
    "robo-poet profile show -p NAME": "robo-poet profile show -p ci",
    "robo-poet registry adopt --registry 1 --model 1 --name 'your name' --why 'your reason'": (
        "robo-poet registry adopt --registry registry --model shakespeare --name 'your name' --why 'your reason'"
    ),
    "robo-poet registry adopt --model 1 --name 'your name' --why 'your reason'": (
        "robo-poet registry adopt --model shakespeare --name 'your name' --why 'your reason'"
    ),
    "robo-poet registry accept-head --registry 1 --model 1": f"robo-poet registry accept-head --registry registry {MODEL}",
    "robo-poet registry override 1 --model 1 --name 'your name' --why 'your reason'": (
        f"robo-poet registry override 3 {MODEL} --name 'your name' --why 'your reason'"
    ),
    "robo-poet registry promote 1 --model 1 --why 'your reason'": f"robo-poet registry promote 2 {MODEL} --why 'your reason'",
    "robo-poet registry show 1 --model 1": f"robo-poet registry show 1 {MODEL}",
    "robo-poet registry start-canary 1 --model 1 --why 'your reason'": f"robo-poet registry start-canary 3 {MODEL} --why 'your reason'",
    "robo-poet registry start-canary N --model 1 --why 'your reason'": f"robo-poet registry start-canary 3 {MODEL} --why 'your reason'",
    "make run-pipeline PROFILE=11": "make run-pipeline PROFILE=poems CORPUS=poems",
    "make run-pipeline PROFILE=auto1": "make run-pipeline PROFILE=auto CORPUS=speeches",
    "robo-poet run --profile auto --corpus CORPUS": "robo-poet run --profile auto --corpus speeches",
    "make serve MODEL=1 PORT=0": "make serve MODEL=ci-shakespeare PORT=0",
    "robo-poet serve --model 1 --port 0": "robo-poet serve --model ci-shakespeare --port 0",
    "robo-poet serve --model 1 --folder 12 --port 0": "robo-poet serve --model ci-shakespeare --folder .serve2 --port 0",
    "robo-poet registry set-share 1 --model 1 --share 0.1 --why 'your reason'": (
        f"robo-poet registry set-share 3 {MODEL} --share 0.1 --why 'your reason'"
    ),
}

# Changes of the registry before a command. At first, version 1 is champion, and 2 and 3 are candidates.
BEFORE: dict[str, tuple[str, ...]] = {
    'robo-poet canary abort --why "your reason"': ("start_canary 3",),
    'robo-poet canary hold --why "your reason"': ("start_canary 3",),
    'robo-poet canary promote --why "your reason"': ("start_canary 3",),
    'robo-poet canary resume --why "your reason"': ("start_canary 3", "hold_canary 3"),
    "robo-poet canary status --page build/canary.html": ("start_canary 3",),
    'robo-poet registry promote 2 --why "lower bits per byte"': ("start_canary 2",),
    'robo-poet registry promote 2 --why "your reason"': ("start_canary 2",),
    'robo-poet registry promote 2 --model ci-shakespeare --why "lower bits per byte"': ("start_canary 2",),
    "robo-poet registry promote 1 --model 1 --why 'your reason'": ("start_canary 2",),
    'robo-poet registry promote 1 --model ci-shakespeare --why "users prefer the first version"': ("start_canary 2", "promote 2"),
    'robo-poet registry promote 3 --why "canary week without complaints"': ("start_canary 3",),
    'robo-poet registry promote 3 --why "your reason"': ("start_canary 3",),
    "robo-poet registry override 1 --model 1 --name 'your name' --why 'your reason'": ("reject 3",),
    'robo-poet registry override 3 --name "Grace" --why "your reason"': ("reject 3",),
    'robo-poet registry purge 2 --why "disk space"': ("archive 2",),
    "robo-poet registry set-share 1 --model 1 --share 0.1 --why 'your reason'": ("start_canary 3",),
    'robo-poet registry set-share 3 --share 0.1 --why "your reason"': ("start_canary 3",),
    'robo-poet registry set-share 2 --model ci-shakespeare --share 0.5 --why "half of the users"': ("start_canary 2",),
}

# Promised exit statuses other than 0, and a part of the line that says why.
REFUSED: dict[str, tuple[int, str]] = {
    "robo-poet data trace": (2, "nothing is selected"),  # a docstring names the command
    "robo-poet forget": (2, "nothing is selected"),  # the documents name the command
    "robo-poet forget --yes": (2, "nothing is selected"),  # no deletion was interrupted
    "robo-poet drift baseline": (2, "no complete window since"),  # the champion was promoted today
    "robo-poet drift baseline --model 1": (2, "no complete window since"),
    "robo-poet drift compare": (2, "has no judged window"),
    "robo-poet drift compare --window 2026-03-09 --page drift.html": (2, "has no such window"),
    "robo-poet drift baseline --since 2026-03-01": (2, "0 users, 100 needed"),
    'robo-poet retrain approve 1 --why "the new readers stay"': (2, "no alert has asked for a retraining yet"),
    'robo-poet retrain refuse 1 --why "a campaign, over next week"': (2, "no alert has asked for a retraining yet"),
    'robo-poet retrain refuse 1 --why "the served copy was damaged"': (2, "no alert has asked for a retraining yet"),
    "robo-poet retrain approve 1 --model 1 --why 'your reason'": (2, "no alert has asked for a retraining yet"),
    "robo-poet generate": (2, "no prompt is given"),  # a docstring names the command
    "robo-poet cluster doctor": (1, "1 problem to fix before a run can succeed"),  # no cluster is set
    "robo-poet cluster doctor -p rtx": (1, "1 problem to fix before a run can succeed"),
    # the recipe in CONTRIBUTING.md adds this metric first
    "make run-pipeline PROFILE=ci ARGS=\"--set 'gates=[{metric: word_length, min: 5}]'\"": (2, "word_length"),
}

SILENT = {"make clean"}  # prints nothing if it succeeds

WATCHER = Mark("serves", soak=False, note="tests/monitoring/drift/test_watch.py runs the watcher")
WATCH_PIPELINE = Mark("time", soak=False, note="tests/pipelines/test_drift_watch.py runs the pipeline")
CONSOLE = Mark("serves", soak=False, note="tests/serving/canary/test_console.py asks its pages")
CONTROLLER = Mark("serves", soak=False, note="tests/cli/test_canary.py runs the controller as a program")
TRIGGER = Mark("serves", soak=False, note="tests/cli/test_retrain.py runs the trigger as a program")
KUBEFLOW = Mark("cluster", soak=False, note="tests/pipelines/cluster types these commands against a simulated server")
INSTALLS = Mark("network", soak=False, note="asks the package registry; .ci/run runs make check")
SUITE = Mark("time", soak=False, note="it would run itself")
BENCHMARK = Mark("time", soak=False, note="minutes to an hour alone on a quiet machine; docs/benchmarks.md has its figures")
TUTORIAL = Mark("time", soak=False, note="tests/e2e/test_tutorials.py types it in make soak")
# CORPUS=poems.csv and CORPUS=~/poems give one name to two corpora.
NEW_MODEL = "rm -rf registry/poems; .venv/bin/robo-poet registry accept-head --model poems > accepted 2>&1; "

REPLAY = Mark("time", soak=False, note="tests/e2e/test_replay.py runs it in `make soak`")

# `make soak` types them in this order, in one folder.
MARKS: dict[str, Mark] = {
    "make setup": Mark("time"),
    "make run-pipeline": Mark("time"),
    "robo-poet run": Mark("time"),
    "make serve": Mark("serves"),
    "make serve MODEL=1 PORT=0": Mark("serves"),
    "make serve ARGS='--set serve.look_seconds=1'": Mark("serves"),
    "make replay": REPLAY,
    "robo-poet replay": REPLAY,
    "robo-poet replay --folder /tmp/replay": REPLAY,
    "robo-poet canary run": CONTROLLER,
    "robo-poet drift watch": WATCHER,
    "robo-poet drift watch --model 1": WATCHER,
    "robo-poet drift run": WATCH_PIPELINE,
    "robo-poet drift run --window 2026-03-09": WATCH_PIPELINE,
    "robo-poet drift watch --set monitoring.port=9500": WATCHER,
    "robo-poet console": CONSOLE,
    "robo-poet console --port 8090": CONSOLE,
    "robo-poet console --port 0": CONSOLE,
    "robo-poet canary run --metrics-port 9466": CONTROLLER,
    "robo-poet canary run --model poems --metrics-port 9466": CONTROLLER,
    "robo-poet retrain listen": TRIGGER,
    "robo-poet retrain listen --model 1": TRIGGER,
    "robo-poet retrain listen --set monitoring.retraining.enabled=automatic": TRIGGER,
    "robo-poet serve": Mark("serves"),
    "robo-poet serve --model 1 --port 0": Mark("serves"),
    "robo-poet serve --model 1 --folder 12 --port 0": Mark("serves"),
    "robo-poet serve --folder .serve2 --port 0": Mark("serves"),
    "robo-poet serve --port 9000 --set serve.look_seconds=1": Mark("serves"),
    "make run-pipeline ARGS=\"--set 'gates=[{metric: perplexity, max: 120}]'\"": Mark("time"),
    "make run-pipeline ARGS='--set train.epochs=8'": Mark("time"),
    "make run-pipeline ARGS='--set train.warm_start=2'": Mark("time"),
    "make run-pipeline PROFILE=secrets": Mark("time"),
    "robo-poet run --profile auto": Mark("time"),
    "robo-poet data schema update": Mark("time"),
    "robo-poet data schema diff ~/poems": Mark("time"),
    "robo-poet data schema update ~/poems --file poems.pbtxt --yes": Mark("time"),
    "robo-poet run --set validation.schema_file=1": Mark("time"),
    "robo-poet run --set validation.prompt_snapshot=1": Mark(
        "time", soak=False, note="tests/pipelines/test_prompt_snapshot.py names a snapshot"
    ),
    "robo-poet run --set validation.prompt_snapshot=latest": Mark(
        "time", soak=False, note="tests/components/validate_data/test_prompt_skew.py compares a corpus with prompts"
    ),
    "make run-pipeline CORPUS=~/poems": Mark("time"),
    "make run-pipeline CORPUS=~/novel.txt": Mark("time", before="cat ~/poems/* > ~/novel.txt"),
    "make run-pipeline CORPUS='po$ems'": Mark("time", before="cp -r ~/poems 'po$ems'"),
    "robo-poet run --corpus ~/poems --set train.epochs=10": Mark("time"),
    "robo-poet run --corpus ~/poems --live-text live.jsonl": Mark(
        "time", soak=False, note="tests/components/ingest/test_live_text.py reads such a file beside a corpus"
    ),
    "make run-pipeline CORPUS=~/poems PROFILE=auto": Mark("time"),
    "make run-pipeline PROFILE=auto CORPUS=~/poems": Mark("time"),
    "make run-pipeline PROFILE=poems CORPUS=~/poems": Mark("time", before="robo-poet data describe ~/poems --write-profile poems"),
    "make run-pipeline PROFILE=11": Mark(
        "time", before=NEW_MODEL + "rm -f profiles/poems.yaml; cp -r ~/poems poems; robo-poet data describe poems --write-profile poems"
    ),
    "make run-pipeline CORPUS=poems.csv": Mark("time", before=NEW_MODEL),
    "make run-pipeline PROFILE=poems CORPUS=poems.csv": Mark("time", before='cp "$PROFILE_OF_THE_PAGE" profiles/poems.yaml'),
    "robo-poet run --profile auto --corpus CORPUS": Mark("time"),
    "make run-pipeline PROFILE=auto1": Mark("time"),
    "make images": Mark("engine"),
    "make images ARGS=--unpinned-base": Mark("engine"),
    "robo-poet images": Mark("engine"),
    "make images PROFILE=rtx": Mark("engine"),
    "make run-pipeline RUNNER=docker": Mark("engine"),
    "robo-poet run --runner docker": Mark("engine"),
    "robo-poet run --runner cluster": KUBEFLOW,
    "make run-pipeline PROFILE=ci": TUTORIAL,
    "make run-pipeline PROFILE=ci ARGS='--set train.epochs=4'": TUTORIAL,
    "make serve PROFILE=ci MODEL=ci-shakespeare PORT=8090": TUTORIAL,
    "make run-pipeline PROFILE=auto CORPUS=speeches": TUTORIAL,
    "make serve MODEL=speeches PORT=8091": TUTORIAL,
    "robo-poet registry copy registry gs://poets/registry": REMOTE_REGISTRY,
    "robo-poet registry list --registry gs://poets/registry": REMOTE_REGISTRY,
    "robo-poet serve --registry gs://poets/registry": REMOTE_REGISTRY,
    "make run-pipeline CORPUS=gs://bucket/poems": Mark(
        "network", soak=False, note="tests/components/ingest reads gs:// addresses from an emulator"
    ),
    "make run-pipeline RUNNER=cluster PROFILE=rtx": KUBEFLOW,
    "robo-poet cluster schedule create NAME '0 30 3 * * MON' [--corpus gs://…]": KUBEFLOW,
    "robo-poet cluster schedule create weekly '0 30 3 * * MON' --corpus gs://my-bucket/plays": KUBEFLOW,
    "robo-poet cluster schedule create NAME '0 30 0 * * *' --pipeline drift-watch": KUBEFLOW,
    "robo-poet cluster schedule create drift '0 30 0 * * *' --pipeline drift-watch --model poems"
    " --set cluster.requests=/requests --set cluster.requests_claim=request-log": KUBEFLOW,
    "robo-poet cluster schedule list": KUBEFLOW,
    "robo-poet cluster stop 1": KUBEFLOW,
    "robo-poet cluster stop RUN": KUBEFLOW,
    "robo-poet cluster submit": KUBEFLOW,
    "robo-poet cluster submit --profile rtx --corpus gs://my-bucket/plays --wait": KUBEFLOW,
    "robo-poet cluster submit [--wait] [--corpus gs://…] [--name …] [--set …]": KUBEFLOW,
    "robo-poet cluster wait 1": KUBEFLOW,
    "robo-poet cluster wait RUN": KUBEFLOW,
    "make check": INSTALLS,
    "make lock": INSTALLS,
    "make test": SUITE,
    "make soak": SUITE,
    "make bench": BENCHMARK,
    "make bench BENCH=containers": BENCHMARK,
    "make bench BENCH=decode": BENCHMARK,
    "make bench BENCH=drift": BENCHMARK,
    "make bench BENCH=overload": BENCHMARK,
    "make bench BENCH=pii": BENCHMARK,
    "make bench BENCH=near_duplicates": BENCHMARK,
    "make bench BENCH=scale": BENCHMARK,
    "make bench BENCH=serve": BENCHMARK,
    "make bench BENCH=shadow": BENCHMARK,
    "make bench BENCH=soak": BENCHMARK,
    "make bench BENCH=train": BENCHMARK,
}
