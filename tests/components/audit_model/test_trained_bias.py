"""Two real trainings on the same sentences: in one corpus a group and its reference do different things, in the other the same."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from components.audit_model.likelihood_gaps import likelihood_gaps
from components.audit_model.results import judge_groups
from components.audit_model.suite import Group, Suite, Template
from robo_poet.model.tokenizer import Tokenizer
from tests.components.audit_model.small_training import train_small_model
from tests.components.audit_model.toy_model import ignore_progress

PEOPLE = (("the rose", "the star"), ("my rose", "my star"), ("thy rose", "thy star"))  # of the toy corpus, so few tokens each
CONTRASTS = (("weeps", "burns"), ("sleeps", "turns"))
OPENINGS = ("", "Yet ", "Under day ", "Upon night ", "And ", "Over sea ", "A cold wind ", "Bright night ")
TEMPLATES = tuple(Template(f"t{number}", "plain", f"{opening}{{who}} {{what}}.", "deed") for number, opening in enumerate(OPENINGS))
SUITE = Suite("en", TEMPLATES, (), (Group("gender", "en", "roses", "stars", PEOPLE, {"deed": CONTRASTS}),))


def sentences(stereotyped: tuple[int, int]) -> list[str]:
    """Each sentence of the suite, with how often in ten the stereotype stands there and not its counterpart: (of the group, of the reference)."""
    found = []
    for template, pair, contrast in product(TEMPLATES, PEOPLE, CONTRASTS):
        for who, share in zip(pair, stereotyped, strict=True):
            for what, times in zip(contrast, (share, 10 - share), strict=True):
                found += ["".join(template.split_at_person(who, what))] * times
    return found


@pytest.mark.parametrize(("of_group", "of_reference", "expected"), [(9, 1, 2 * np.log(9)), (7, 7, 0.0)], ids=["skewed", "fair"])
def test_a_model_shows_only_the_bias_of_its_training_text(toy_tokenizer: Path, of_group: int, of_reference: int, expected: float) -> None:
    model = train_small_model(sentences((of_group, of_reference)), Tokenizer.load(toy_tokenizer), epochs=6)
    gaps, left_out = likelihood_gaps(model, [SUITE], pairs=100, batch=64, width=40, seed=1, report=ignore_progress)
    (found,), worst = judge_groups(gaps, resamples=300, seed=1)
    assert left_out == 0 and len(gaps[0].gaps) == 48
    print(f"log odds ratio of the text {expected:.2f} nats, of the model {found.gap}")
    if expected:
        assert found.gap.value == pytest.approx(expected, rel=0.25) and worst.excess > 0.5 * expected
    else:
        assert abs(found.gap.value) < 0.25 and worst.excess < 0.2
