"""The likely cause of labelled drifts. The confusion matrix of docs/explanation/drift.md comes from here."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from robo_poet.judges.drift.baseline import make_baseline
from robo_poet.judges.drift.cause import likely_cause, slices
from robo_poet.judges.drift.observations import Window
from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.judges.drift.rise import rise
from tests.robo_poet.judges.drift.traffic import Change, broken_text, hostile, new_language, shifted, window

POLICY = DriftPolicy()
LABELLED: dict[str, tuple[Change | None, str]] = {
    "everyone +30 %": (shifted(0.3), "the world changed"),
    "20 % of the users write Portuguese": (new_language(0.2, 1.5), "a new group of users"),
    "15 % of the users send binary data": (broken_text(0.15), "broken or hostile input"),
    "4 of 300 users send random words": (None, "broken or hostile input"),
    "the model was damaged": (shifted(0.3), "the model itself"),
}


def labelled(name: str, seed: int) -> tuple[Window, Window]:
    """A window of the baseline, and one with the drift."""
    change, _ = LABELLED[name]
    dice = np.random.default_rng(seed)
    before, now = window(dice, 0, 2000), window(dice, 1, 300, change=change)
    if name.startswith("4 of"):
        now = replace(now, users=hostile(now.users, 4))
    damaged = name == "the model was damaged"
    return replace(before, heldout_nats=4.0), replace(now, heldout_nats=4.3 if damaged else 4.0)


@pytest.mark.parametrize("name", LABELLED)
def test_the_cause_of_a_labelled_drift(name: str) -> None:
    named = Counter[str]()
    for seed in range(20):
        before, now = labelled(name, seed)
        made = make_baseline([before])
        named[likely_cause(now, made, rise(now, made, POLICY.level), POLICY)[0]] += 1
    assert named[LABELLED[name][1]] >= 18, named


def test_the_slice_that_carries_the_rise_is_first() -> None:
    before, now = labelled("20 % of the users write Portuguese", 0)
    made = make_baseline([before])
    first = slices(now, made, rise(now, made, POLICY.level))[0]
    assert (first.dimension, first.value, first.before) == ("language", "pt", 0.0) and first.carried > 0.7 and 0.15 < first.share < 0.25


def test_no_rise_has_no_cause() -> None:
    before, now = labelled("everyone +30 %", 1)
    made = make_baseline([now])
    assert likely_cause(before, made, rise(before, made, POLICY.level), POLICY)[0] == "unknown"
