"""The likely cause of labelled drifts. The confusion matrix of docs/explanation/drift.md comes from here."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from robo_poet.judges.drift.baseline import make_baseline
from robo_poet.judges.drift.cause import likely_cause, slices
from robo_poet.judges.drift.observations import HeldOut, Window
from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.judges.drift.rise import rise
from tests.robo_poet.judges.drift.traffic import Change, broken_text, hostile, new_client, new_language, shifted, window

POLICY = DriftPolicy()
LABELLED: dict[str, tuple[Change | None, str]] = {
    "everyone +30 %": (shifted(0.3), "the world changed"),
    "20 % of the users write Portuguese": (new_language(0.2, 1.5), "a new group of users"),
    "25 % of the users come through an application": (new_client(0.25, 1.3), "a new group of users"),
    "15 % of the users send binary data": (broken_text(0.15), "broken or hostile input"),
    "4 of 300 users send random words": (None, "broken or hostile input"),
    "the model was damaged": (shifted(0.3), "the model itself"),
    "the model was damaged, and nothing scored its held-out text": (shifted(0.3), "the world changed"),
}


BEFORE = HeldOut(4.0, "the sample", "")


def labelled(name: str, seed: int) -> tuple[Window, Window]:
    """A window of the baseline, and one with the drift."""
    change, _ = LABELLED[name]
    dice = np.random.default_rng(seed)
    before, now = window(dice, 0, 2000, change=new_client(0, 0)), window(dice, 1, 300, change=change)
    if name.startswith("4 of"):
        now = replace(now, users=hostile(now.users, 4))
    return before, now


def scored(name: str) -> HeldOut:
    """The held-out text after the window with the drift."""
    damaged = replace(BEFORE, nats=4.3)
    return {"the model was damaged": damaged, "the model was damaged, and nothing scored its held-out text": HeldOut()}.get(name, BEFORE)


@pytest.mark.parametrize("name", LABELLED)
def test_the_cause_of_a_labelled_drift(name: str) -> None:
    named = Counter[str]()
    for seed in range(20):
        before, now = labelled(name, seed)
        made = make_baseline([before], BEFORE)
        named[likely_cause(now, made, rise(now, made, POLICY.level), POLICY, scored(name))[0]] += 1
    assert named[LABELLED[name][1]] >= 18, named


@pytest.mark.parametrize(
    ("before", "after", "cause", "clause"),
    [
        (BEFORE, replace(BEFORE, nats=4.02), "the model itself", "the perplexity of its held-out text has risen by 2.0% as well"),
        (BEFORE, replace(BEFORE, nats=4.019), "the world changed", "the perplexity of the version's held-out text changed by +1.9%"),
        (BEFORE, replace(BEFORE, nats=3.0), "the world changed", "changed by -63.2%"),
        (BEFORE, replace(BEFORE, nats=1e9), "the model itself", "has risen by"),
        (BEFORE, HeldOut(doubt="no server"), "the world changed", "so the model itself is not excluded: no server"),
        (BEFORE, HeldOut(math.nan, "the sample", ""), "the world changed", "so the model itself is not excluded: the score is not finite"),
        (HeldOut(), replace(BEFORE, nats=9.0), "the world changed", "the baseline has no score of held-out text"),
        (BEFORE, HeldOut(9.0, "another sample", ""), "the world changed", "the held-out text is not that of the baseline"),
    ],
)
def test_the_model_itself_needs_a_score_of_the_same_text_before_and_after(before: HeldOut, after: HeldOut, cause: str, clause: str) -> None:
    then, now = labelled("everyone +30 %", 0)
    made = make_baseline([then], before)
    found, why = likely_cause(now, made, rise(now, made, POLICY.level), POLICY, after)
    assert found == cause and clause in why


def test_the_slice_that_carries_the_rise_is_first() -> None:
    before, now = labelled("20 % of the users write Portuguese", 0)
    made = make_baseline([before])
    first = slices(now, made, rise(now, made, POLICY.level))[0]
    assert (first.dimension, first.value, first.before) == ("language", "pt", 0.0) and first.carried > 0.7 and 0.15 < first.share < 0.25


def test_clients_that_an_older_baseline_does_not_have_are_no_new_group() -> None:
    """The request log records clients since a later release. Then all users have a client that had no users before."""
    dice = np.random.default_rng(5)
    before, now = window(dice, 0, 2000), window(dice, 1, 300, change=new_client(1, 0.3))
    made = make_baseline([before])
    older = replace(made, groups={name: groups for name, groups in made.groups.items() if name != "client"})
    upgraded = make_baseline([before, window(dice, 2, 300, change=new_client(1, 0))])  # during these windows
    for baseline in (made, older, upgraded):
        found = rise(now, baseline, POLICY.level)
        assert likely_cause(now, baseline, found, POLICY)[0] == "the world changed"
    assert "client" not in {row.dimension for row in slices(now, older, rise(now, older, POLICY.level))}


def test_no_rise_has_no_cause() -> None:
    before, now = labelled("everyone +30 %", 1)
    made = make_baseline([now])
    assert likely_cause(before, made, rise(before, made, POLICY.level), POLICY)[0] == "unknown"
