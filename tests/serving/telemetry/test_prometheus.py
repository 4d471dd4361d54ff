"""A real Prometheus reads what a real server says."""

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.telemetry.metrics import Metrics

FILES = Path(__file__).parents[3] / "infra" / "prometheus"
needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")


@pytest.fixture
def endpoint() -> Iterator[tuple[Metrics, int]]:
    """Metrics that grow at each reading, and the port at which they are read."""
    metrics = Metrics()
    metrics.serving([(3, "ab" * 32, "champion")])

    async def read(_: Request) -> Response:
        for _ in range(10):
            metrics.answered("generate", 200, 0.045, version=3, arm="champion")
            metrics.completed(
                version=3, arm="champion", user="u", seconds=0.045, generation_seconds=0.04, prompt_tokens=5, lengths=[100], parameters={}
            )
            metrics.scored("prompt", version=3, arm="champion", nats=15.0, tokens=5)
        metrics.answered("generate", 503, 0.001)
        return Response(metrics.render(), media_type=metrics.content_type)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Route("/metrics", read)]), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield metrics, listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def ask(port: int, query: str) -> list[Any]:
    address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return list(json.load(answer)["data"]["result"])
    except OSError:  # not yet there
        return []


@needs_prometheus
def test_prometheus_scrapes_and_records(endpoint: tuple[Metrics, int], tmp_path: Path) -> None:
    _, port = endpoint
    config = yaml.safe_load((FILES / "prometheus.yml").read_text())
    rules = yaml.safe_load((FILES / "recording.yml").read_text())
    config["global"] |= {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
    config["rule_files"] = ["recording.yml"]
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == "robo-poet-gateway"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    config["scrape_configs"] = [job]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    (tmp_path / "recording.yml").write_text(yaml.safe_dump(rules))
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    command += [f"--web.listen-address=127.0.0.1:{own}", "--log.level=error"]
    prometheus = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asked = {
            "up": 'up{job="robo-poet-gateway"} == 1',
            "version": "robo_poet_model_version_info",
            "p95": "robo_poet:request_duration_normalised_seconds:p95_5m",
            "errors": "robo_poet:request_errors:ratio_5m",
            "perplexity": 'robo_poet:perplexity:1h{text="prompt"}',
            "cost": "robo_poet:generation_cost:mean_5m",
        }
        end, found = time.monotonic() + 30, dict[str, list[Any]]()
        while time.monotonic() < end and not (len(found) == len(asked) and all(found.values())):
            time.sleep(0.2)
            found = {name: ask(own, query) for name, query in asked.items()}
    finally:
        prometheus.terminate()
        prometheus.wait()
    assert all(found.values()), found
    value = {name: float(rows[0]["value"][1]) for name, rows in found.items()}
    assert found["version"][0]["metric"]["version"] == "3"
    assert 0.04 <= value["p95"] <= 0.05
    assert value["errors"] == pytest.approx(1 / 11)
    assert value["perplexity"] == pytest.approx(20.0855, abs=1e-3)
    assert value["cost"] == pytest.approx(0.04 * 0.0001)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
@pytest.mark.parametrize("check", [["config", "prometheus.yml"], ["rules", "recording.yml"]])
def test_promtool_accepts_the_configuration(check: list[str]) -> None:
    kind, name = check
    checked = subprocess.run(["promtool", "check", kind, str(FILES / name)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_the_rules_have_no_value_without_traffic(tmp_path: Path) -> None:
    """0/0 is NaN, which alerts and dashboards show as a value."""
    metrics = Metrics()
    metrics.serving([(3, "ab" * 32, "champion"), (4, "cd" * 32, "canary"), (2, "ef" * 32, "former")])
    lines = [line.rpartition(" ") for line in metrics.render().decode().splitlines() if line.startswith("robo_poet_")]
    rules = [rule["record"] for group in yaml.safe_load((FILES / "recording.yml").read_text())["groups"] for rule in group["rules"]]
    queries = [{"expr": rule, "eval_time": "2h", "exp_samples": []} for rule in rules]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{value}+0x130"} for name, _, value in lines],
        "promql_expr_test": queries,
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": [str(FILES / "recording.yml")], "tests": [test]}))
    checked = subprocess.run(["promtool", "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_the_first_error_of_a_canary_is_seen_by_arm(tmp_path: Path) -> None:
    """Its series exist with 0 before, so `rate()` counts the first request; the champion without traffic has no value."""
    labels = 'route="generate",version="4",arm="canary"'
    series = [
        {"series": f'robo_poet_requests_total{{status="5xx",{labels}}}', "values": "0x5 1x10"},
        {"series": f'robo_poet_requests_total{{status="2xx",{labels}}}', "values": "0x5 3x10"},
        {"series": 'robo_poet_requests_total{status="2xx",route="generate",version="3",arm="champion"}', "values": "0x20"},
    ]
    rule = "robo_poet:request_errors:ratio_by_arm_5m"
    expected = [{"labels": f'{rule}{{arm="canary"}}', "value": 0.25}]
    test = {
        "interval": "1m", "input_series": series, "promql_expr_test": [{"expr": rule, "eval_time": "8m", "exp_samples": expected}],
    }  # fmt: skip
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": [str(FILES / "recording.yml")], "tests": [test]}))
    checked = subprocess.run(["promtool", "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
