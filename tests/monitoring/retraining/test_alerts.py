"""The form of Alertmanager's message."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.retraining.alerts import parse_alerts
from robo_poet.errors import BadInput
from robo_poet.judges.retraining.decision import Alert, Facts
from robo_poet.judges.retraining.policy import CAUSES
from robo_poet.judges.retraining.state import Key
from tests.monitoring.retraining.listening import alert, message

FACTS = Facts("poems", 1, "0123456789abcdef")
TIMES = ("2026-03-10T12:00:00Z", "2026-03-10T12:00:00.5+01:00", "2026-03-10T12:00:00.123456789Z")
KEYS = st.builds(
    Key,
    st.sampled_from(("poems", "a", "x_1-b")),
    st.integers(1, 10**9 - 1),
    st.text("0123456789abcdef", min_size=16, max_size=16),
    st.sampled_from(CAUSES),
)


@given(st.lists(st.builds(Alert, KEYS, st.booleans(), st.sampled_from(TIMES)), min_size=1, max_size=5))
def test_alerts_are_read_as_they_were_sent(alerts: list[Alert]) -> None:
    assert parse_alerts(message(alerts)) == alerts


def changed(**fields: Any) -> bytes:
    return json.dumps(json.loads(message([alert(FACTS)])) | fields).encode()


def with_alert(**fields: Any) -> bytes:
    row = json.loads(message([alert(FACTS)]))["alerts"][0]
    labels = row["labels"] | fields.pop("labels", {})
    return changed(alerts=[row | {"labels": labels} | fields])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"\xff", "not text in UTF-8"),
        (b"[]", "a JSON object is needed"),
        (b"[" * 100_000, "not JSON"),
        (changed(version="3"), "version '3', not '4'"),
        (changed(version=4), "version 4, not '4'"),
        (changed(alerts=[]), "not a list with an alert"),
        (changed(alerts={}), "not a list with an alert"),
        (changed(alerts=["x"]), "alert 1: not a JSON object"),
        (changed(truncatedAlerts=2), "set max_alerts of the webhook to 0"),
        (with_alert(status="pending"), "alert 1: status 'pending'"),
        (with_alert(status=None), "status 'None'"),
        (with_alert(labels={"model": "../../etc"}), "label model: '../../etc' is not possible"),
        (with_alert(labels={"version": "0"}), "label version"),
        (with_alert(labels={"version": "1.5"}), "label version"),
        (with_alert(labels={"version": 1}), "label version"),
        (with_alert(labels={"version": "\u0661"}), "label version"),
        (with_alert(labels={"baseline": "0123456789ABCDEF"}), "label baseline"),
        (with_alert(labels={"baseline": "0123456789abcdef\n"}), "label baseline"),
        (with_alert(labels={"cause": "the moon"}), "label cause"),
        (with_alert(startsAt=1), "startsAt: '1' is not a time"),
        (with_alert(startsAt="2026-03-10"), "is not a time"),
        (with_alert(startsAt="2026-02-30T12:00:00Z"), "is not a time"),
        (with_alert(startsAt="2026-03-10T12:00:00"), "is not a time"),
    ],
)
def test_another_form_is_one_line(body: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        parse_alerts(body)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(("version", "alerts", "labels", "status", "x")), inner, max_size=4)
        ),
    )
)
def test_any_other_json_is_refused(value: Any) -> None:
    with pytest.raises(BadInput):
        parse_alerts(json.dumps(value).encode())
