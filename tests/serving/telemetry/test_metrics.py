"""The metrics of one process and their series. Covers: series."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.settings.serve import TelemetrySettings
from serving.telemetry.metrics import ARMS, CODES, ROUTES, RULES, VERSIONS, Metrics

SERVING = Path(__file__).parents[3] / "serving"
PARAMETERS = {"temperature": 0.8, "top_p": 0.9, "top_k": 50, "max_length": 100, "num_samples": 2}


def completed(metrics: Metrics, **fields: Any) -> None:
    given: dict[str, Any] = {
        "version": 3, "arm": "champion", "user": "u", "seconds": 0.1, "generation_seconds": 0.08, "prompt_tokens": 7, "lengths": [100, 50],
        "parameters": PARAMETERS,
    }  # fmt: skip
    metrics.completed(**given | fields)


def used() -> Metrics:
    """Every series at least once."""
    metrics = Metrics(TelemetrySettings(cost_per_second=0.5))
    metrics.answered("generate", 200, 0.1, version=3, arm="champion")
    completed(metrics, first_token_seconds=0.02)
    metrics.scored("completion", version=3, arm="champion", nats=300.0, tokens=150)
    metrics.scored("prompt", version=3, arm="champion", nats=20.0, tokens=7)
    for code in ("rate_limited", "overloaded", "timeout", "invalid_field"):
        metrics.refused(code)
    metrics.client_gone()
    metrics.filtered("prompt", True)
    metrics.filtered("completion", False, "rules.private_key")
    metrics.feedback(version=3, arm="champion", rating=4, thumb="up")
    metrics.serving([(3, "ab" * 32, "champion"), (4, "cd" * 32, "canary")])
    metrics.model_loaded(3)
    metrics.model_loaded(4, "failed")
    metrics.watch_queue(lambda: 5)
    metrics.watch_counts("request_log_records", "Records of the request log.", lambda: {"written": 3, "dropped": 1})
    metrics.watch_value("request_log_waiting_records", "Records that wait to be written.", lambda: 2)
    return metrics


THREE = {"version": "3", "arm": "champion"}


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("robo_poet_tokens_total", {**THREE, "text": "completion"}, 150),
        ("robo_poet_tokens_total", {**THREE, "text": "prompt"}, 7),
        ("robo_poet_generation_cost_sum", THREE, 0.04),
        ("robo_poet_request_duration_normalised_seconds_sum", {"arm": "champion"}, 0.1),
        ("robo_poet_log_loss_nats_total", {**THREE, "text": "prompt"}, 20),
        ("robo_poet_parameter_top_k_bucket", {"le": "50.0"}, 1),
        ("robo_poet_parameter_top_k_bucket", {"le": "40.0"}, 0),
        ("robo_poet_active_users", {"window": "5m"}, 1),
        ("robo_poet_feedback_score_sum", THREE, 4),
        ("robo_poet_requests_total", {**THREE, "route": "generate", "status": "2xx"}, 1),
        ("robo_poet_shed_total", {}, 1),
        ("robo_poet_timeouts_total", {}, 1),
        ("robo_poet_rate_limited_total", {}, 1),
        ("robo_poet_queue_depth", {}, 5),
        ("robo_poet_request_log_records_total", {"outcome": "written"}, 3),
        ("robo_poet_model_version_info", {"version": "4", "digest": "cd" * 6, "arm": "canary"}, 1),
    ],
)
def test_a_series_has_the_recorded_value(name: str, labels: dict[str, str], expected: float) -> None:
    assert used().registry.get_sample_value(name, labels) == pytest.approx(expected)


def test_bucket_bounds_separate_the_latency_targets() -> None:
    metrics = Metrics()
    for seconds in (0.0499, 0.051, 0.99, 1.01):
        metrics.answered("generate", 200, seconds, version=1, arm="champion")

    def below(edge: str) -> float | None:
        labels = {"route": "generate", "status": "2xx", "arm": "champion", "le": edge}
        return metrics.registry.get_sample_value("robo_poet_request_duration_seconds_bucket", labels)

    assert [below(edge) for edge in ("0.05", "0.065", "0.75", "1.0", "1.5")] == [1, 2, 2, 3, 4]


@pytest.mark.parametrize(("lengths", "normalised"), [([200], 0.5), ([200, 50], 0.5), ([100], 1.0), ([1], 5.0), ([], 5.0)])
def test_a_duration_is_normalised_to_100_tokens(lengths: list[int], normalised: float) -> None:
    metrics = Metrics()
    completed(metrics, seconds=1.0, lengths=lengths)
    assert metrics.registry.get_sample_value("robo_poet_request_duration_normalised_seconds_sum", {"arm": "champion"}) == pytest.approx(
        normalised
    )


def test_in_flight_decreases_after_an_error() -> None:
    metrics = Metrics()
    value = metrics.registry.get_sample_value
    with pytest.raises(ValueError, match="x"), metrics.in_flight():
        assert value("robo_poet_requests_in_flight") == 1
        raise ValueError("x")
    assert value("robo_poet_requests_in_flight") == 0


def test_serving_replaces_the_previous_versions() -> None:
    metrics = Metrics()
    metrics.serving([(1, "a" * 64, "champion"), (2, "b" * 64, "canary")])
    metrics.serving([(2, "b" * 64, "champion")])
    lines = [line for line in metrics.render().decode().splitlines() if line.startswith("robo_poet_model_version_info")]
    assert lines == ['robo_poet_model_version_info{arm="champion",digest="bbbbbbbbbbbb",version="2"} 1.0']


def test_the_series_of_an_evicted_version_are_removed() -> None:
    metrics = used()
    for version in range(100, 100 + VERSIONS):
        metrics.answered("generate", 200, 0.1, version=version, arm="champion")
    text = metrics.render().decode()
    assert 'version="3"' not in text
    requests = [line for line in text.splitlines() if line.startswith("robo_poet_requests_total{") and 'version="none"' not in line]
    assert len(requests) == VERSIONS


def test_every_code_of_the_gateway_is_known() -> None:
    pattern = re.compile(
        r"""(?:[Rr]efused\(|RefusedField\()(?:\d{3},\s*)?"([a-z0-9_]+)"|code(?:: str)? ?= ?"([a-z0-9_]+)"|\d{3}: \("([a-z_]+)","""
    )
    sources = [path.read_text() for room in ("gateway", "access") for path in (SERVING / room).rglob("*.py")]
    found = {code for source in sources for groups in pattern.findall(source) for code in groups if code}
    found -= {"text", "completion_id", "client_gone"}  # names of fields; counted by robo_poet_clients_gone_total
    assert found <= set(CODES)
    assert not sources or len(found) > 10


HOSTILE = st.text() | st.sampled_from(['"} 1\nevil{x="', "generate", "canary", "../../etc/passwd", "a" * 5000, "\ud800", *CODES])


@given(
    strings=st.lists(HOSTILE, max_size=12),
    versions=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30),
    numbers=st.lists(st.floats(allow_nan=False), min_size=1, max_size=5),
)
def test_hostile_values_do_not_add_series(strings: list[str], versions: list[int], numbers: list[float]) -> None:
    metrics = HOSTILE_METRICS
    for k, string in enumerate([*strings, ""]):
        version, number = versions[k % len(versions)], numbers[k % len(numbers)]
        metrics.answered(string, k * 97, 0.1, version=version, arm=string)
        completed(metrics, version=version, arm=string, user=string, parameters={string: number, "temperature": number})
        metrics.scored(string, version=version, arm=string, nats=number, tokens=3)
        metrics.refused(string)
        metrics.filtered(string, False, string)
        metrics.feedback(version=version, arm=string, rating=3, thumb=string)
        metrics.model_loaded(version, string)
    lines = [line for line in metrics.render().decode().splitlines() if not line.startswith("#")]
    series = [line for line in lines if "_bucket" not in line]
    arms, routes, statuses, some_versions = len(ARMS) + 1, len(ROUTES) + 1, 5, VERSIONS + 1
    requests = sum(line.startswith("robo_poet_requests_total") for line in series)
    assert requests <= routes * statuses * some_versions * arms
    assert len({value for line in series for value in re.findall(r'version="([^"]*)"', line) if "python" not in line}) <= some_versions
    assert sum(line.startswith("robo_poet_refusals_total") for line in series) <= len(CODES) + 1
    assert sum(line.startswith("robo_poet_filter_decisions_total") for line in series) <= 4 * (RULES + 2)
    values = {value for line in series for value in re.findall(r'(?:arm|route|code|side|thumb|text|outcome)="((?:[^"\\]|\\.)*)"', line)}
    assert values <= {*ARMS, *ROUTES, *CODES, "other", "prompt", "completion", "up", "down", "ok", "failed"}
    rules = {value for line in series for value in re.findall(r'rule="((?:[^"\\]|\\.)*)"', line)}
    assert all(re.fullmatch(r"[a-z][a-z0-9_.-]{0,39}", rule) for rule in rules)


HOSTILE_METRICS = Metrics(TelemetrySettings(users=50))  # one for all examples: their strings add up


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_accepts_the_metrics() -> None:
    checked = subprocess.run(["promtool", "check", "metrics"], input=used().render(), capture_output=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_both_arms_and_all_codes_exist_before_the_first_request() -> None:
    metrics = Metrics()
    metrics.serving([(3, "ab" * 32, "champion"), (4, "cd" * 32, "canary"), (2, "ef" * 32, "former")])
    rendered = metrics.render().decode()
    for version, arm in (("3", "champion"), ("4", "canary"), ("none", "champion"), ("none", "canary"), ("none", "none")):
        for status in ("2xx", "4xx", "5xx"):
            assert f'robo_poet_requests_total{{arm="{arm}",route="stream",status="{status}",version="{version}"}} 0.0' in rendered
    assert 'robo_poet_refusals_total{code="invalid_credentials"} 0.0' in rendered
    assert 'robo_poet_time_to_first_token_seconds_count{arm="canary"} 0.0' in rendered
    for version, arm in (("3", "champion"), ("4", "canary"), ("2", "former")):
        assert f'robo_poet_request_duration_normalised_seconds_count{{arm="{arm}"}} 0.0' in rendered
        assert f'robo_poet_feedback_score_count{{arm="{arm}",version="{version}"}} 0.0' in rendered
        assert f'robo_poet_feedback_thumbs_total{{arm="{arm}",thumb="down",version="{version}"}} 0.0' in rendered
        assert f'robo_poet_tokens_total{{arm="{arm}",text="completion",version="{version}"}} 0.0' in rendered
    assert 'robo_poet_filter_decisions_total{decision="refuse",rule="none",side="completion"} 0.0' in rendered
    assert len(rendered) < 150_000


def test_a_canary_has_all_its_series_before_its_first_user() -> None:
    """Its first failure then counts in `rate()`, and no series appears with the first request."""

    def series(metrics: Metrics) -> set[str]:
        lines = metrics.render().decode().splitlines()
        return {line.rpartition(" ")[0] for line in lines if line.startswith("robo_poet_") and 'arm="canary"' in line}

    metrics = Metrics(model="poems")
    metrics.serving([(3, "ab" * 32, "champion"), (4, "cd" * 32, "canary")])
    before = series(metrics)
    for status in (200, 422, 499, 503):
        metrics.answered("stream", status, 0.1, version=4, arm="canary")
    metrics.completed(
        version=4,
        arm="canary",
        user="u",
        seconds=1,
        generation_seconds=1,
        prompt_tokens=3,
        lengths=[9],
        parameters={},
        first_token_seconds=1,
    )
    metrics.scored("completion", version=4, arm="canary", nats=3, tokens=2)
    metrics.feedback(version=4, arm="canary", rating=3, thumb="up")
    assert series(metrics) == before and 'model="poems"' in next(iter(before))
