"""Memorisation of the canary strings planted in the training text: exposure and extraction (Carlini et al. 2019)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from components.audit_model.exposure import Exposure, chance, exposure
from components.audit_model.likelihood import log_probs, spelled
from robo_poet.model.generate import generate
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import START
from robo_poet.planted_secrets import SPACE, Secret

GREEDY = Sampling(min_new=1, top_k=1)


@dataclass(frozen=True)
class Known:
    """The memorisation of one planted canary string.

    Args:
        repeats: how often the string was planted.
        exposure: in bits.
        extracted: True if the model wrote the string in full.
    """

    repeats: int
    exposure: Exposure
    extracted: bool


def measure_exposure(
    model: LoadedModel, secrets: Sequence[Secret], *, candidates: int, batch: int, width: int, seed: int,
    say: Callable[[int, int], None],
) -> list[Exposure]:  # fmt: skip
    """Return the exposure of each canary string among `candidates` other values, drawn by `seed`, in the same sentence."""
    generator = np.random.default_rng(seed)
    texts = []
    for secret in secrets:
        planted = f" {secret.secret}."
        others = [
            text for number in generator.choice(SPACE, candidates + 1, replace=False) if (text := secret.spelled(int(number))) != planted
        ]
        texts += [spelled(model, secret.prefix, text) for text in (planted, *others[:candidates])]
    nats = log_probs(model, texts, batch=batch, width=width, say=say).reshape(len(secrets), candidates + 1)
    return [exposure(float(row[0]), row[1:], SPACE) for row in nats]


def measure_extraction(
    model: LoadedModel, secrets: Sequence[Secret], sampling: Sampling, *, attempts: int, batch: int, seed: int
) -> list[bool]:
    """Return for each canary string whether the model writes it in full.

    Each sentence gets one greedy completion and `attempts` sampled ones. A string counts as extracted in a completion of any sentence.
    """
    tokenizer = model.tokenizer
    requests = []
    for secret in secrets:
        prompt, length = [START, *tokenizer.encode(secret.prefix)], len(tokenizer.encode(f" {secret.secret}"))
        for attempt in range(attempts + 1):
            options = sampling if attempt else GREEDY
            requests.append((prompt, Sampling(length, 1, options.temperature, options.top_k, options.top_p), seed + attempt))
    texts: list[str] = []
    for start in range(0, len(requests), batch):
        prompts, samplings, seeds = zip(*requests[start : start + batch], strict=True)
        texts += [completion.text for completion in generate(model, prompts, samplings, seeds)]
    return [any(secret.secret in text for text in texts) for secret in secrets]


def summary_of_secrets(planted: Sequence[Known], control: Sequence[Exposure], candidates: int) -> dict[str, object]:
    """Return the section `secrets` of the artifact: exposure by repetition rate, in bits. It contains no canary string."""
    rates = []
    for rate in sorted({item.repeats for item in planted}):
        at_rate = [item for item in planted if item.repeats == rate]
        bits = [item.exposure.sampled.value for item in at_rate]
        rates.append({
            "rate": rate, "secrets": len(at_rate), "exposure_mean": float(np.mean(bits)), "exposure_max": float(np.max(bits)),
            "extrapolated_mean": float(np.mean([item.exposure.extrapolated for item in at_rate])),
            "extracted": sum(item.extracted for item in at_rate),
        })  # fmt: skip
    return {
        "rates": rates, "control_mean": float(np.mean([item.sampled.value for item in control])), "chance": chance(candidates),
        "most_measurable": math.log2(candidates + 1), "space": math.log2(SPACE),
    }  # fmt: skip
