"""Takes a snapshot of the prompts in a request log: the distributions of their features, without any text (DATA-1).

The unit is the user: of one user, at most 20 different prompts count, so that a program that sends thousands does not decide.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.features.prompt_snapshot import LEAST_USERS, PromptSnapshot, count_passages, language_is_known
from robo_poet.request_log.query import BEGINNING, END, read_parts

MOST_PROMPTS = 20  # of a user
PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{1,39}>")  # of personal data that the log removed
NO_TEXT, REJECTED, REPEATED, MORE = "no_text", "rejected", "repeated", "more_of_the_user"
REASONS = {
    NO_TEXT: "have no text",
    REJECTED: "were not answered",
    REPEATED: "repeat a prompt of the same user",
    MORE: f"are beyond {MOST_PROMPTS} of the same user",
}


def take_snapshot(
    folder: Path,
    model: str,
    language_of: Callable[[str], str],
    *,
    since: datetime = BEGINNING,
    until: datetime = END,
    least_users: int = LEAST_USERS,
) -> PromptSnapshot:
    """Return the snapshot of the prompts to a model with `since` <= time < `until`.

    The same records give the same snapshot. The memory contains one part of the log and at most 20 prompts of each user.

    Args:
        folder: the request log.
        language_of: returns the ISO 639-1 code of a text.
        least_users: users that are needed, at least `LEAST_USERS`.

    Raises:
        BadInput: the folder is not a request log, or the period has no prompts to the model, or prompts of too few users.
    """
    wait = "wait for more requests, or take a longer period"
    kept: dict[str, dict[bytes, tuple[bytes, str, datetime]]] = defaultdict(dict)
    left_out: Counter[str] = Counter()
    requests = 0
    for part in read_parts(folder, since, until):
        for row in part.select(["completion_id", "time", "user", "model", "prompt", "status"]).to_pylist():
            if row["model"] != model:
                continue
            requests += 1
            prompt = (row["prompt"] or "").strip()
            if reason := REJECTED if row["status"] != 200 else "" if prompt else NO_TEXT:
                left_out[reason] += 1
            else:
                reason = _keep(kept[row["user"] or ""], prompt, row["time"])
                left_out.update([reason] if reason else [])
    if not requests:
        raise BadInput(f"the request log has no requests to {model} in this period", where=str(folder), remedy=wait)
    if len(kept) < max(least_users, LEAST_USERS):
        users = f"{len(kept)} user{'s' * (len(kept) != 1)}"
        needed = f"prompts of {users} are in this period, and a snapshot needs {max(least_users, LEAST_USERS)}"
        raise BadInput(needed, where=str(folder), remedy=wait)
    prompts = sorted(row for rows in kept.values() for row in rows.values())
    days = sorted(f"{time:%Y-%m-%d}" for _, _, time in prompts)
    texts = (PLACEHOLDER.sub("name", prompt) for _, prompt, _ in prompts)  # one word, as the name was
    counted = count_passages((text, language_of(text) if language_is_known(text) else None) for text in texts)
    return PromptSnapshot(model, days[0], days[-1], len(kept), dict(left_out), counted)


def _keep(rows: dict[bytes, tuple[bytes, str, datetime]], prompt: str, time: datetime) -> str:
    """Add a prompt to those of its user, by the digest of its text. Those with the smallest hash of the text stay.

    Returns:
        The reason why one request less counts; empty if none.
    """
    rank = blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if rank in rows:
        rows[rank] = min(rows[rank], (rank, prompt, time))
        return REPEATED
    rows[rank] = (rank, prompt, time)
    if len(rows) <= MOST_PROMPTS:
        return ""
    del rows[max(rows)]
    return MORE
