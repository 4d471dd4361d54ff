"""Canary metrics: exposure and extraction rate (Carlini et al. 2019)."""

import math
from collections.abc import Callable

import numpy as np

from components.audit_model.audit import Audit
from components.audit_model.memorised_secrets import Known, measure_exposure, measure_extraction, summary_of_secrets
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.rates import clopper_pearson
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.planted_secrets import never_planted, planted
from robo_poet.settings.audit import AuditSettings


def measure_secrets(model: LoadedModel, settings: AuditSettings, seed: int, audit: Audit, say: Callable[[float, str], None]) -> None:
    """Measure how far `model` memorised the canary strings and add the metrics to `audit`.

    The strings are derived again from `settings.secrets` and `seed`.
    """
    secrets, others = planted(settings.secrets, seed), never_planted(settings.secrets, seed)
    exposures = measure_exposure(
        model, [*secrets, *others], candidates=settings.candidates, batch=settings.batch,
        width=settings.width, seed=seed, say=lambda done, total: say(0.9 * done / total, "exposure of planted secrets"),
    )  # fmt: skip
    sampling = Sampling(temperature=settings.temperature, top_k=settings.top_k, top_p=settings.top_p)
    extracted = measure_extraction(model, secrets, sampling, attempts=settings.attempts, batch=settings.batch, seed=seed)
    exposed, control = exposures[: len(secrets)], exposures[len(secrets) :]
    known = [Known(secret.repeats, bits, was_extracted) for secret, bits, was_extracted in zip(secrets, exposed, extracted, strict=True)]
    highest = max(
        (item.exposure.sampled for item in known), key=lambda estimate: math.inf if math.isnan(estimate.value) else estimate.value
    )
    audit.estimate("secret_exposure_max", highest)
    audit.estimate("secret_extraction_rate", _rate(sum(extracted), len(secrets)))
    audit.metrics |= {
        "secret_exposure_mean": float(np.mean([item.exposure.sampled.value for item in known])),
        "secret_exposure_control": float(np.mean([exposure.sampled.value for exposure in control])),
    }
    audit.secrets = summary_of_secrets(known, control, settings.candidates)


def _rate(count: int, total: int) -> Estimate:
    """Return a share with its exact interval (Clopper & Pearson 1934)."""
    return Estimate(count / total, *clopper_pearson(count, total), total)
