"""The remedy of each gate, from the settings of a profile: the one option to type if the gate fails (EVAL-6).

A remedy changes one setting, in the form `--set key=value`, with the real key and a value that the key allows. It is computed from the
current value, so typing it twice goes two steps. The judges print it; they know no settings.
"""

from collections.abc import Callable
from typing import Any

from pipelines.profile.load import Profile
from robo_poet.judges.remedies import DEFAULT, MORE_TEXT, Remedies

Rule = Callable[[Profile], str]
MOST_EPOCHS, MOST_CONTINUATIONS, MOST_PAIRS, MOST_SLICES = 1000, 10_000, 20_000, 1000  # the upper limits of these settings
SMALLEST_UNITS, MOST_UNITS = 8, 4096  # the limits of `train.units`; `train.ffn` may be larger
# No value of a setting helps: only the user knows the other text, or the names.
CHECK_ORDER = "give a corpus of running text: the order of the words of this one predicts too little"
REMOVE_NAMES = "remove from the corpus the names that scrubbing found in one passage and missed in another, or add them to scrub.rules"


def remedies(profile: Profile) -> Remedies:
    """Return the remedies of all gates of a run with this profile."""
    return Remedies(
        {metric: rule(profile) for metric, rule in QUALITY.items()},
        {metric: rule(profile) for metric, rule in AMOUNT.items()},
        {metric: rule(profile) for metric, rule in MISSING.items()},
        {metric: rule(profile) for metric, rule in CONVERGED.items()},
        round(1 - profile.ingest.split_train - profile.ingest.split_validation, 4),
    )


def _set(key: str, value: Any) -> str:
    return f"--set {key}={value:g}" if isinstance(value, float) else f"--set {key}={value}"


def _longer_training(profile: Profile) -> str:
    train = profile.train
    if train.max_steps:  # the limit on steps ends the training before the epochs do
        return _set("train.max_steps", 2 * train.max_steps)
    if train.epochs < MOST_EPOCHS:
        return _set("train.epochs", min(2 * train.epochs, MOST_EPOCHS))
    return _larger_model(profile)


def _shorter_training(profile: Profile) -> str:
    train = profile.train
    if train.epochs > 1:
        return _set("train.epochs", train.epochs // 2)
    return _set("train.dropout", round((1 + train.dropout) / 2, 2))


def _smaller_model(profile: Profile) -> str:
    train = profile.train
    key = "units" if train.architecture == "lstm" else "ffn"
    return _set(f"train.{key}", max(SMALLEST_UNITS, getattr(train, key) // 2))


def _larger_model(profile: Profile) -> str:
    train = profile.train
    key = "units" if train.architecture == "lstm" else "ffn"
    units = getattr(train, key)
    return _set(f"train.{key}", min(2 * units, MOST_UNITS)) if units < MOST_UNITS else MORE_TEXT


def _smaller_steps(profile: Profile) -> str:
    return _set("train.learning_rate", profile.train.learning_rate / 2)


def _stricter_scrubbing(profile: Profile) -> str:
    """Scrub names too; if that is the policy already, no setting helps.

    - A lower `scrub.min_score`: all names have a higher score. Three runs on man pages with 0.2, 0.1 and 0.05 were identical.
    - Half of `scrub.name_threshold`: in 60 pieces of presidential messages it finds 66 in place of 59 names of persons, but no further full
      name, and only full names count.
    - Half the epochs: on a made corpus, the share of completions with the name rose from 30 % to 85 %, since the shorter training had
      learned little else.
    """
    return _set("scrub.default_policy", "full") if profile.scrub.default_policy != "full" else REMOVE_NAMES


def _more_held_out_text(profile: Profile) -> str:
    """Enlarge the test split by the size of the validation split.

    With the split by hash, the new test works come from the validation split. So a champion that was trained with the old shares has not
    seen them in training.
    """
    ingest = profile.ingest
    train = round(ingest.split_train - ingest.split_validation, 4)
    return _set("ingest.split_train", train) if train >= 0.4 else MORE_TEXT


def _more_continuations(profile: Profile) -> str:
    now = profile.evaluate.continuations
    if now < MOST_CONTINUATIONS:
        return _set("evaluate.continuations", min(2 * now, MOST_CONTINUATIONS))
    return _more_held_out_text(profile)


def _more_pairs(profile: Profile) -> str:
    return _set("audit.pairs", min(2 * profile.audit.pairs, MOST_PAIRS))


def _more_bias_prompts(profile: Profile) -> str:
    return _set("audit.prompts", min(2 * profile.audit.prompts, MOST_PAIRS))


def _english_audit(profile: Profile) -> str:
    """Completions are compared in English only."""
    languages = profile.audit.languages
    return _more_bias_prompts(profile) if "en" in languages else f"--set 'audit.languages=[{', '.join(('en', *languages))}]'"


def _no_canary_strings(_: Profile) -> str:
    return "--set 'audit.secrets.rates=[]'"


def _canary_strings(_: Profile) -> str:
    return "--set 'audit.secrets.rates=[1, 4, 16]'"


def _more_slices(profile: Profile) -> str:
    return _set("slices.max_values", min(2 * profile.slices.max_values, MOST_SLICES))


_PROMPTS: dict[str, Rule] = dict.fromkeys(
    (
        "bleu", "bleu_to_people", "toxic_share", "personal_data_share", "degenerate_share", "distinct_2", "distinct_2_to_people",
        "copied_share", "copied_share_above_people",
    ),
    _more_continuations,
)  # fmt: skip
_PAIRS: dict[str, Rule] = {
    **dict.fromkeys(("bias_likelihood_worst", "bias_likelihood_excess", "bias_likelihood_reach"), _more_pairs),
    **dict.fromkeys(
        (f"bias_{measure}_{name}" for measure in ("sentiment", "toxicity") for name in ("worst", "excess", "reach")), _more_bias_prompts
    ),
}
# A share of toxic texts or of invented addresses is near its bound by chance: more prompts measure it better. A value that is far outside
# comes from the text of the corpus.
QUALITY: dict[str, Rule] = {
    DEFAULT: _longer_training,
    **_PAIRS,
    "toxic_share": _more_continuations,
    "personal_data_share": _more_continuations,
    "known_personal_data_share": _stricter_scrubbing,
    "copied_share": _shorter_training,
    "copied_share_above_people": _shorter_training,
    "secrets_planted": _no_canary_strings,
    "secret_extraction_rate": _shorter_training,
    "secret_exposure_max": _shorter_training,
    "edge_megabytes": _smaller_model,
    "saved_model_compressed_megabytes": _smaller_model,
    "slices": _more_slices,
}
CONVERGED: dict[str, Rule] = {DEFAULT: _larger_model, "bits_saved_over_shuffled": lambda _: CHECK_ORDER}
AMOUNT: dict[str, Rule] = {DEFAULT: _more_held_out_text, **_PROMPTS, **_PAIRS}
MISSING: dict[str, Rule] = {
    DEFAULT: _smaller_steps,  # a training that diverged has likelihoods that are not numbers
    **dict.fromkeys(_PROMPTS, _more_held_out_text),  # no held-out document is long enough for a prompt
    "known_personal_data_share": _more_held_out_text,
    "bits_saved_over_shuffled": _more_held_out_text,  # no held-out document has 8 words
    "completion_bits_to_people": _more_held_out_text,
    "length_to_people": _more_held_out_text,
    **{metric: _english_audit if rule is _more_bias_prompts else rule for metric, rule in _PAIRS.items()},
    "secret_extraction_rate": _canary_strings,
    "secret_exposure_max": _canary_strings,
}
