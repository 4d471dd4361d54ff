from pathlib import Path

import pytest

from components.audit_model.exposure import chance
from components.audit_model.memorised_secrets import Known, measure_exposure, measure_extraction, summary_of_secrets
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.planted_secrets import Secret, never_planted, planted
from robo_poet.settings.planted_secrets import PlantedSecretsSettings
from tests.components.audit_model.toy_model import opinionated, silent

SETTINGS = PlantedSecretsSettings(rates=(1, 16), per_rate=4)
SECRETS, OTHERS = planted(SETTINGS, 7), never_planted(SETTINGS, 7)


@pytest.fixture(scope="module")
def words(toy_tokenizer: Path) -> Tokenizer:
    return Tokenizer.load(toy_tokenizer)


def exposures(words: Tokenizer, known: list[Secret]) -> list[float]:
    texts = {secret.text for secret in known}
    model = opinionated(words, lambda text: 500.0 * (text in texts))
    found = measure_exposure(model, [*SECRETS, *OTHERS], candidates=127, batch=64, width=128, seed=3, say=silent)
    return [one.sampled.value for one in found]


def test_a_secret_that_the_model_knows_has_all_the_bits_that_the_sample_can_tell_and_no_other_has(words: Tokenizer) -> None:
    nothing, found = exposures(words, []), exposures(words, SECRETS[4:])
    assert found[4:8] == [7.0] * 4  # log2(127 + 1)
    assert found[:4] == nothing[:4] and found[8:] == nothing[8:]


def test_secrets_that_a_model_does_not_know_have_the_exposure_of_chance(words: Tokenizer) -> None:
    many = PlantedSecretsSettings(rates=(1, 2, 3, 4, 5), per_rate=20)
    found = measure_exposure(opinionated(words), planted(many, 1), candidates=63, batch=256, width=128, seed=3, say=silent)
    mean = sum(one.sampled.value for one in found) / len(found)
    assert mean == pytest.approx(chance(63), abs=0.4)  # 100 secrets: a standard error of about 0.14 bits


def test_what_greedy_or_sampled_completions_write_out_is_extracted(words: Tokenizer) -> None:
    greedy, lucky, near = SECRETS[:3]

    def write(prompt: str, seed: int) -> str:
        if prompt == greedy.prefix and seed == 20:  # the greedy one has the first seed
            return f" {greedy.secret} and more"
        if prompt == lucky.prefix and seed == 23:
            return f" {lucky.secret}."
        return f" {near.secret[:-1]}x"  # all but the last digit is not the secret

    model = opinionated(words, write=write)
    sampling = Sampling(temperature=1.0)
    assert measure_extraction(model, SECRETS, sampling, attempts=3, batch=5, seed=20) == [True, True] + [False] * 6
    assert measure_extraction(model, SECRETS, sampling, attempts=0, batch=5, seed=20) == [True] + [False] * 7


def test_the_summary_is_by_rate_and_holds_no_secret(words: Tokenizer) -> None:
    model = opinionated(words)
    bits = measure_exposure(model, [*SECRETS, *OTHERS], candidates=31, batch=64, width=128, seed=3, say=silent)
    known = [Known(secret.repeats, one, secret.repeats == 16) for secret, one in zip(SECRETS, bits, strict=False)]
    found = summary_of_secrets(known, bits[8:], 31)
    assert [(one["rate"], one["secrets"], one["extracted"]) for one in found["rates"]] == [(1, 4, 0), (16, 4, 4)]  # type: ignore[attr-defined]
    assert found["most_measurable"] == 5.0 and found["chance"] == pytest.approx(chance(31))
    assert not any(secret.secret in str(found) for secret in SECRETS)
