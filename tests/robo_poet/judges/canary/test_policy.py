import pytest

from robo_poet.judges.canary.policy import DEFAULT_GUARDRAILS, Guardrail, Policy


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": ()}, "steps"), ({"steps": (0.5, 0.25)}, "larger than the one before"), ({"steps": (0.5, 1.0)}, "between 0 and 1"),
        ({"min_users": 0}, "min_users"), ({"max_hours": float("nan")}, "max_hours"), ({"false_rollback": 0}, "endless"),
        ({"watch_share": 0.6}, "watch_share"), ({"max_hours": 1}, "need at least 4 h"),
        ({"guardrails": {"latency": Guardrail(0.1)}}, "unknown guardrail"), ({"guardrails": {"slow": Guardrail(0)}}, "above 0"),
    ],
)  # fmt: skip
def test_a_policy_that_contradicts_itself_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Policy(**changes)  # type: ignore[arg-type]


def test_the_step_after_the_last_one_is_the_watch() -> None:
    policy = Policy()
    assert [policy.share(step) for step in range(5)] == [0.05, 0.25, 0.5, 0.95, 0.95]
    assert policy.in_watch(4) and not policy.in_watch(3)
    assert set(policy.guardrails) == set(DEFAULT_GUARDRAILS)
