"""Each remedy, typed as it is printed, changes the setting that the cause of the rejection depends on."""

import math
import random
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.audit_model.results import GroupGaps, judge_groups
from components.audit_model.shortage import bias_shortages
from components.audit_model.suite import load_suite, select_prompts
from components.evaluate_model.word_order import MINIMUM_WORDS
from pipelines.profile.load import load_profile
from pipelines.profile.remedies import AMOUNT, CHECK_ORDER, CONVERGED, MISSING, QUALITY, REMOVE_NAMES, remedies
from robo_poet.corpus.split import Work, split_works, unit_hash
from robo_poet.judges.comparison import compare
from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import GateInput, Shortage
from robo_poet.judges.gate import Gate
from robo_poet.judges.metrics import METRICS
from robo_poet.judges.remedies import MORE_TEXT
from robo_poet.privacy.canary_strings import planted

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
        (["train.epochs=1000"], "quality", "perplexity", "--set train.units=512"),
        (["train.epochs=1000", "train.units=4096"], "quality", "perplexity", MORE_TEXT),
        ([], "quality", "copied_share", "--set train.epochs=3"),
        (["train.epochs=1"], "quality", "copied_share", "--set train.dropout=0.6"),
        ([], "quality", "edge_megabytes", "--set train.units=128"),
        (["train.architecture=transformer"], "quality", "edge_megabytes", "--set train.ffn=256"),
        ([], "quality", "known_personal_data_share", REMOVE_NAMES),
        (["scrub.default_policy=none"], "quality", "known_personal_data_share", "--set scrub.default_policy=full"),
        ([], "amount", "bits_per_byte", "--set ingest.split_train=0.7"),
        (["ingest.split_train=0.4", "ingest.split_validation=0.3"], "amount", "bits_per_byte", MORE_TEXT),
        ([], "amount", "bleu", "--set evaluate.continuations=200"),
        (["evaluate.continuations=10000"], "amount", "bleu", "--set ingest.split_train=0.7"),
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
Measure = Callable[[Any], GateInput]


def held_out(profile: Any, works: int) -> list[str]:
    """The works that ingest puts into the test split."""
    ingest, names = profile.ingest, [f"work {number}" for number in range(works)]
    splits, _ = split_works({name: Work(name) for name in names}, profile.seed, ingest.split_train, ingest.split_validation)
    return [name for name in names if splits[name] == "test"]


def compared(works: int) -> Measure:
    """The comparison with a champion on the works that are held out. Only the likelihoods are made: equal models, and noise by work."""

    def measure(profile: Any) -> GateInput:
        test = held_out(profile, works)
        sizes = np.full(len(test), 20_000.0)
        noise = np.asarray([random.Random(name).gauss(0, 0.03) for name in test])
        champion = 2 * sizes * math.log(2)
        difference = compare(test, sizes, champion + noise * sizes * math.log(2), champion, seed=profile.seed).difference
        return GateInput({"bits_per_byte": 2.0}, champion="measured", differences={"": {"bits_per_byte": difference}})

    return measure


def reordered(profile: Any) -> GateInput:
    """All works are short, but one that ingest puts into the validation split until the test split is larger."""
    names = [f"work {number}" for number in range(40)]
    long = next(name for name in names if 0.8 <= unit_hash(profile.seed, name) < 0.9)
    if long in held_out(profile, len(names)):
        return GateInput({"bits_saved_over_shuffled": 0.2})
    shortage = Shortage(f"held-out documents of {MINIMUM_WORDS} words or more", 1, 0, "missing")
    return GateInput({"bits_saved_over_shuffled": None}, shortages={"": {"bits_saved_over_shuffled": shortage}})


def audited(profile: Any) -> GateInput:
    """The audit's own prompts, judge and shortage. Only the scores are made: one in six pairs of completions differs."""
    suite = load_suite("en")
    groups = [group for group in suite.groups if group.axis == "religion"]
    dice, measured = np.random.default_rng(1), []
    for group in groups:
        pairs = select_prompts(suite, group, -(-profile.audit.prompts // len(groups)), profile.seed)
        gaps = dice.normal(0, 0.1, len(pairs)) * (np.arange(len(pairs)) < math.ceil(len(pairs) / 6))
        measured.append(GroupGaps("sentiment", group, gaps, tuple(pair.template.name for pair in pairs)))
    worst = judge_groups(measured, resamples=300, seed=1)[1]
    shortages = bias_shortages(measured, profile.audit, excess=worst.excess, reach=worst.reach, skipped=0)
    reach = None if math.isnan(worst.reach) else worst.reach
    return GateInput(
        {"bias_sentiment_reach": reach}, shortages={"": {f"bias_sentiment_{name}": row for name, row in shortages.items()}}
    )  # fmt: skip


# kind of rejection, gate, what was measured with a profile. The first five need a training: tests/e2e/test_remedies.py has those that a run
# of a minute can have. The others come from the code of the steps.
REJECTIONS: list[tuple[str, Gate, Measure]] = [
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
        "no value: the training diverged",
        Gate("perplexity", max=100),
        lambda profile: GateInput({"perplexity": float("nan") if profile.train.learning_rate > 0.002 else 50.0}),
    ),
    (
        "canary strings",
        Gate("secrets_planted", max=0),
        lambda profile: GateInput({"secrets_planted": float(len(planted(profile.audit.secrets, profile.seed)))}),
    ),
    ("no held-out document of 8 words: more held-out text", Gate("bits_saved_over_shuffled", min=0.05), reordered),
    ("no champion that can be measured", Gate(**CHAMPION), lambda _: GateInput({"bits_per_byte": 2.0})),
    ("no such slice", Gate(**CHAMPION, slice="author=*"), lambda _: GateInput({"bits_per_byte": 2.0}, champion="none")),
    ("an interval that is too wide: more held-out text", Gate(**CHAMPION), compared(80)),
    ("too few units: more held-out text", Gate(**CHAMPION), compared(30)),
    ("too few prompts: more prompts", Gate("bias_sentiment_reach", max=0.5), audited),
]


@pytest.mark.parametrize(("gate", "measured"), [row[1:] for row in REJECTIONS], ids=[row[0] for row in REJECTIONS])
def test_the_printed_remedy_changes_the_verdict_or_the_amount(gate: Gate, measured: Measure) -> None:
    before = ["train.epochs=6", "audit.secrets.rates=[1, 4]", "audit.prompts=36"]
    profile = load_profile("local", before).profile
    (old,) = judge_gates(measured(profile), [gate], remedies(profile)).gates
    assert old.verdict == "fail" and old.remedy.startswith("--set ")
    after = typed("local", old.remedy, *before)
    changed = next((each for each in after.gates if each.key == gate.key), gate) if "gates=" in old.remedy else gate
    (new,) = judge_gates(measured(after), [changed], remedies(after)).gates
    assert new.verdict == "pass" or (new.there or 0) > (old.there or 0)
