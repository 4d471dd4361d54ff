"""The remedy of a gate that failed or is open: the setting to change, as a user types it (EVAL-6).

The judges know no settings. So `pipelines.profile.remedies` computes the texts from the profile, and a step that knows the needed amount
records its own text in the shortage. Only a gate that can never judge is changed itself.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from robo_poet.judges.gate import Gate, Outcome

DEFAULT = ""  # the key of the remedy of all other metrics
_ADD_TEXT = "add text"  # begins each remedy that asks for more text
MORE_TEXT = f"{_ADD_TEXT} to the corpus, until it has twice its present size"  # `Remedies.of` puts the amount in, where it is known


@dataclass(frozen=True)
class Remedies:
    """Remedies by metric; the key "" stands for every other metric.

    Args:
        quality: for a value outside the bound, such as `--set train.epochs=12`.
        amount: for too little text or too few prompts, such as `--set evaluate.continuations=200`.
        missing: for a value that is absent or not a finite number, such as `--set train.learning_rate=0.0015`.
        converged: replaces `quality` if early stopping ended the training, because more epochs would then train the same model.
        test_share: share of the corpus that is the test split; 0 if it is not known.
    """

    quality: Mapping[str, str] = field(default_factory=dict)
    amount: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    converged: Mapping[str, str] = field(default_factory=dict)
    test_share: float = 0.0

    def after_early_stopping(self) -> "Remedies":
        """Return the remedies for a model whose validation perplexity no longer improved."""
        return replace(self, quality={**self.quality, **self.converged})

    def of(self, gate: Gate, outcome: Outcome, test_bytes: float = 0.0) -> str:
        """Return the remedy of a gate that did not pass; empty if there is none.

        Args:
            test_bytes: size of the test split, for the amount of text to add; 0 if it is not known.
        """
        remedy = self._of(gate, outcome)
        return _more_text(outcome, test_bytes / self.test_share if self.test_share else 0.0) if remedy == MORE_TEXT else remedy

    def _of(self, gate: Gate, outcome: Outcome) -> str:
        shortage = outcome.shortage
        if shortage and shortage.remedy:
            return shortage.remedy
        if shortage and shortage.kind == "amount":
            return _of_metric(self.amount, gate.metric)
        if shortage and shortage.kind == "missing":
            return allow_unknown(gate) if outcome.state == "unknown" else _of_metric(self.missing, gate.metric)
        return "" if gate.fault() else _of_metric(self.quality, gate.metric)


def _more_text(outcome: Outcome, corpus_bytes: float) -> str:
    """Return how much text to add: what the shortage needs; or else twice the text, a step as large as those of the settings.

    Args:
        corpus_bytes: present size of the corpus; 0 if it is not known.
    """
    shortage = outcome.shortage
    times = -(-10 * shortage.needed // shortage.there) / 10 if shortage and shortage.is_amount else 2.0  # rounded up
    factor = "twice" if times == 2 else f"{times:g} times"
    if outcome.slice:
        return f"{_ADD_TEXT} of {outcome.slice} to the corpus, until it has {factor} as much of it"
    amount = f" (about {max(0.1, corpus_bytes * (times - 1) / 1e6):,.1f} MB more)" if corpus_bytes else ""
    return f"{_ADD_TEXT} to the corpus, until it has {factor} its present size{amount}"


def combine(remedies: Iterable[str]) -> str:
    """Return one remedy for several gates: all options in one command.

    A sentence, such as one about names in the corpus, comes first: without what it asks for, the same command is rejected again. More text
    comes last, because few users have it.

    Two options that set one key to different values contradict each other, such as more and fewer epochs. Then more text is what helps.
    """
    distinct = list(dict.fromkeys(filter(None, remedies)))
    options = [remedy for remedy in distinct if remedy.startswith("--set ")]
    values: dict[str, str] = {}
    for option in options:
        key, _, value = shlex.split(option)[1].partition("=")
        if values.setdefault(key, value) != value:
            return MORE_TEXT
    sentences = [remedy for remedy in distinct if remedy not in options]
    without_more_text = [sentence for sentence in sentences if not sentence.startswith(_ADD_TEXT)]
    return next(iter(without_more_text), " ".join(options) or next(iter(sentences), ""))


def allow_unknown(gate: Gate) -> str:
    """Return the option that lets this gate pass where it cannot judge, such as a comparison with a champion that cannot be read."""
    values = {**gate.to_json(), "on_unknown": "pass"}
    line = ", ".join(f"{key}: {_yaml(value)}" for key, value in values.items())
    return f"--set {shlex.quote(f'gates=[{{{line}}}]')}"


def _yaml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) and not value.isidentifier() else f"{value}"


def _of_metric(remedies: Mapping[str, str], metric: str) -> str:
    return remedies.get(metric, remedies.get(DEFAULT, ""))
