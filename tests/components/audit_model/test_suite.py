import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.audit_model.suite import AXES, Suite, load_suite, select_pairs, select_prompts
from robo_poet.model.tokenizer import Tokenizer

SUITES = {language: load_suite(language) for language in ("en", "es")}
PRONOUNS = re.compile(r"\b(s?he|hers?|him|his|they|them|their|él|ella|ellos|ellas|su|sus)\b", re.I)
# Words of both genders that end as if they had one; all in -ista have both.
COMMON = {"hipócrita", "egoísta", "colega", "víctima", "atleta", "guía", "estorbo", "modelo", "piloto", "testigo"}


@pytest.fixture(params=["en", "es"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return SUITES[request.param]


def test_each_axis_has_hundreds_of_pairs_in_each_language(suite: Suite) -> None:
    for axis in AXES:
        groups = [group for group in suite.groups if group.axis == axis]
        pairs = sum(len(g.pairs) * len(g.contrasts[t.kind]) for g in groups for t in suite.templates)
        assert groups and pairs >= 400, axis


def test_a_share_of_the_sentences_is_in_the_language_of_plays(suite: Suite) -> None:
    verse = sum(template.register == "verse" for template in suite.templates) / len(suite.templates)
    assert 0.25 <= verse <= 0.5
    assert {template.register for template in suite.templates} == {"plain", "verse"}


def test_a_sentence_has_one_person_and_no_pronoun_for_it(suite: Suite) -> None:
    names = [template.name for template in (*suite.templates, *suite.prompts)]
    assert len(set(names)) == len(names)
    for template in (*suite.templates, *suite.prompts):
        assert template.text.count("{who}") == 1
        assert template.text.count("{what}") == (1 if template.kind else 0)
        assert template.text.find("{what}") > template.text.find("{who}") or not template.kind
        assert not PRONOUNS.search(template.text.split("{who}")[1].replace("{what}", ""))
        assert template.split_at_person("someone", "x")[1].startswith(" ")  # so both split_at_person are the tokens of the whole


def test_the_phrases_of_a_pair_differ_and_no_contrast_comes_twice(suite: Suite) -> None:
    for group in suite.groups:
        assert len(set(group.pairs)) == len(group.pairs) >= 6
        assert all(ours != theirs for ours, theirs in group.pairs)
        for kind in ("quality", "role", "deed"):
            contrasts = group.contrasts[kind]
            assert len(set(contrasts)) == len(contrasts) >= 4
            assert all(stereotype != counterpart for stereotype, counterpart in contrasts)
            assert not any(PRONOUNS.search(what) for contrast in contrasts for what in contrast)


def test_both_parts_have_the_tokens_of_the_sentence(suite: Suite, toy_tokenizer: Path) -> None:
    words = Tokenizer.load(toy_tokenizer)
    for group in suite.groups:
        for template, who in product(suite.templates, group.pairs[0]):
            context, continuation = template.split_at_person(who, group.contrasts[template.kind][0][0])
            assert words.encode(context) + words.encode(continuation) == words.encode(context + continuation)


def test_english_articles_are_correct() -> None:
    texts = [what for group in SUITES["en"].groups for pairs in group.contrasts.values() for pair in pairs for what in pair]
    assert [what for what in texts if re.match(r"a [aeio]|an [^aeio]", what)] == []
    assert all(what.startswith(("a ", "an ")) for g in SUITES["en"].groups for pair in g.contrasts["role"] for what in pair)


def test_spanish_statements_have_no_gender_and_no_contracted_article() -> None:
    for group in SUITES["es"].groups:
        for kind in ("quality", "role"):
            for what in (what for contrast in group.contrasts[kind] for what in contrast):
                assert not what.endswith(("o", "a", "os", "as")) or what.endswith("ista") or what in COMMON, what
        for what in (what for contrast in group.contrasts["deed"] for what in contrast):
            assert re.match(r"\w+(ar|er|ir|ír)(se)?\b", what), what
        for ours, theirs in group.pairs:  # what stands beside a person agrees with it: both sides have its gender
            if group.axis != "gender":
                assert ours.split()[0] == theirs.split()[0] in ("el", "la", "mi"), ours
    for template in SUITES["es"].templates:
        assert not re.search(r"\b(a|de) \{who\}", template.text)


SUITE = load_suite("en")
groups = st.sampled_from(SUITE.groups)


@given(groups, st.integers(1, 3000), st.integers(0, 99))
def test_select_pairs_draws_distinct_pairs_evenly_over_templates(group, count: int, seed: int) -> None:
    pairs = select_pairs(SUITE, group, count, seed)
    room = {t.name: len(group.pairs) * len(group.contrasts[t.kind]) for t in SUITE.templates}
    assert pairs == select_pairs(SUITE, group, count, seed)
    assert len(set(pairs)) == len(pairs) == min(count, sum(room.values()))
    times = Counter(pair.template.name for pair in pairs)
    fewest = min(times.get(name, 0) for name in room if times.get(name, 0) < room[name]) if len(pairs) < sum(room.values()) else 0
    assert all(times[name] - 1 <= fewest or fewest == 0 for name in room)
    assert all(pair.statements in group.contrasts[pair.template.kind] and pair.persons in group.pairs for pair in pairs)


def test_groups_of_equal_size_share_their_reference_sentences() -> None:
    one, other = (group for group in SUITE.groups if group.name in ("mexicans", "arabs"))
    ours, theirs = (select_pairs(SUITE, group, 67, 3) for group in (one, other))
    assert [(p.template, p.persons[1], p.statements) for p in ours] == [(p.template, p.persons[1], p.statements) for p in theirs]


@given(groups, st.integers(1, 500), st.integers(0, 99))
def test_select_prompts_draws_evenly_with_one_seed_each(group, count: int, seed: int) -> None:
    prompts = select_prompts(SUITE, group, count, seed)
    assert len(prompts) == count and [one.seed for one in prompts] == list(range(seed, seed + count))
    times = Counter(one.template.name for one in prompts)
    assert max(times.values()) - min(times.get(t.name, 0) for t in SUITE.prompts) <= 1
    if count >= len(SUITE.prompts) * len(group.pairs):
        assert {one.persons for one in prompts} == set(group.pairs)


def test_a_suite_without_prompts_selects_none() -> None:
    spanish = load_suite("es")
    assert select_prompts(spanish, spanish.groups[0], 10, 1) == []
