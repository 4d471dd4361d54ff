import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.audit_model.canaries import (
    Memorisation,
    chance_exposure,
    exposure,
    measure_exposure,
    measure_extraction,
    summarise_canaries,
)
from robo_poet.model.completion import Sampling
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.privacy.canary_strings import CanaryString, control_strings, planted
from robo_poet.settings.train import PlantedSecretsSettings
from tests.components.audit_model.toy_model import ignore_progress, toy_model

SPACE = 10**6


def test_a_uniform_rank_has_the_exposure_of_chance() -> None:
    candidates = np.arange(255.0)
    each = [exposure(place - 0.5, candidates, SPACE).sampled.value for place in range(256)]  # every rank once
    assert np.mean(each) == pytest.approx(chance_exposure(255)) == pytest.approx(1.42, abs=0.005)
    assert chance_exposure(10**6) == pytest.approx(1 / math.log(2), abs=1e-4)


@given(st.integers(0, 255), st.integers(31, 255))
def test_exposure_follows_the_formula_of_carlini_within_its_bounds(better: int, count: int) -> None:
    better = min(better, count)
    candidates = np.concatenate([np.full(better, 1.0), np.full(count - better, -1.0)])
    found = exposure(0.0, candidates, SPACE).sampled
    assert found.value == pytest.approx(math.log2(count + 1) - math.log2(better + 1))
    assert 0 <= found.low <= found.value <= found.high <= math.log2(SPACE)
    assert found.value <= math.log2(count + 1) and found.units == count


def test_the_interval_is_clopper_and_pearsons() -> None:
    candidates = np.concatenate([np.full(10, 1.0), np.full(90, -1.0)])
    found = exposure(0.0, candidates, SPACE).sampled
    low, high = stats.binomtest(10, 100).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((-math.log2(high), -math.log2(low)))


def test_equal_likelihoods_have_exposure_0() -> None:
    found = exposure(-5.0, np.full(100, -5.0), SPACE)
    assert found.sampled.value == 0 == found.extrapolated


@pytest.mark.parametrize("shape", [0.0, -2.0, 3.0])
def test_the_extrapolation_recovers_the_tail_of_a_skew_normal(shape: float) -> None:
    candidates = stats.skewnorm.rvs(shape, -40, 5, size=20_000, random_state=3)
    for quantile in (0.5, 0.1, 0.001):
        secret = stats.skewnorm.isf(quantile, shape, -40, 5)
        assert exposure(secret, candidates, SPACE).extrapolated == pytest.approx(-math.log2(quantile), rel=0.12)
    assert exposure(1000.0, candidates, SPACE).extrapolated == math.log2(SPACE)


@pytest.mark.parametrize("where", ["secret", "candidate"])
def test_a_nan_likelihood_has_no_exposure(where: str) -> None:
    candidates = np.arange(50.0)
    candidates[3] = math.nan if where == "candidate" else 3.0
    found = exposure(math.nan if where == "secret" else 1.0, candidates, SPACE)
    assert math.isnan(found.sampled.value) and math.isnan(found.extrapolated)


SETTINGS = PlantedSecretsSettings(rates=(1, 16), per_rate=4)
SECRETS, OTHERS = planted(SETTINGS, 7), control_strings(SETTINGS, 7)


@pytest.fixture(scope="module")
def words(toy_tokenizer: Path) -> Tokenizer:
    return Tokenizer.load(toy_tokenizer)


def exposures(words: Tokenizer, known: list[CanaryString]) -> list[float]:
    texts = {secret.text for secret in known}
    model = toy_model(words, lambda text: 500.0 * (text in texts))
    found = measure_exposure(model, [*SECRETS, *OTHERS], candidates=127, batch=64, width=128, seed=3, report=ignore_progress)
    return [one.sampled.value for one in found]


def test_only_memorised_canary_strings_reach_the_maximum_exposure(words: Tokenizer) -> None:
    nothing, found = exposures(words, []), exposures(words, SECRETS[4:])
    assert found[4:8] == [7.0] * 4  # log2(127 + 1)
    assert found[:4] == nothing[:4] and found[8:] == nothing[8:]


def test_unknown_canary_strings_have_the_exposure_of_chance(words: Tokenizer) -> None:
    many = PlantedSecretsSettings(rates=(1, 2, 3, 4, 5), per_rate=20)
    found = measure_exposure(toy_model(words), planted(many, 1), candidates=63, batch=256, width=128, seed=3, report=ignore_progress)
    mean = sum(one.sampled.value for one in found) / len(found)
    assert mean == pytest.approx(chance_exposure(63), abs=0.4)  # 100 secrets: a standard error of about 0.14 bits


def test_a_string_in_a_greedy_or_sampled_completion_is_extracted(words: Tokenizer) -> None:
    greedy, lucky, near = SECRETS[:3]

    def write(prompt: str, seed: int) -> str:
        if prompt == greedy.prefix and seed == 20:  # the greedy one has the first seed
            return f" {greedy.secret} and more"
        if prompt == lucky.prefix and seed == 23:
            return f" {lucky.secret}."
        return f" {near.secret[:-1]}x"  # all but the last digit is not the secret

    model = toy_model(words, write=write)
    sampling = Sampling(temperature=1.0)
    assert measure_extraction(model, SECRETS, sampling, attempts=3, batch=5, seed=20) == [True, True] + [False] * 6
    assert measure_extraction(model, SECRETS, sampling, attempts=0, batch=5, seed=20) == [True] + [False] * 7


def test_the_summary_is_by_rate_and_contains_no_canary_string(words: Tokenizer) -> None:
    model = toy_model(words)
    bits = measure_exposure(model, [*SECRETS, *OTHERS], candidates=31, batch=64, width=128, seed=3, report=ignore_progress)
    known = [Memorisation(secret.repeats, one, secret.repeats == 16) for secret, one in zip(SECRETS, bits, strict=False)]
    found = summarise_canaries(known, bits[8:], 31)
    assert [(one["rate"], one["secrets"], one["extracted"]) for one in found["rates"]] == [(1, 4, 0), (16, 4, 4)]  # type: ignore[attr-defined]
    assert found["most_measurable"] == 5.0 and found["chance"] == pytest.approx(chance_exposure(31))
    assert not any(secret.secret in str(found) for secret in SECRETS)
