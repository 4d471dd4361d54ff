"""Each remedy, typed as it is printed, changes the setting that the cause of the rejection depends on."""

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.profile.load import load_profile
from pipelines.profile.remedies import AMOUNT, CHECK_ORDER, CONVERGED, MISSING, QUALITY, REMOVE_NAMES, remedies
from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import Estimate, GateInput, Shortage
from robo_poet.judges.gate import Gate
from robo_poet.judges.metrics import METRICS
from robo_poet.judges.remedies import MORE_TEXT

PROFILES = ("base", "local", "ci", "rtx", "secrets")


def typed(profile: str, remedy: str, *before: str) -> Any:
    """The profile after the remedy has been typed."""
    option, setting = shlex.split(remedy)
    assert option == "--set"
    return load_profile(profile, [*before, setting]).profile


@pytest.mark.parametrize("profile", PROFILES)
def test_every_remedy_of_every_profile_is_a_setting_that_changes(profile: str) -> None:
    now = load_profile(profile).profile
    given = remedies(now)
    for text in {*given.quality.values(), *given.amount.values(), *given.missing.values(), *given.converged.values()}:
        if text in (REMOVE_NAMES, CHECK_ORDER):
            continue
        assert text.startswith("--set "), text
        assert typed(profile, text).model_dump() != now.model_dump() or text == "--set 'audit.secrets.rates=[]'" or profile == "secrets"


def test_the_tables_name_metrics() -> None:
    assert {*QUALITY, *AMOUNT, *MISSING, *CONVERGED} - {""} <= set(METRICS)


@pytest.mark.parametrize(
    ("before", "cause", "metric", "after"),
    [
        ([], "quality", "perplexity", "--set train.epochs=12"),
        (["train.max_steps=50"], "quality", "perplexity", "--set train.max_steps=100"),
        (["train.epochs=1000"], "quality", "perplexity", MORE_TEXT),
        ([], "quality", "copied_share", "--set train.epochs=3"),
        (["train.epochs=1"], "quality", "copied_share", "--set train.dropout=0.6"),
        ([], "quality", "edge_megabytes", "--set train.units=128"),
        (["train.architecture=transformer"], "quality", "edge_megabytes", "--set train.ffn=256"),
        ([], "quality", "known_personal_data_share", REMOVE_NAMES),
        (["scrub.default_policy=none"], "quality", "known_personal_data_share", "--set scrub.default_policy=full"),
        ([], "amount", "bits_per_byte", "--set ingest.split_train=0.7"),
        (["ingest.split_train=0.4", "ingest.split_validation=0.3"], "amount", "bits_per_byte", MORE_TEXT),
        ([], "amount", "bleu", "--set evaluate.continuations=200"),
        (["evaluate.continuations=10000"], "amount", "bleu", MORE_TEXT),
        ([], "amount", "bias_likelihood_reach", "--set audit.pairs=400"),
        ([], "amount", "bias_sentiment_reach", "--set audit.prompts=240"),
        (["audit.languages=[es]"], "missing", "bias_sentiment_reach", "--set 'audit.languages=[en, es]'"),
        ([], "converged", "perplexity", "--set train.units=512"),
        (["train.units=4096"], "converged", "perplexity", MORE_TEXT),
        (["train.architecture=transformer"], "converged", "distinct_2", "--set train.ffn=1024"),
        ([], "converged", "bits_saved_over_shuffled", CHECK_ORDER),
        ([], "missing", "perplexity", "--set train.learning_rate=0.0015"),
        ([], "missing", "secret_exposure_max", "--set 'audit.secrets.rates=[1, 4, 16]'"),
        ([], "quality", "secrets_planted", "--set 'audit.secrets.rates=[]'"),
    ],
)  # fmt: skip
def test_a_remedy_has_the_real_key_and_follows_from_the_value(before: list[str], cause: str, metric: str, after: str) -> None:
    given = getattr(remedies(load_profile("local", before).profile), cause)
    assert given.get(metric, given[""]) == after


CHAMPION: Any = {"metric": "bits_per_byte", "against": "champion", "margin": 0.02}


def more(profile: Any) -> float:
    """The share of test text, as a multiple of the default's."""
    return float(round((1 - profile.ingest.split_train - profile.ingest.split_validation) / 0.1, 6))


# kind of rejection, gate, what was measured with a profile, and the amount or quality that the settings of the remedy decide
REJECTIONS: list[tuple[str, Gate, Callable[[Any], GateInput]]] = [
    (
        "a value outside the bound: twice the epochs lower the perplexity",
        Gate("perplexity", max=100),
        lambda profile: GateInput({"perplexity": 40 + 600 / profile.train.epochs}),
    ),
    (
        "copied text: fewer epochs",
        Gate("copied_share", max=0.05),
        lambda profile: GateInput({"copied_share": 0.015 * profile.train.epochs}),
    ),
    (
        "more copied text than people write: fewer epochs",
        Gate("copied_share_above_people", max=0.05),
        lambda profile: GateInput({"copied_share_above_people": 0.015 * profile.train.epochs - 0.01}),
    ),
    (
        "a model that is too large",
        Gate("edge_megabytes", max=1),
        lambda profile: GateInput({"edge_megabytes": profile.train.units / 250}),
    ),
    (
        "canary strings",
        Gate("secrets_planted", max=0),
        lambda profile: GateInput({"secrets_planted": float(len(profile.audit.secrets.rates))}),
    ),
    (
        "no value: the training diverged",
        Gate("perplexity", max=100),
        lambda profile: GateInput({"perplexity": float("nan") if profile.train.learning_rate > 0.002 else 50.0}),
    ),
    (
        "no held-out document of 8 words: more held-out text",
        Gate("bits_saved_over_shuffled", min=0.05),
        lambda profile: GateInput(
            {"bits_saved_over_shuffled": 0.2 if profile.ingest.split_train < 0.8 else None},
            shortages={"": {"bits_saved_over_shuffled": Shortage("held-out documents of 8 words or more", 1, 0, "missing")}},
        ),
    ),
    (
        "no champion that can be measured",
        Gate(**CHAMPION),
        lambda profile: GateInput({"bits_per_byte": 2.0}),
    ),
    (
        "no such slice",
        Gate(**CHAMPION, slice="author=*"),
        lambda profile: GateInput({"bits_per_byte": 2.0}, champion="none"),
    ),
    (
        "an interval that is too wide: more held-out text",
        Gate(**CHAMPION),
        lambda profile: GateInput(
            {"bits_per_byte": 2.0},
            champion="measured",
            differences={"": {"bits_per_byte": Estimate(0.0, -0.025 / more(profile), 0.025 / more(profile), int(12 * more(profile)))}},
        ),
    ),
    (
        "too few units: more held-out text",
        Gate(**CHAMPION),
        lambda profile: GateInput(
            {"bits_per_byte": 2.0},
            champion="measured",
            differences={"": {"bits_per_byte": Estimate(0.0, float("-inf"), float("inf"), int(4 * more(profile)))}},
        ),
    ),
    (
        "too few prompts: more prompts",
        Gate("bias_sentiment_reach", max=0.5),
        lambda profile: GateInput(
            {"bias_sentiment_reach": None if profile.audit.prompts < 240 else 0.3},
            shortages={"": {"bias_sentiment_reach": Shortage("prompts in group religion/atheists", 60, profile.audit.prompts // 4)}},
        ),
    ),
]


@pytest.mark.parametrize(("gate", "measured"), [row[1:] for row in REJECTIONS], ids=[row[0] for row in REJECTIONS])
def test_the_printed_remedy_changes_the_verdict_or_the_amount(gate: Gate, measured: Callable[[Any], GateInput]) -> None:
    before = ["train.epochs=6", "audit.secrets.rates=[1, 4]"]
    profile = load_profile("local", before).profile
    (old,) = judge_gates(measured(profile), [gate], remedies(profile)).gates
    assert old.verdict == "fail" and old.remedy.startswith("--set ")
    after = typed("local", old.remedy, *before)
    changed = next((each for each in after.gates if each.key == gate.key), gate) if "gates=" in old.remedy else gate
    (new,) = judge_gates(measured(after), [changed], remedies(after)).gates
    assert new.verdict == "pass" or (new.there or 0) > (old.there or 0)
