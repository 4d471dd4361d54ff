from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from components.audit_model.crossing import pairs_of, prompts_of
from components.audit_model.suite import load_suite

SUITE = load_suite("en")
groups = st.sampled_from(SUITE.groups)


@given(groups, st.integers(1, 3000), st.integers(0, 99))
def test_pairs_are_as_many_as_asked_for_each_once_and_even_over_templates(group, count: int, seed: int) -> None:
    pairs = pairs_of(SUITE, group, count, seed)
    room = {t.name: len(group.pairs) * len(group.contrasts[t.kind]) for t in SUITE.templates}
    assert pairs == pairs_of(SUITE, group, count, seed)
    assert len(set(pairs)) == len(pairs) == min(count, sum(room.values()))
    times = Counter(pair.template.name for pair in pairs)
    fewest = min(times.get(name, 0) for name in room if times.get(name, 0) < room[name]) if len(pairs) < sum(room.values()) else 0
    assert all(times[name] - 1 <= fewest or fewest == 0 for name in room)
    assert all(pair.what in group.contrasts[pair.template.kind] and pair.who in group.pairs for pair in pairs)


def test_groups_of_one_shape_have_the_same_reference_sentences() -> None:
    one, other = (group for group in SUITE.groups if group.name in ("mexicans", "arabs"))
    ours, theirs = (pairs_of(SUITE, group, 67, 3) for group in (one, other))
    assert [(p.template, p.who[1], p.what) for p in ours] == [(p.template, p.who[1], p.what) for p in theirs]


@given(groups, st.integers(1, 500), st.integers(0, 99))
def test_openings_are_as_many_as_asked_for_with_a_seed_each(group, count: int, seed: int) -> None:
    prompts = prompts_of(SUITE, group, count, seed)
    assert len(prompts) == count and [one.seed for one in prompts] == list(range(seed, seed + count))
    times = Counter(one.template.name for one in prompts)
    assert max(times.values()) - min(times.get(t.name, 0) for t in SUITE.prompts) <= 1
    if count >= len(SUITE.prompts) * len(group.pairs):
        assert {one.who for one in prompts} == set(group.pairs)


def test_without_openings_there_are_none() -> None:
    spanish = load_suite("es")
    assert prompts_of(spanish, spanish.groups[0], 10, 1) == []
