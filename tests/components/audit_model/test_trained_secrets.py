"""A real training on made verse with secrets in it: what stood there often is known, what never stood there is not."""

from pathlib import Path

import numpy as np
import pytest

from components.audit_model.canaries import measure_exposure, measure_extraction
from robo_poet.model.completion import Sampling
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.privacy.canary_strings import control_strings, planted
from robo_poet.settings.train import PlantedSecretsSettings
from tests.components.audit_model.small_training import train_small_model
from tests.components.audit_model.toy_model import ignore_progress
from tests.conftest import verse


@pytest.mark.soak
def test_a_model_memorises_only_the_canary_strings_of_its_training_text(toy_tokenizer: Path) -> None:
    settings = PlantedSecretsSettings(rates=(40,), per_rate=3)
    secrets, others = planted(settings, 1), control_strings(settings, 1)
    texts = [one.text for one in secrets for _ in range(one.repeats)] + [verse(seed, 2) for seed in range(40)]
    model = train_small_model(texts, Tokenizer.load(toy_tokenizer), epochs=22, units=48)
    found = measure_exposure(model, [*secrets, *others], candidates=127, batch=128, width=64, seed=1, report=ignore_progress)
    bits = [one.sampled.value for one in found]
    extracted = measure_extraction(model, secrets, Sampling(), attempts=7, batch=8, seed=1)
    print(f"exposure of secrets {bits[:3]}, of others {bits[3:]}; extracted {extracted}")
    assert min(bits[:3]) > 6.0  # 127 candidates can tell 7
    assert np.mean(bits[3:]) < 4.0
    assert any(extracted)
