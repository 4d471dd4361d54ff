"""Estimate how long a run takes on this machine. A fraction of a second measures the processor; the rest is arithmetic.

Times are for an idle machine, and upper bounds of the epochs: early stopping may end a training earlier.
docs/explanation/profile-auto.md compares the estimates with measured runs.
"""

import os
import time
from dataclasses import dataclass
from functools import cache

import numpy as np

from pipelines.profile.load import Profile
from pipelines.suggestion.choose import bytes_per_token
from robo_poet.description.description import Description
from robo_poet.settings.train import TrainSettings

# Measured on 2 cores of an AMD EPYC (Zen 5) with bfloat16 products: CPU time, which does not depend on other work on the machine.
REFERENCE_PRODUCT = 6.0e-6  # seconds of CPU for one product of 64×96 by 96×64, float32
REFERENCE_CORES = 2
RECURRENT = 94e-12  # seconds of CPU per token and weight of the recurrent layers: small products, one time step after another
DENSE = 16e-12  # seconds of CPU per token and weight of the output projection and of a Transformer's layers: large products
READING = 0.3  # CPU of a token that is only scored, as a share of one that is trained on
NAMES_RATE = 38e3  # bytes per second and core in which names are searched, if the description has not measured it
PATTERNS_RATE = 4e6  # bytes per second in which personal data with a fixed format is searched
START_TRAINING, EVALUATION, OTHER_STEPS = 30.0, 40.0, 20.0  # seconds: start, graph and export; evaluation of a model; all other steps


@dataclass(frozen=True)
class Duration:
    """Estimated seconds of a run: removal of personal data, training, everything else."""

    scrubbing: float
    training: float
    other: float

    @property
    def seconds(self) -> float:
        """Return the estimated seconds of the whole run."""
        return self.scrubbing + self.training + self.other


@cache
def machine_factor() -> float:
    """Return how many times slower this machine is than the reference (0.5 is twice as fast). Measures for about 0.1 s."""
    first, second = np.ones((64, 96), np.float32), np.ones((96, 64), np.float32)
    times = []
    for _ in range(8):
        started = time.process_time()
        for _ in range(1_500):
            first @ second
        times.append((time.process_time() - started) / 1_500)
    return min(times) / REFERENCE_PRODUCT * REFERENCE_CORES / len(os.sched_getaffinity(0))


def weights(settings: TrainSettings, vocabulary: int) -> tuple[int, int]:
    """Return the number of weights in products of a token: in recurrent layers, and in all other layers. Without embedding and biases."""
    width = settings.embedding
    if settings.architecture == "lstm":
        units = settings.units
        return 4 * units * (width + units) + (settings.layers - 1) * 8 * units * units, units * vocabulary
    return 0, settings.layers * (4 * width * width + 2 * width * settings.ffn) + width * vocabulary


def seconds_per_token(settings: TrainSettings, vocabulary: int) -> float:
    """Return the estimated seconds of training for one token on the reference machine. Small batches cost more per token."""
    recurrent, dense = weights(settings, vocabulary)
    small_batch = 0.85 + 4.8 / settings.batch  # measured: 1.00 for 32, 1.45 for 8
    return (recurrent * RECURRENT + dense * DENSE) * small_batch / REFERENCE_CORES


def estimate_duration(profile: Profile, description: Description, training: float, held_out: float, factor: float) -> Duration:
    """Estimate a run of `profile` on a described corpus.

    Args:
        training, held_out: megabytes of the training split, and of the other two.
        factor: result of `machine_factor`.
    """
    tokens_per_megabyte = 1e6 / bytes_per_token(description, profile.tokenizer.vocabulary)
    settings = profile.train
    padding = max(1.0, 0.75 * settings.window / max(1.0, description.median_characters * tokens_per_megabyte / 1e6))
    epoch = training * tokens_per_megabyte * settings.window / settings.stride * padding
    tokens = settings.epochs * epoch
    if settings.max_steps:
        tokens = min(tokens, settings.max_steps * settings.batch * settings.window)
    validated = READING * tokens / max(1e-9, epoch) * held_out / 2 * tokens_per_megabyte
    per_token = seconds_per_token(settings, profile.tokenizer.vocabulary) * factor
    names = description.names
    rate = names.searched * 1e6 / names.seconds if names and names.seconds > 0.2 else NAMES_RATE / factor
    scrubbing = description.megabytes * 1e6 / PATTERNS_RATE * factor
    if names:
        scrubbing += names.of * 1e6 / (rate * (1.5 if names.of > 0.3 else 1.0))  # two processes find 1.5 times as many
    evaluation = (EVALUATION + READING * held_out / 2 * tokens_per_megabyte * per_token / factor) * factor
    return Duration(scrubbing, START_TRAINING * factor + (tokens + validated) * per_token, evaluation + OTHER_STEPS * factor)
