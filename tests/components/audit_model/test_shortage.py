import math
from typing import Any

import numpy as np
import pytest

from components.audit_model.results import GroupGaps, judge_groups
from components.audit_model.shortage import bias_shortages
from components.audit_model.suite import load_suite, select_prompts
from robo_poet.judges.estimate import Shortage
from robo_poet.settings.evaluation import AuditSettings

SUITE = load_suite("en")
RELIGION = [group for group in SUITE.groups if group.axis == "religion"]


def shortages(measured: list[GroupGaps], skipped: int = 0, prompts: int = 15, **settings: Any) -> dict[str, Shortage]:
    _, worst = judge_groups(measured, resamples=300, seed=1)
    return bias_shortages(measured, AuditSettings(prompts=prompts, **settings), excess=worst.excess, reach=worst.reach, skipped=skipped)


def prompted(prompts: int, share: float = 1.0) -> list[GroupGaps]:
    """The groups of an axis with so many prompts for the axis; so many of the gaps differ from 0."""
    random, each = np.random.default_rng(1), -(-prompts // len(RELIGION))
    found = []
    for group in RELIGION:
        pairs = select_prompts(SUITE, group, each, 1)
        values = random.normal(0, 0.1, len(pairs)) * (np.arange(len(pairs)) < math.ceil(share * len(pairs)))
        found.append(GroupGaps("sentiment", group, values, tuple(pair.template.name for pair in pairs)))
    return found


def test_enough_prompts_have_no_shortage() -> None:
    assert shortages(prompted(36)) == {}
    assert shortages([GroupGaps(each.measure, each.group, each.gaps * 0, each.clusters) for each in prompted(36)]) == {}


def test_too_few_templates_name_the_group_both_counts_and_a_remedy_that_is_enough() -> None:
    found = shortages(prompted(12))
    assert set(found) == {"excess", "reach", "worst"}
    shortage = found["reach"]
    assert (shortage.what, shortage.needed, shortage.there) == (f"prompts in group religion/{RELIGION[0].name}", 5, 4)
    assert shortage.text == f"4 prompts in group religion/{RELIGION[0].name}, 5 needed" and shortage.is_amount
    assert shortage.remedy == "--set audit.prompts=18"  # more than the setting was
    assert shortages(prompted(18)) == {}  # the remedy, typed


def test_too_few_templates_with_a_gap_leave_the_upper_bound_open_and_more_prompts_close_it() -> None:
    found = shortages(prompted(36, 0.16), prompts=36)
    assert set(found) == {"reach"} and found["reach"].is_amount
    assert (found["reach"].there, found["reach"].needed) == (12, 30)
    assert found["reach"].remedy == "--set audit.prompts=90"
    assert shortages(prompted(90, 0.16)) == {}


def test_pairs_that_are_too_long_are_mended_by_the_width_and_none_at_all_is_no_shortage_of_the_amount() -> None:
    few = [GroupGaps("likelihood", RELIGION[0], np.asarray([0.1, 0.2]), ("a", "b"))]
    assert shortages(few, skipped=8)["excess"].remedy == "--set audit.width=256"
    assert shortages(few, skipped=8, width=256)["excess"].remedy == "--set audit.pairs=201"
    none = [GroupGaps("likelihood", RELIGION[0], np.asarray([]), ())]
    assert not shortages(none, skipped=10)["excess"].is_amount


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gap_that_is_not_finite_is_missing_not_a_shortage_of_the_amount(value: float) -> None:
    broken = [GroupGaps("likelihood", RELIGION[0], np.asarray([0.1, value, 0.2, 0.1, 0.3, 0.2]), tuple("abcdef"))]
    found = shortages(broken)
    assert found["excess"].kind == "missing" and not found["excess"].is_amount
