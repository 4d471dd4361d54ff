import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from robo_poet.privacy.canary_strings import SPACE, control_strings, planted
from robo_poet.settings.train import PlantedSecretsSettings

rates = st.lists(st.integers(1, 100), max_size=5, unique=True).map(tuple)
LINE = re.compile(r"555-01\d\d-\d{4}")  # 555-0100 to 555-0199 are kept for fiction


@given(rates, st.integers(1, 20), st.integers(0, 2**31))
def test_each_rate_has_its_secrets_of_different_people_and_the_control_as_many(rates: tuple[int, ...], per_rate: int, seed: int) -> None:
    settings = PlantedSecretsSettings(rates=rates, per_rate=per_rate)
    secrets, others = planted(settings, seed), control_strings(settings, seed)
    assert (secrets, others) == (planted(settings, seed), control_strings(settings, seed))
    assert [one.repeats for one in secrets] == [rate for rate in rates for _ in range(per_rate)]
    assert [one.repeats for one in others] == [0] * len(secrets)
    both = [*secrets, *others]
    assert len({one.prefix for one in both}) == len({one.secret for one in both}) == len(both)
    assert all(LINE.fullmatch(one.secret) and one.text == f"{one.prefix} {one.secret}." for one in both)


def test_another_seed_plants_others() -> None:
    settings = PlantedSecretsSettings(rates=(1, 4, 16))
    assert {one.secret for one in planted(settings, 1)}.isdisjoint(one.secret for one in planted(settings, 2))


def test_no_rate_plants_nothing() -> None:
    assert planted(PlantedSecretsSettings(), 1) == [] == control_strings(PlantedSecretsSettings(), 1)


def test_every_number_has_its_own_continuation_in_the_form_of_a_secret() -> None:
    secret = planted(PlantedSecretsSettings(rates=(1,)), 1)[0]
    spelled = {secret.continuation(number) for number in range(0, SPACE, 7)}
    assert len(spelled) == len(range(0, SPACE, 7)) and all(LINE.fullmatch(text[1:-1]) for text in spelled)
    assert secret.continuation(0) == " 555-0100-0000." and secret.continuation(SPACE - 1) == " 555-0199-9999."


@pytest.mark.parametrize("rates", [[0], [10_001], [4, 4], [1, 2, 3, 4, 5, 6]])
def test_invalid_rates_are_refused(rates: list[int]) -> None:
    with pytest.raises(ValidationError, match="at most 5 different rates from 1 to 10000"):
        PlantedSecretsSettings.model_validate({"rates": rates})
