"""Live text: the prompts of a request log that may become training text (MON-4). Completions are never read.

A prompt is used only if its record has a consent that still holds, and a text that the log has scrubbed:

- by an API key: consent at the time of the request, and the key is one of those whose consent was not withdrawn;
- by a token, or for a reader of an application: also the newest request of this user has a consent. Otherwise the user has withdrawn it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from robo_poet.atomic import write_text
from robo_poet.digest import digest_bytes
from robo_poet.request_log.query import BEGINNING, END, read_columns
from robo_poet.request_log.record import BY_TOKEN
from robo_poet.request_log.snapshot import NO_TEXT, PLACEHOLDER, REJECTED

LEAST_CHARACTERS = 20  # of a prompt, without placeholders; "hello" teaches nothing
MOST_PROMPTS = 50  # of a user and day, so that a program that sends thousands does not decide what a model learns
NO_CONSENT, WITHDRAWN, SHORT, REPEATED, MORE = "no_consent", "withdrawn", "short", "repeated", "more_of_the_user"
REASONS = {
    NO_CONSENT: "have no consent",
    WITHDRAWN: "have a consent that was withdrawn, or whose API key was revoked or is missing",
    REJECTED: "were not answered",
    NO_TEXT: "have no text",
    SHORT: f"have fewer than {LEAST_CHARACTERS} characters",
    REPEATED: "repeat an earlier prompt",
    MORE: f"are beyond {MOST_PROMPTS} of the same user on the same day",
}
STATED = {"key": "by the user, with an API key", "token": "by the user, with a token", "application": "by the application of the reader"}
LICENCE = "no licence; used with consent"
_DECIDING = ["user", "time", "model", "client", "consent"]


@dataclass(frozen=True)
class LiveText:
    """Prompts with consent, as documents of a corpus: one for each user and day (UTC).

    Attributes:
        documents: one JSON object per line (`.jsonl`), in the form that ingest reads. They name no user.
        number: of documents.
        users: that wrote them.
        used: number of prompts.
        requests: number of requests to the model in the period.
        left_out: number of requests that are not used, by reason, in the order of `REASONS`.
    """

    documents: str
    number: int
    users: int
    used: int
    requests: int
    left_out: dict[str, int]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the documents, hexadecimal."""
        return digest_bytes(self.documents.encode())

    def write(self, path: Path) -> None:
        """Write the documents to a file that only its owner can read.

        Raises:
            OSError: the file cannot be written.
        """
        write_text(path, self.documents, durable=True, mode=0o600)


def read_live_text(folder: Path, model: str, keys: Collection[str], since: datetime = BEGINNING, until: datetime = END) -> LiveText:
    """Return the prompts to a model with `since` <= time < `until` that may become training text. The same records give the same documents.

    The memory contains one part of the log and the prompts that are used.

    Args:
        folder: the request log.
        keys: pseudonyms of the API keys whose consent holds now.

    Raises:
        BadInput: the folder is not a request log, a time has no time zone, or a part cannot be read.
    """
    withdrawn = _withdrawn_users(folder, since)
    left_out: Counter[str] = Counter()
    requests, rows = 0, list[tuple[datetime, str, str, str, str]]()
    for part in read_columns(folder, [*_DECIDING, "completion_id", "prompt", "status"], since, until):
        of_model = part.filter(pc.equal(part["model"], model))
        consented = of_model.filter(_has_consent(of_model))
        requests += of_model.num_rows
        left_out[NO_CONSENT] += of_model.num_rows - consented.num_rows
        for row in consented.to_pylist():
            prompt = (row["prompt"] or "").replace("\0", "").strip()
            holds = row["consent"] == BY_TOKEN or row["consent"] in keys
            if not holds or (row["client"] != "key" and row["user"] in withdrawn):
                left_out[WITHDRAWN] += 1
            elif row["status"] != 200:  # the content filter refused the prompt or its completions
                left_out[REJECTED] += 1
            elif not prompt:
                left_out[NO_TEXT] += 1
            elif len(PLACEHOLDER.sub("", prompt)) < LEAST_CHARACTERS:
                left_out[SHORT] += 1
            else:
                rows.append((row["time"].astimezone(UTC), row["completion_id"] or "", row["user"] or "", prompt, row["client"] or ""))
    kept = _kept(sorted(rows), left_out)
    documents = [_document(model, day, client, prompts) for (day, _, client), prompts in kept.items()]
    documents.sort(key=lambda document: (document["date"], digest_bytes(document["text"].encode())))  # not in the order of users
    return LiveText(
        "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents), len(documents),
        len({user for _, user, _ in kept}), sum(map(len, kept.values())), requests,
        {reason: left_out[reason] for reason in REASONS if left_out[reason]},
    )  # fmt: skip


def _has_consent(part: pa.Table) -> pa.ChunkedArray:
    """Return for each row whether it states a consent. Null, in records of an older release, is no consent."""
    return pc.not_equal(pc.fill_null(part["consent"], ""), "")


def _withdrawn_users(folder: Path, since: datetime) -> set[str]:
    """Return the users of tokens and applications whose newest request has no consent. Equal times count as withdrawn."""
    newest: dict[str, tuple[datetime, bool]] = {}
    for part in read_columns(folder, _DECIDING, since):
        asked = part.filter(pc.not_equal(pc.fill_null(part["client"], ""), "key"))
        for user, time, consent in zip(*(asked[name].to_pylist() for name in ("user", "time", "consent")), strict=True):
            moment = time, not consent
            newest[user] = max(newest.get(user, moment), moment)
    return {user for user, (_, has_withdrawn) in newest.items() if has_withdrawn}


def _kept(rows: list[tuple[datetime, str, str, str, str]], left_out: Counter[str]) -> dict[tuple[str, str, str], list[str]]:
    """Return (day, user, client) → its prompts in the order of time, each text once. Count what is left out."""
    kept: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    seen, counts = set[str](), Counter[tuple[str, str]]()
    for time, _, user, prompt, client in rows:
        day, form = f"{time:%Y-%m-%d}", " ".join(prompt.casefold().split())
        if form in seen:
            left_out[REPEATED] += 1
        elif counts[day, user] >= MOST_PROMPTS:
            left_out[MORE] += 1
        else:
            seen.add(form)
            counts[day, user] += 1
            kept[day, user, client].append(prompt)
    return kept


def _document(model: str, day: str, client: str, prompts: list[str]) -> dict[str, str]:
    """Return a row of the corpus. It has neither id nor group, so its content decides its split, and later exports do not move it."""
    return {
        "text": "\n\n".join(prompts), "title": f"prompts to {model}, {day}", "date": day, "licence": LICENCE,
        "consent": STATED.get(client, STATED["application"]),
    }  # fmt: skip


def describe_left_out(live: LiveText) -> Iterator[str]:
    """Yield one line for each reason, such as `requests that have no consent: 12`."""
    for reason, number in live.left_out.items():
        yield f"requests that {REASONS[reason]}: {number:,}"
