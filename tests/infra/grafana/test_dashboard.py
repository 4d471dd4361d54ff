"""Each query of the dashboard parses, asks for exported metrics, and has a value when our programs are scraped (MON-1)."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from tests.infra.conftest import Monitored
from tests.infra.exported import INFRA, MODEL, exported, metrics_of
from tests.infra.monitored import needs_both, query

DASHBOARD: dict[str, Any] = json.loads((INFRA / "grafana" / "robo-poet.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# Queries without a value while nothing is wrong, and those of an exporter that is not ours.
EMPTY = ("ALERTS{", "robo_poet_drift_detected{", "DCGM_")


def queries() -> Iterator[tuple[str, str]]:
    """Yield title of the panel and expression of each query."""
    found = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
    found += [("annotations", row["expr"]) for row in DASHBOARD["annotations"]["list"]]
    for title, expression in found:
        yield title, filled(expression)


def filled(expression: str) -> str:
    """Return an expression with the values of the variables."""
    return expression.replace("$model", MODEL).replace("$__rate_interval", "5s")


def test_queries_ask_for_exported_metrics() -> None:
    names = exported()
    unknown = {(title, name) for title, expression in queries() for name in metrics_of(expression) - names}
    assert unknown == set()
    [variable] = [row for row in DASHBOARD["templating"]["list"] if row["type"] == "query"]
    assert variable["query"]["query"] == "label_values(robo_poet_ready, model)" and "robo_poet_ready" in names


def test_the_dashboard_shows_what_mon_1_names() -> None:
    shown = {name for _, expression in queries() for name in metrics_of(expression)}
    for part in ("request_duration", "requests_total", "errors:ratio", "queue", "gpu_memory", "process_cpu", "process_resident", "active_users",
                 "session_duration", "feedback", "cost", "parameter_", "by_arm", "drift_perplexity", "lower_bound", "verdict", "version_info"):  # fmt: skip
        assert any(part in name for name in shown), part


def test_panels_have_one_place_and_one_id() -> None:
    assert max(Counter(panel["id"] for panel in DASHBOARD["panels"]).values()) == 1
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in PANELS)
    assert all(len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) for panel in PANELS)


@needs_both
def test_each_query_parses_and_has_a_value_with_traffic(monitored: Monitored) -> None:
    pending = {(title, expression) for title, expression in queries() if not expression.startswith(EMPTY)}
    assert len(pending) > 50

    end = time.monotonic() + 30
    while pending and time.monotonic() < end:
        pending.difference_update([case for case in pending if query(monitored.prometheus, case[1])])
        time.sleep(0.1)
    assert pending == set()
    for panel in PANELS:
        for target in panel["targets"]:
            samples = query(monitored.prometheus, filled(target["expr"])) or []
            labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert all(labels <= set(sample["metric"]) for sample in samples), (panel["title"], labels)
    refused = [case for case in queries() if query(monitored.prometheus, case[1]) is None]
    assert refused == []
    assert query(monitored.prometheus, "rate(up)") is None  # Prometheus refuses what it cannot evaluate
