"""Gateway and model server in their images: read-only, as anybody, and a text is written (issue 5)."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.images.build import labels_of
from pipelines.images.programs import SERVING, image
from pipelines.profile.load import load_profile
from pipelines.run.container import engine
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage
from robo_poet.request_log.query import read
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.model_sync.sync import lay_out

pytestmark = pytest.mark.images

TEXT = "my heart burns"


class Containers:
    """Started here, and removed at the end."""

    def __init__(self) -> None:
        try:
            engine.find()
        except BadInput as error:
            pytest.skip(str(error))
        self.ids: list[str] = []
        prefix = load_profile("local").profile.cluster.image_prefix
        self.names = {program: image(program, prefix) for program in SERVING}
        found = engine.images(list(self.names.values()))
        for program, name in self.names.items():
            if name not in found or not labels_of(program, SERVING[program].group).items() <= engine.labels(found[name]).items():
                pytest.skip(f"{name} is not built; run make images")

    def start(self, program: str, mounts: list[str], *arguments: str) -> tuple[str, str]:
        """Its id, and the last word of its ready line."""
        confined = (
            "--read-only",
            "--tmpfs=/tmp",
            "--cap-drop=ALL",
            f"--user={os.getuid()}:{os.getgid()}",
            "--memory=2g",
            "--pids-limit=200",
        )
        # The host's network, of which only its loopback is used: an engine may have no bridge.
        answer = engine.call(
            "run", "--detach", "--pull=never", "--network=host", *confined, *(f"--volume={mount}" for mount in mounts), self.names[program],
            "python", "-m", f"serving.{program}", *arguments,
        )  # fmt: skip
        assert answer.status == 0, answer.err
        self.ids.append(answer.out.strip())
        end = time.monotonic() + 90
        while not (ready := re.search(rf"^{program}: ready.*$", said := self.said(self.ids[-1]), re.MULTILINE)):
            assert time.monotonic() < end and self.state(self.ids[-1])["Running"], said
            time.sleep(0.2)
        return self.ids[-1], ready[0]

    def said(self, container: str) -> str:
        answer = engine.call("logs", container)
        return answer.out + answer.err

    def state(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(engine.call("inspect", "--format={{json .State}}", container).out)
        return found


@pytest.fixture
def containers() -> Iterator[Containers]:
    made = Containers()
    yield made
    for container in made.ids:
        engine.call("rm", "--force", container)


@pytest.mark.timeout(300)
def test_a_text_is_written_in_containers(containers: Containers, toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry", "shakespeare")
    registry.register(
        {"model": toy_training / "model", "tokenizer": toy_tokenizer}, metrics={"perplexity": 41.0}, lineage={}, decision={},
        stage=Stage.CANDIDATE, who="test", why="a toy",
    )  # fmt: skip
    registry.promote(1, who="test", why="the first")
    models, serve = tmp_path / "models", tmp_path / "serve"
    config = lay_out(registry, models, xla=False)
    _, ready = containers.start(
        "model_server", [f"{models}:{models}:ro", f"{registry.root}:{registry.root}:ro"], "--port=0", "--rest_api_port=0",
        f"--model_config_file={config}",
    )  # fmt: skip
    words = ready.split()
    given = ServeSettings(
        port=0, model_server=f"http://{words[words.index('http') + 1]}", registry=str(registry.root), folder=str(serve), signature="generate",
        trusted_keys=tuple(key.text for key in registry.trust.keys().values()),  # the container does not have the keys of this user
    )  # fmt: skip
    key = KeyStore(serve / "keys").create(user="you", scopes=("generate",), days=1).text
    (serve / "gateway.json").write_text(json.dumps(given.model_dump(mode="json")))
    gateway, ready = containers.start(
        "gateway", [f"{serve}:{serve}", f"{registry.root}:{registry.root}:ro"], f"--settings={serve / 'gateway.json'}"
    )  # fmt: skip
    address = ready.split()[-1]
    assert httpx.post(f"{address}/v1/generate", json={"text": TEXT}).status_code == 401
    answer = httpx.post(f"{address}/v1/generate", json={"text": TEXT, "max_length": 20}, headers={"X-API-Key": key}, timeout=30)
    assert answer.status_code == 200 and answer.json()["metadata"]["model_version"] == "1", answer.text
    page = httpx.get(address)
    script = re.findall(r'src="([^"]+)"', page.text)[0]
    assert page.status_code == 200 and httpx.get(f"{address}/{script.lstrip('/')}").status_code == 200

    for container in reversed(containers.ids):
        assert engine.call("stop", "--time=60", container).status == 0
        assert containers.state(container)["ExitCode"] == 0, containers.said(container)
    assert [row["prompt"] for row in read(serve / "requests").to_pylist()] == [TEXT]  # names were looked for: its model is in the image
    assert key.split("_", 2)[2] not in containers.said(gateway)
    assert {path.lstat().st_uid for path in serve.rglob("*")} == {os.getuid()}
