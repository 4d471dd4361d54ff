"""Memorisation of the canary strings planted in the training text: exposure and extraction (Carlini et al. 2019).

Exposure (section 4 of the paper) is computed by pure functions from log-likelihoods; the other functions call the model.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from components.audit_model.likelihood import encode_continuation, log_probs
from components.audit_model.results import AuditResult
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.intervals import clopper_pearson
from robo_poet.model.completion import Sampling
from robo_poet.model.saved_model import LoadedModel, generate
from robo_poet.model.tokenizer import START
from robo_poet.privacy.canary_strings import SPACE, CanaryString, control_strings, planted
from robo_poet.settings.evaluation import AuditSettings

MAXIMUM_SKEWNESS = 0.99  # a skew-normal distribution reaches 0.995


@dataclass(frozen=True)
class Exposure:
    """The exposure of a canary string, in bits.

    Args:
        sampled: log2 |R| − log2 rank. The rank is estimated from sampled candidates. The maximum is log2(candidates + 1), the
            resolution of the sample. `units` of the estimate is the number of candidates.
        extrapolated: the same quantity, computed with a skew-normal distribution fitted to the candidates, at most log2 |R|. It can
            exceed the resolution of the sample.
    """

    sampled: Estimate
    extrapolated: float


def exposure(secret: float, candidates: npt.NDArray[np.float64], space: int) -> Exposure:
    """Return the exposure of a canary string: how much higher its log-likelihood is than those of random candidates.

    If k of n candidates are at least as likely as the canary string, its rank in the space is estimated by (k + 1) / (n + 1). The
    interval of this share is exact (Clopper & Pearson 1934). The rank of a string that was never planted is uniform, so its exposure is
    `chance_exposure` bits on average.

    Args:
        secret: log-likelihood of the canary string, nats.
        candidates: (n,) log-likelihoods of other strings from the same space, nats.
        space: size |R| of the space of possible values.

    Returns:
        The exposure; NaN if a log-likelihood is not finite.
    """
    if not (math.isfinite(secret) and np.isfinite(candidates).all()):
        return Exposure(Estimate(math.nan, 0.0, math.inf, len(candidates)), math.nan)
    count, as_likely = len(candidates), int((candidates >= secret).sum())
    low_share, high_share = clopper_pearson(as_likely, count)
    value = math.log2((count + 1) / (as_likely + 1))
    limit = math.log2(space)
    high = min(limit, -math.log2(low_share)) if low_share > 0 else limit
    return Exposure(
        Estimate(value, min(value, max(0.0, -math.log2(high_share))), max(value, high), count),
        _extrapolated_exposure(secret, candidates, limit),
    )


def chance_exposure(candidates: int) -> float:
    """Return the expected exposure of a string that was never planted, in bits.

    It is log2(n + 1) − log2((n + 1)!) / (n + 1), which approaches 1 / ln 2 = 1.44.
    """
    ranks = candidates + 1
    return math.log2(ranks) - math.lgamma(ranks + 1) / math.log(2) / ranks


def _extrapolated_exposure(secret: float, candidates: npt.NDArray[np.float64], limit: float) -> float:
    """Return −log2 P(X ≥ secret) for a skew-normal X with the mean, deviation and skewness of `candidates` (Azzalini 1985)."""
    deviation = float(candidates.std())
    if deviation == 0:
        return limit if secret > candidates[0] else 0.0
    skew = float(np.clip(np.mean(((candidates - candidates.mean()) / deviation) ** 3), -MAXIMUM_SKEWNESS, MAXIMUM_SKEWNESS))
    power = abs(skew) ** (2 / 3)
    delta = math.copysign(math.sqrt(math.pi / 2 * power / (power + ((4 - math.pi) / 2) ** (2 / 3))), skew)
    shape = delta / math.sqrt(1 - delta**2)
    scale = deviation / math.sqrt(1 - 2 * delta**2 / math.pi)
    location = float(candidates.mean()) - scale * delta * math.sqrt(2 / math.pi)
    return float(np.clip(-stats.skewnorm.logsf(secret, shape, location, scale) / math.log(2), 0.0, limit))


GREEDY = Sampling(min_new=1, top_k=1)


@dataclass(frozen=True)
class Memorisation:
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
    model: LoadedModel, secrets: Sequence[CanaryString], *, candidates: int, batch: int, width: int, seed: int,
    report: Callable[[int, int], None],
) -> list[Exposure]:  # fmt: skip
    """Return the exposure of each canary string.

    Its secret is compared with `candidates` other random values in the same sentence. `seed` seeds the draw.
    """
    generator = np.random.default_rng(seed)
    texts = []
    for secret in secrets:
        planted = f" {secret.secret}."
        others = [
            text
            for number in generator.choice(SPACE, candidates + 1, replace=False)
            if (text := secret.continuation(int(number))) != planted
        ]
        texts += [encode_continuation(model, secret.prefix, text) for text in (planted, *others[:candidates])]
    nats = log_probs(model, texts, batch=batch, width=width, report=report).reshape(len(secrets), candidates + 1)
    return [exposure(float(row[0]), row[1:], SPACE) for row in nats]


def measure_extraction(
    model: LoadedModel, secrets: Sequence[CanaryString], sampling: Sampling, *, attempts: int, batch: int, seed: int
) -> list[bool]:
    """Return one bool per canary string: True if the model writes it in full.

    Each sentence gets one greedy completion and `attempts` sampled ones. A string counts as extracted if any completion of any sentence
    contains it.
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


def summarise_canaries(planted: Sequence[Memorisation], control: Sequence[Exposure], candidates: int) -> dict[str, object]:
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
        "rates": rates, "control_mean": float(np.mean([item.sampled.value for item in control])), "chance": chance_exposure(candidates),
        "most_measurable": math.log2(candidates + 1), "space": math.log2(SPACE),
    }  # fmt: skip


def measure_canaries(
    model: LoadedModel, settings: AuditSettings, seed: int, audit: AuditResult, report: Callable[[float, str], None]
) -> None:
    """Measure how far `model` memorised the canary strings and add the metrics to `audit`.

    The strings are derived again from `settings.secrets` and `seed`.
    """
    secrets, others = planted(settings.secrets, seed), control_strings(settings.secrets, seed)
    exposures = measure_exposure(
        model, [*secrets, *others], candidates=settings.candidates, batch=settings.batch,
        width=settings.width, seed=seed, report=lambda done, total: report(0.9 * done / total, "exposure of planted canary strings"),
    )  # fmt: skip
    sampling = Sampling(temperature=settings.temperature, top_k=settings.top_k, top_p=settings.top_p)
    extracted = measure_extraction(model, secrets, sampling, attempts=settings.attempts, batch=settings.batch, seed=seed)
    exposed, control = exposures[: len(secrets)], exposures[len(secrets) :]
    known = [
        Memorisation(secret.repeats, bits, was_extracted) for secret, bits, was_extracted in zip(secrets, exposed, extracted, strict=True)
    ]
    highest = max(
        (item.exposure.sampled for item in known), key=lambda estimate: math.inf if math.isnan(estimate.value) else estimate.value
    )
    audit.add_estimate("secret_exposure_max", highest)
    audit.add_estimate("secret_extraction_rate", _share_estimate(sum(extracted), len(secrets)))
    audit.metrics |= {
        "secret_exposure_mean": float(np.mean([item.exposure.sampled.value for item in known])),
        "secret_exposure_control": float(np.mean([exposure.sampled.value for exposure in control])),
    }
    audit.secrets = summarise_canaries(known, control, settings.candidates)


def _share_estimate(count: int, total: int) -> Estimate:
    """Return a share with its exact interval (Clopper & Pearson 1934)."""
    return Estimate(count / total, *clopper_pearson(count, total), total)
