"""Notifications of every move of a release: to a webhook, to Slack, or to a command.

They are derived from the registry's log, so moves by hand and by a pipeline are notified too. A file keeps the index of the last entry that
was delivered. After a kill or a failed delivery, the same entry is sent again: each is delivered at least once, in the order of the log.
"""

import json
import logging
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from robo_poet.atomic import write_text
from robo_poet.registry.log.entry import Action, Entry
from robo_poet.settings.canary import NotifySettings

log = logging.getLogger("serving.canary")
SECONDS = 5.0  # time limit of one delivery
WAITS = (2.0, 300.0)  # seconds until the next attempt: it doubles from the first to the second value
MOVES: Mapping[str, str] = {
    Action.START_CANARY: "was started as canary",
    Action.SET_SHARE: "serves {share} of the users as canary",
    Action.HOLD_CANARY: "is held at its share of the users",
    Action.RESUME_CANARY: "continues its ramp",
    Action.PROMOTE: "is the champion",
    Action.REJECT: "was rejected",
    Action.ARCHIVE: "was archived",
    Action.JUDGE_AGAIN: "was judged again by the gates and {verdict}",
    Action.END_WATCH: "ends its observation after the promotion; all users have it",
}


def message(entry: Entry, link: str) -> dict[str, Any] | None:
    """Return the notification of a log entry, None if the entry is not part of a release."""
    statement = entry.statement
    if statement.action not in MOVES:
        return None
    share = statement.details.get("share", 0.0)
    what = MOVES[statement.action].format(share=f"{share:.0%}", verdict=statement.details.get("verdict", ""))
    return {
        "model": statement.model, "version": statement.version, "action": statement.action, "who": statement.who, "why": statement.why,
        "time": statement.time, "index": entry.index, "evidence": statement.details.get("evidence", ""), "link": link,
        "text": f"{statement.model}/{statement.version} {what}. {statement.why} ({statement.who}){f' {link}' if link else ''}",
    }  # fmt: skip


@dataclass(frozen=True)
class Channel:
    """One receiver. `send` raises an exception if the delivery failed."""

    name: str
    send: Callable[[Mapping[str, Any]], None]


def channels(settings: NotifySettings, environment: Mapping[str, str] = os.environ) -> list[Channel]:
    """Return the receivers that are set. Addresses come from environment variables, because they contain secrets."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # below it, httpx logs the addresses
    receivers = []
    if url := environment.get(settings.webhook_variable, ""):
        receivers.append(Channel("webhook", partial(_post, url)))
    if url := environment.get(settings.slack_variable, ""):
        receivers.append(Channel("slack", partial(_post_text, url)))
    if settings.command:
        receivers.append(Channel("command", partial(_run, settings.command)))
    return receivers


def _post_text(url: str, body: Mapping[str, Any]) -> None:
    _post(url, {"text": body["text"]})


def _post(url: str, body: Mapping[str, Any]) -> None:
    httpx.post(url, json=dict(body), timeout=SECONDS, follow_redirects=False).raise_for_status()


def _run(command: Sequence[str], body: Mapping[str, Any]) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run(list(command), input=json.dumps(body) + "\n", text=True, timeout=SECONDS, check=True, stdout=quiet, stderr=quiet)


def waiting_message(model: str, version: int, why: str, link: str) -> dict[str, Any]:
    """Return the notification that a release waits for a person. It is not a move, so the log has no entry for it."""
    return {
        "model": model, "version": version, "action": "wait", "why": why, "link": link,
        "text": f"{model}/{version} waits for a person. {why}{f' {link}' if link else ''}",
    }  # fmt: skip


class Notifier:
    """Sends the entries of a log that were not sent yet.

    Args:
        path: file with the index of the last delivered entry. Without it, only later entries are sent.
        link: address that a notification names, such as that of the console; "" for none.
    """

    def __init__(self, receivers: Sequence[Channel], path: Path, link: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._receivers, self._path, self._link, self._clock = receivers, path, link, clock
        self._wait: dict[str, float] = {}  # of receivers whose last delivery failed: seconds from the failure to the next attempt
        self._due: dict[str, float] = {}  # time of that attempt
        self._sent: dict[str, int] | None = None
        self._waiting: dict[str, dict[str, Any]] = {}  # receiver → the notification that a release waits, until it is delivered

    def wait_for_person(self, model: str, version: int, why: str) -> None:
        """Tell each receiver once, with the next `send`, that a release waits. It is lost if the program is killed before."""
        body = waiting_message(model, version, why, self._link)
        self._waiting = {receiver.name: body for receiver in self._receivers}

    def send(self, entries: Sequence[Entry]) -> int:
        """Deliver what is due and return the number of delivered notifications.

        A failed delivery, or an index that cannot be stored, is tried again later. It does not delay the other receivers.
        """
        newest = entries[-1].index if entries else 0
        sent = self._read(newest)
        count = 0
        for receiver in self._receivers:
            if self._clock() < self._due.get(receiver.name, float("-inf")):
                continue
            try:
                for entry in entries[sent.get(receiver.name, 0) :]:
                    if body := message(entry, self._link):
                        receiver.send(body)
                        count += 1
                    self._write({**sent, receiver.name: entry.index})
                    sent = self._sent or {}
                if waiting := self._waiting.get(receiver.name):
                    receiver.send(waiting)
                    del self._waiting[receiver.name]
                    count += 1
                self._wait.pop(receiver.name, None)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, subprocess.SubprocessError) as error:
                wait = self._wait[receiver.name] = min(2 * self._wait.get(receiver.name, WAITS[0] / 2), WAITS[1])
                self._due[receiver.name] = self._clock() + wait
                log.warning("a notification could not be delivered to the %s (%s); it is tried again", receiver.name, type(error).__name__)
        return count

    def _read(self, newest: int) -> dict[str, int]:
        """Return the last delivered index of each receiver. A receiver that is not in the file starts after the newest entry.

        The log of a registry that was restored from a backup can be shorter than the stored index.
        """
        if self._sent is None:
            try:
                stored = json.loads(self._path.read_text("utf-8"))
                known = {str(name): int(index) for name, index in stored.items()}
            except (OSError, ValueError, AttributeError, TypeError):
                known = {}
            self._sent = {receiver.name: min(known.get(receiver.name, newest), newest) for receiver in self._receivers}
            self._write(self._sent)
        return self._sent

    def _write(self, sent: Mapping[str, int]) -> None:
        self._sent = dict(sent)
        write_text(self._path, json.dumps(self._sent) + "\n", mode=0o600)
