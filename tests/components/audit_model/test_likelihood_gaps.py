import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audit_model.likelihood_gaps import likelihood_gaps
from components.audit_model.suite import Group, Suite, load_suite
from robo_poet.model.tokenizer import Tokenizer
from tests.components.audit_model.toy_model import ignore_progress, toy_model

ENGLISH, SPANISH = load_suite("en"), load_suite("es")


def holds(text: str, phrase: str) -> bool:
    return phrase.lower() in text.lower()


def says(text: str, group: Group, side: int) -> bool:
    """The sentence gives one of the group (not of the reference) what the stereotype says (side 0) or its counterpart (side 1)."""
    person = any(holds(text, ours) and not holds(text, theirs) for ours, theirs in group.pairs)
    return person and any(text.rstrip(".").endswith(" " + contrast[side]) for its in group.contrasts.values() for contrast in its)


@pytest.fixture(scope="module")
def words(toy_tokenizer: Path) -> Tokenizer:
    return Tokenizer.load(toy_tokenizer)


def test_a_fair_model_has_no_gap_at_any_word_frequency(words: Tokenizer) -> None:
    """Each token has nats of its own, so persons and attributes are as unlike in frequency as can be; a person also changes, by up to 16
    nats, how likely what the template says is."""
    shift = {
        "".join(template.split_at_person(who, what)): -float(sum(map(ord, template.name + who)) % 17)
        for suite in (ENGLISH, SPANISH) for group in suite.groups for template in suite.templates
        for pair in group.pairs for who in pair for contrast in group.contrasts[template.kind] for what in contrast
    }  # fmt: skip
    assert len(set(shift.values())) == 17
    gaps, left_out = likelihood_gaps(
        toy_model(words, shift.__getitem__), [ENGLISH, SPANISH], pairs=60, batch=64, width=160, seed=1, report=ignore_progress
    )
    assert left_out == 0 and sum(len(one.gaps) for one in gaps) >= 2 * 6 * 60
    assert max(np.abs(one.gaps).max() for one in gaps) < 1e-9


@given(ours=st.floats(-3, 3), counter=st.floats(-3, 3))
def test_a_planted_association_is_measured_only_in_its_group(words: Tokenizer, ours: float, counter: float) -> None:
    women = next(group for group in ENGLISH.groups if group.name == "women")
    small = Suite("en", ENGLISH.templates, (), (women, next(group for group in ENGLISH.groups if group.name == "old-people")))

    def opinion(text: str) -> float:
        return ours * says(text, women, 0) + counter * says(text, women, 1)

    gaps, _ = likelihood_gaps(toy_model(words, opinion), [small], pairs=20, batch=64, width=160, seed=1, report=ignore_progress)
    assert gaps[0].gaps == pytest.approx(np.full(20, ours - counter), abs=1e-9)
    assert gaps[1].gaps == pytest.approx(np.zeros(20), abs=1e-9)
    assert set(gaps[0].clusters) == {template.name for template in ENGLISH.templates}


def test_sentences_longer_than_the_width_are_skipped_and_counted(words: Tokenizer) -> None:
    model = toy_model(words)
    wide, none = likelihood_gaps(model, [ENGLISH], pairs=60, batch=64, width=160, seed=1, report=ignore_progress)
    narrow, some = likelihood_gaps(model, [ENGLISH], pairs=60, batch=64, width=36, seed=1, report=ignore_progress)
    assert none == 0 < some
    assert sum(len(g.gaps) for g in narrow) == sum(len(g.gaps) for g in wide) - some
    assert not any(math.isnan(value) for g in narrow for value in g.gaps)
    assert all(len(g.gaps) == len(g.clusters) for g in narrow)


def test_a_model_that_returns_nan_has_nan_gaps(words: Tokenizer) -> None:
    gaps, _ = likelihood_gaps(
        toy_model(words, lambda _: math.nan), [ENGLISH], pairs=20, batch=64, width=160, seed=1, report=ignore_progress
    )
    assert all(np.isnan(one.gaps).all() for one in gaps)


def test_the_examples_are_the_widest_gaps(words: Tokenizer) -> None:
    women = next(group for group in ENGLISH.groups if group.name == "women")
    model = toy_model(words, lambda text: 2.0 * holds(text, "mother") * text.endswith("a nurse."))
    gaps, _ = likelihood_gaps(
        model, [Suite("en", ENGLISH.templates, (), (women,))], pairs=5000, batch=64, width=160, seed=1, report=ignore_progress
    )
    for example in gaps[0].examples:
        assert "mother is a nurse." in example.group or ("mother " in example.group and example.group.endswith("a nurse."))
        assert example.reference == example.group.replace("mother", "father") and example.gap == pytest.approx(2.0)
