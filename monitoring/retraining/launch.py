"""Starts the training run of a request as a process, and finds it again after the trigger was killed.

The id of the run is in the log before the process exists. The process holds a lock on `<id>.lock` as long as it lives: it inherits the open
file, so the kernel releases the lock at its end, whatever ends it. Before its program starts, it marks the file. So there are three cases
after a restart:

- the lock is held: the run goes on;
- the file is marked, or the folder of the run exists: the run has ended. One that refuses its input makes no folder;
- neither: the process never began, so the same id is started now.
"""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from monitoring.retraining.live_text import UsedLiveText
from robo_poet.errors import BadInput, read_object
from robo_poet.judges.retraining.state import Request
from robo_poet.permissions import make_private_folder

BEGUN = b"\0"  # after the folder of runs in the lock file, in which no path can have it
LAST_LINES = 16_384  # bytes of the output in which the error is looked for


@dataclass(frozen=True)
class Standing:
    """How a run stands.

    Attributes:
        state: `not_begun` only after a restart of the trigger.
        why: how it ended, in one line.
        hours: from its start to its end; of `finished` and `failed`.
        made: number of the version that it registered; 0 if there is none.
    """

    state: Literal["running", "not_begun", "finished", "failed"]
    why: str = ""
    hours: float = 0.0
    made: int = 0


class Launcher:
    """Starts runs and says how they stand.

    Args:
        folder: for the locks and the output of the processes; created with the first start.
        runs: folder with the folders of runs (`local.runs`).
        environment: variables of the process; by default those of this process.
    """

    def __init__(self, folder: Path, runs: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder, self._runs, self._environment = folder, runs.resolve(), environment
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def launch(self, run: str, words: Sequence[str]) -> None:
        """Start the process of a run, unless it lives already. It goes on if this process ends.

        Raises:
            OSError: it cannot be started.
        """
        make_private_folder(self._folder)
        with self._lock(run) as lock, (self._folder / f"{run}.log").open("ab") as output:
            if lock is None:
                return
            runs = os.fsencode(self._runs)  # a later trigger may have another profile, and must look in this folder
            os.ftruncate(lock, 0)
            os.pwrite(lock, runs, 0)
            self._processes[run] = subprocess.Popen(
                list(words), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment, pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C stops the trigger and not a training run
                preexec_fn=partial(os.pwrite, lock, BEGUN, len(runs)),  # by the new process: if this one is killed now, the mark is true
            )  # fmt: skip

    def standing(self, run: str, started: float) -> Standing:
        """Return how a run stands.

        Args:
            started: time of its start, in seconds since 1970.
        """
        process = self._processes.get(run)
        if (process is not None and process.poll() is None) or self._lives(run):
            return Standing("running")
        runs, begun = self._lock_file(run)
        folder = runs / run
        summary = _read_summary(folder / "summary.json")
        if summary is None and process is None and not begun and not folder.exists():
            return Standing("not_begun")
        hours = self._hours(run, started, summary)
        if summary is None:
            ended = "ended without a summary" if process is None else f"ended with status {process.returncode}"
            return Standing("failed", f"the run {ended}{self._last_error(run)}", hours)
        if summary.get("status") not in ("succeeded", "cancelled"):
            return Standing("failed", str(summary.get("error") or "the run failed")[:1000], hours)
        made = summary.get("version")
        return Standing("finished", _result(summary), hours, made if type(made) is int else 0)

    @contextlib.contextmanager
    def _lock(self, run: str) -> Iterator[int | None]:
        """Yield the descriptor of the locked file of a run; None if a process holds the lock. The end closes only our descriptor."""
        descriptor = os.open(self._folder / f"{run}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield descriptor
        finally:
            os.close(descriptor)

    def _lock_file(self, run: str) -> tuple[Path, bool]:
        """Return the folder of runs that a run was started with, and whether its process has begun."""
        with contextlib.suppress(OSError):
            name, mark, _ = (self._folder / f"{run}.lock").read_bytes().partition(BEGUN)
            if name:
                return Path(os.fsdecode(name)), bool(mark)
        return self._runs, False

    def _lives(self, run: str) -> bool:
        if not (self._folder / f"{run}.lock").exists():
            return False
        with self._lock(run) as lock:
            return lock is None

    def _hours(self, run: str, started: float, summary: Mapping[str, Any] | None) -> float:
        """Return the hours of a run. Without a summary, its last output is its end: the machine may have been off since."""
        seconds = (summary or {}).get("seconds")
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 1e9:
            return seconds / 3600
        with contextlib.suppress(OSError):
            return max(0.0, (self._folder / f"{run}.log").stat().st_mtime - started) / 3600
        return 0.0

    def _last_error(self, run: str) -> str:
        """Return the last `error:` line of the output, or its last line, after a colon; empty without output."""
        try:
            with (self._folder / f"{run}.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_LINES))
                lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
        except OSError:
            return ""
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        last = (errors or lines)[-1:]
        return f": {last[0][:500]}" if last else ""


def _read_summary(path: Path) -> dict[str, Any] | None:
    """Return the summary of a run; None if there is none. It is written in one rename, so a damaged one is not a summary."""
    try:
        return read_object(path)
    except (BadInput, OSError):
        return None


def _result(summary: Mapping[str, Any]) -> str:
    if summary["status"] == "cancelled":
        return "the run was cancelled"
    version = f"version {summary['version']}" if summary.get("version") else "no version"
    if summary.get("verdict") == "rejected":
        return f"{version} is rejected: {summary.get('reason') or 'the gates say no reason'}"[:1000]
    return f"{version} is {summary.get('stage') or 'not registered'}"


@dataclass(frozen=True)
class RunCommand:
    """The command line of a training run: `robo-poet run` with the profile of the trigger.

    Args:
        overrides: `key=value`, as after `--set`.
        corpus: address of the corpus; empty for the bundled corpora.
        same_model: accept this corpus although the model was trained on another one.
        warm_start: start from the weights of the drifting version.
        live_text: prompts with consent; None if the settings do not ask for them.
    """

    profile: str
    overrides: tuple[str, ...]
    corpus: str
    same_model: bool
    warm_start: bool
    live_text: UsedLiveText | None = None

    def words(self, request: Request, run: str) -> list[str]:
        """Return the command line of a run. The trigger of the run becomes part of the version's manifest and card."""
        key = request.key
        trigger = {
            "cause": key.cause, "window": request.window,
            "alert": {"model": key.model, "version": key.version, "baseline": key.baseline, "starts_at": request.alert},
        }  # fmt: skip
        if self.live_text:
            trigger["live_text"] = self.live_text.note
        live = ["--live-text", str(self.live_text.file)] if self.live_text and self.live_text.file else []
        overrides = [*self.overrides, *([f"train.warm_start={key.version}"] if self.warm_start else [])]
        return [
            sys.executable, "-m", "cli", "run", "--profile", self.profile, "--model", key.model, "--run-id", run,
            "--trigger", json.dumps(trigger), *(word for setting in overrides for word in ("--set", setting)),
            *(["--corpus", self.corpus] if self.corpus else []), *(["--same-model"] if self.same_model else []), *live,
        ]  # fmt: skip
