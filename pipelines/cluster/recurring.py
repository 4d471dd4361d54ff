"""Recurring runs on a cluster. A schedule is a cron expression with six fields, seconds first."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kfp

from pipelines.cluster.client import find_experiment, name_filter
from pipelines.cluster.connection import Connection
from pipelines.cluster.submit import TRAINING, PipelineName, ensure_version, refuse_unready
from pipelines.profile.load import Profile
from robo_poet.commands import command
from robo_poet.digest import digest_json
from robo_poet.errors import BadInput

FIELDS = (
    ("second", 0, 59, ()), ("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day of month", 1, 31, ()),
    ("month", 1, 12, tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())),
    ("day of week", 0, 6, tuple("sun mon tue wed thu fri sat".split())),
)  # fmt: skip
_EXAMPLE = "for example '0 30 3 * * MON', Mondays at 03:30"


def check_cron(expression: str) -> str:
    """Check a cron expression. Return it with single spaces between the fields.

    Raises:
        BadInput: there are not six fields, or a field is out of range; the message names the field.
    """
    parts = expression.split()
    if len(parts) != len(FIELDS):
        remedy = f"put the seconds in front of a cron of five fields: '0 {' '.join(parts)}'" if len(parts) == 5 else _EXAMPLE
        raise BadInput(
            f"has {len(parts)} fields; Kubeflow's cron has six: second, minute, hour, day, month, weekday",
            where=f"cron {expression!r}", remedy=remedy,
        )  # fmt: skip
    for part, (name, low, high, words) in zip(parts, FIELDS, strict=True):
        for item in part.split(","):
            if not _is_range(item.lower(), low, high, words):
                raise BadInput(
                    f"{item!r} is not a {name}", where=f"cron {expression!r}", remedy=f"use {low} to {high}, *, a-b or */n; {_EXAMPLE}"
                )
    return " ".join(parts)


def _is_range(text: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = re.fullmatch(r"(\*|\?|[a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?(?:/(\d{1,2}))?", text)
    if not match:
        return False
    first, last, step = match.groups()
    if step is not None and int(step) == 0:
        return False
    if first in "*?":
        return last is None
    bounds = [words.index(bound) + low if bound in words else int(bound) if bound.isdigit() else -1 for bound in (first, last or first)]
    return low <= bounds[0] <= bounds[1] <= high


PAGE = 100


@dataclass(frozen=True)
class Recurring:
    """A recurring run on the cluster."""

    id: str
    name: str
    cron: str
    enabled: bool
    version_id: str
    description: str  # holds a digest of schedule, pipeline version, parameters and settings


def schedule_pipeline(
    profile: Profile, ir: Path, parameters: Mapping[str, Any], *, name: str, cron: str, connected: tuple[kfp.Client, Connection],
    named: PipelineName = TRAINING,
) -> tuple[Recurring, bool]:  # fmt: skip
    """Create the recurring run `name` of the compiled pipeline `ir`. Return it, and whether the call changed anything.

    - Idempotent: the same call again changes nothing, except that it enables a disabled recurring run.
    - With a new cron, pipeline or parameters, the new recurring run is created before the old one is deleted, so no date is missed.
      If the process is killed between the two, the next call deletes the old one.
    - Runs do not overlap. Missed dates are not caught up.

    Raises:
        BadInput: not a cron with six fields, no such experiment, or the profile is not ready for a cluster.
        ClusterError: the cluster is unreachable or rejects a call.
    """
    cron = check_cron(cron)
    refuse_unready(profile)
    client, connection = connected
    experiment = find_experiment(client, connection)
    version = ensure_version(client, connection, ir, named)
    inputs = {key: value for key, value in parameters.items() if key != "who"}  # the same schedule from another user is not a change
    description = f"made of {digest_json([cron, version.name, inputs, connection.pipeline_root, profile.cluster.service_account])}"
    existing = _list_all(client, experiment, name_filter(name))
    matching = next((recurring for recurring in existing if recurring.description == description), None)
    if matching and matching.enabled:
        kept, changed = matching, len(existing) > 1
    elif matching:
        client.enable_recurring_run(matching.id)
        kept, changed = _recurring(client.get_recurring_run(matching.id)), True
    else:
        created = client.create_recurring_run(
            experiment_id=experiment, job_name=name, description=description, cron_expression=cron, max_concurrency=1, no_catchup=True,
            pipeline_id=version.pipeline_id, version_id=version.version_id, params=dict(parameters),
            pipeline_root=connection.pipeline_root or None, service_account=profile.cluster.service_account or None,
        )  # fmt: skip
        kept, changed = _recurring(created), True
    for recurring in existing:
        if recurring.id != kept.id:
            client.delete_recurring_run(recurring.id)
    return kept, changed


def list_recurring(client: kfp.Client, connection: Connection) -> list[Recurring]:
    """Return all recurring runs of the experiment, sorted by name."""
    return sorted(_list_all(client, find_experiment(client, connection), None), key=lambda recurring: (recurring.name, recurring.id))


def disable_recurring(client: kfp.Client, connection: Connection, name: str) -> list[Recurring]:
    """Disable the recurring runs called `name`. They can be enabled again. Return the runs that this call disabled.

    Raises:
        BadInput: no recurring run has this name.
    """
    matching = _list_all(client, find_experiment(client, connection), name_filter(name))
    if not matching:
        remedy = f"{command('cluster schedule list')} lists them"
        raise BadInput(f"there is no such recurring run in experiment {connection.experiment}", where=name, remedy=remedy)
    enabled = [recurring for recurring in matching if recurring.enabled]
    for recurring in enabled:
        client.disable_recurring_run(recurring.id)
    return enabled


def _list_all(client: kfp.Client, experiment: str, filter_: str | None) -> list[Recurring]:
    recurring_runs: list[Recurring] = []
    page = ""
    while True:
        response = client.list_recurring_runs(page_token=page, page_size=PAGE, experiment_id=experiment, filter=filter_)
        recurring_runs += [_recurring(item) for item in response.recurring_runs or []]
        page = response.next_page_token or ""
        if not page:
            return recurring_runs


def _recurring(response: Any) -> Recurring:
    schedule = response.trigger.cron_schedule if response.trigger else None
    reference = response.pipeline_version_reference
    return Recurring(
        id=response.recurring_run_id, name=response.display_name, cron=schedule.cron if schedule else "",
        enabled=(response.status if response.mode in (None, "MODE_UNSPECIFIED") else response.mode) in ("ENABLE", "ENABLED"),
        version_id=reference.pipeline_version_id if reference else response.pipeline_version_id or "",
        description=response.description or "",
    )  # fmt: skip
