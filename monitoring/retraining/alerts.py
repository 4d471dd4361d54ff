"""Parses the message of Alertmanager's webhook, version 4, into alerts about drifts.

The form is strict: a message that is not understood must not be answered as if it were done. Fields that later releases of Alertmanager add
are allowed, because only the fields below are read.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from robo_poet.errors import BadInput, parse_object
from robo_poet.judges.retraining.decision import Alert
from robo_poet.judges.retraining.policy import CAUSES
from robo_poet.judges.retraining.state import Key

VERSION = "4"
WHERE = "message of Alertmanager"
REMEDY = "route only alerts with the labels model, version, baseline and cause to this address (docs/explanation/retraining.md)"
_LABELS = {
    "model": r"[a-z0-9][a-z0-9_-]{0,62}", "version": r"[1-9][0-9]{0,8}", "baseline": r"[0-9a-f]{16}",
    "cause": "|".join(CAUSES),
}  # fmt: skip
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


def parse_alerts(body: bytes) -> list[Alert]:
    """Return the alerts of a message, in its order. All of them are valid, or none is returned.

    Raises:
        BadInput: the message is not JSON or has another version or form; says which alert and which field.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("not text in UTF-8", where=WHERE) from None
    message = parse_object(text, where=WHERE)
    if message.get("version") != VERSION:
        raise BadInput(f"version {message.get('version')!r}, not {VERSION!r}", where=WHERE, remedy="send the webhook of Alertmanager")
    alerts = message.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        raise BadInput("`alerts` is not a list with an alert", where=WHERE)
    truncated = message.get("truncatedAlerts", 0)
    if type(truncated) is not int or truncated != 0:
        raise BadInput("alerts were left out (truncatedAlerts)", where=WHERE, remedy="set max_alerts of the webhook to 0")
    return [_alert(alert, f"{WHERE}, alert {number}") for number, alert in enumerate(alerts, 1)]


def _alert(alert: Any, where: str) -> Alert:
    if not isinstance(alert, Mapping):
        raise BadInput("not a JSON object", where=where)
    status, labels, starts_at = alert.get("status"), alert.get("labels"), alert.get("startsAt")
    if status not in ("firing", "resolved"):
        raise BadInput(f"status {str(status)[:80]!r}, neither firing nor resolved", where=where)
    if not isinstance(labels, Mapping):
        raise BadInput("`labels` is not a JSON object", where=where)
    for name, pattern in _LABELS.items():
        value = labels.get(name)
        if not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise BadInput(f"label {name}: {str(value)[:80]!r} is not possible", where=where, remedy=REMEDY)
    if not (isinstance(starts_at, str) and _TIME.fullmatch(starts_at) and _is_time(starts_at)):
        raise BadInput(f"startsAt: {str(starts_at)[:80]!r} is not a time", where=where)
    return Alert(Key(labels["model"], int(labels["version"]), labels["baseline"], labels["cause"]), status == "firing", starts_at)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
