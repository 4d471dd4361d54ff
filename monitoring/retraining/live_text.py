"""The live text of a training run: the prompts with consent of the last days, in a file beside the log of the trigger (MON-4).

The file is derived from the request log and written again for each run. So it can be removed at any time: `requests forget` and
`keys withdraw` do, because a document names no user.
"""

import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from robo_poet.errors import BadInput
from robo_poet.request_log.live_text import LiveText, read_live_text

log = logging.getLogger("monitoring.retraining")
LEAST_USERS = 5  # of fewer, a model could learn the words of one person
FILES = "live-text-*.jsonl"


class UsedLiveText(NamedTuple):
    """What a run gets.

    Attributes:
        file: None if the run goes on without live text.
        note: what was used, or why not, in one line. It becomes part of the lineage.
    """

    file: Path | None
    note: str


def write_for_run(folder: Path, requests: Path, model: str, keys: Callable[[], Collection[str]], now: float, days: float) -> UsedLiveText:
    """Write the live text of a run that starts now. Earlier files are removed. Without enough of it, the run goes on without it.

    Args:
        folder: of the trigger of this model.
        requests: the request log.
        keys: returns the pseudonyms of the API keys whose consent holds now.
        now: seconds since 1970.
        days: before `now` whose prompts are used.
    """
    until = datetime.fromtimestamp(now, UTC)
    try:
        _remove(folder)
        live = read_live_text(requests, model, keys(), until - timedelta(days=days), until)
        if live.users < LEAST_USERS:
            return UsedLiveText(None, f"not used: {_counts(live)}, and {LEAST_USERS} users are needed")
        file = folder.resolve() / f"live-text-{live.digest[:16]}.jsonl"
        live.write(file)
    except (BadInput, OSError) as error:
        log.warning("live text cannot be read, so the run goes on without it: %s", error)
        return UsedLiveText(None, f"not used: {error}"[:1000])
    return UsedLiveText(file, f"used: {_counts(live)} of the last {days:g} days, SHA-256 {live.digest[:16]}")


def remove_live_text(folder: Path) -> int:
    """Remove the live text of all runs, and return the number of files. A run that reads one at this moment fails, and is tried again.

    Args:
        folder: of the triggers of all models; it may be missing.
    """
    return sum(_remove(place) for place in folder.glob("*") if place.is_dir()) if folder.is_dir() else 0


def _remove(folder: Path) -> int:
    files = list(folder.glob(FILES)) if folder.is_dir() else []
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _counts(live: LiveText) -> str:
    prompts, users = f"{live.used:,} prompt{'s' * (live.used != 1)}", f"{live.users:,} user{'s' * (live.users != 1)}"
    return f"{prompts} of {users}"
