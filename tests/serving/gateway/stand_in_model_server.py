"""A stand-in model server that a test controls: generated text, delay, overload, invalid responses, unloaded versions."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from robo_poet.model.tokenizer import Tokenizer
from tests.serving.gateway.running import listening

Behaviour = Callable[[dict[str, Any]], Response | None]


class StandInModelServer:
    """TensorFlow Serving's REST API for one model.

    Attributes:
        available: loaded versions.
        write: returns the text of a row for its seed; `<END>` follows.
        behave: called before a prediction; a response replaces the prediction.
        seconds: duration of a prediction.
        calls: (version, headers, body) of each prediction.
        disconnected: number of predictions whose client disconnected.
    """

    def __init__(self, words: Tokenizer, model: str = "shakespeare") -> None:
        self.words, self.model = words, model
        self.address = ""
        self.reset()

    def reset(self) -> None:
        self.available = {1}
        self.write: Callable[[int], str] = lambda seed: " my heart burns over a bright cold star"
        self.behave: Behaviour = lambda body: None
        self.seconds = 0.0
        self.calls: list[tuple[int, dict[str, str], dict[str, Any]]] = []
        self.disconnected = 0

    def app(self) -> Starlette:
        return Starlette(routes=[
            Route(f"/v1/models/{self.model}", self._status), Route(f"/v1/models/{self.model}/versions/{{number:int}}:predict", self._predict, methods=["POST"]),
        ])  # fmt: skip

    async def _status(self, request: Request) -> Response:
        return JSONResponse({"model_version_status": [{"version": str(number), "state": "AVAILABLE"} for number in self.available]})

    async def _predict(self, request: Request) -> Response:
        body = json.loads(await request.body())
        number = request.path_params["number"]
        if body["signature_name"] == "score":
            return JSONResponse({"outputs": {"log_prob": [[-2.0] * (len(row) - 1) for row in body["inputs"]["tokens"]], "rank": [[0]]}})
        self.calls.append((number, dict(request.headers), body))
        for _ in range(int(self.seconds * 100)):
            await asyncio.sleep(0.01)
            if await request.is_disconnected():
                self.disconnected += 1
                return Response()
        if number not in self.available:
            return JSONResponse({"error": "Servable not found"}, 404)
        if (response := self.behave(body)) is not None:
            return response
        return JSONResponse({"outputs": self._outputs(body["inputs"])})

    def _outputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        rows = []
        for prompt, length, most, seed in zip(inputs["prompt"], inputs["prompt_length"], inputs["max_new"], inputs["seed"], strict=True):
            script = self.words.encode(self.write(seed))
            read = prompt[:length]
            done = next(n for n in range(len(script), -1, -1) if read[len(read) - n :] == script[:n])
            rows.append((script[done : done + most], 0 if len(script) - done >= most else 1))
        widest = max(1, *(len(ids) for ids, _ in rows))
        return {
            "tokens": [[*ids, *[0] * (widest - len(ids))] for ids, _ in rows],
            "length": [len(ids) for ids, _ in rows],
            "log_prob": [[-0.5] * widest for _ in rows],
            "stop_reason": [reason for _, reason in rows],
        }


@contextmanager
def stand_in(words: Tokenizer, model: str = "shakespeare") -> Iterator[StandInModelServer]:
    server = StandInModelServer(words, model)
    with listening(server.app(), "off") as server.address:
        yield server
