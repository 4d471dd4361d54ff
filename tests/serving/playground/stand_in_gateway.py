"""A gateway that says what a test wants it to; it takes and gives only what the real one's description allows (SERVE-2)."""

import json
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from serving.gateway.schema import ErrorAnswer, FeedbackAnswer, FeedbackRequest, GenerateAnswer, GenerateRequest, Token
from serving.playground.page import routes

KEY = "rp_abcdefghijkmnop2_0123456789-0123456789_0123456789_0123456WXYZ"
POEM = [
    (" a", 0.62), (" summer", 0.11), ("'s", 0.91), (" day", 0.88), ("?\n", 0.71), ("Thou", 0.34), (" art", 0.83), (" more", 0.12), (" lovely", 0.03),
    (" and", 0.66), (" more", 0.41), (" tem", 0.009), ("perate", 0.97), (":\n", 0.52), ("Rough", 0.0004), (" winds", 0.31), (" do", 0.24), (" shake", 0.05),
    (" the", 0.81), (" darling", 0.006), (" buds", 0.47), (" of", 0.93), (" May", 0.38), (",\n", 0.77),
]  # fmt: skip


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None, **more: str) -> JSONResponse:
    body = {"status": "error", "error": {"code": code, "message": message, **more}, "request_id": "r"}
    ErrorAnswer.model_validate(body)
    return JSONResponse(body, status, headers)


class StandInGateway:
    """
    Attributes:
        tokens: of the next completions, with their probabilities.
        refusals: given before anything else, one a request.
        finish: the reason that the answer gives for its end.
        cut: after how many tokens a stream breaks off, without its end.
        go_on: clear it, and a stream waits after its third token.
        asked, opinions: what came and was well formed.
        malformed: what was not.
        left: set when a reader leaves a stream.
    """

    def __init__(self) -> None:
        self.address = ""
        self.go_on, self.left = threading.Event(), threading.Event()
        self.reset()

    def reset(self) -> None:
        self.tokens: list[tuple[str, float]] = list(POEM)
        self.refusals: deque[Response] = deque()
        self.cut: int | None = None
        self.finish = "length"
        self.asked: list[GenerateRequest] = []
        self.opinions: list[FeedbackRequest] = []
        self.malformed: list[str] = []
        self.go_on.set()
        self.left.clear()

    def app(self) -> Starlette:
        return Starlette(routes=[
            *routes(), Route("/v1/generate", self._generate, methods=["POST"]), Route("/v1/feedback", self._feedback, methods=["POST"]),
        ])  # fmt: skip

    async def _take(self, request: Request, kind: type[Any]) -> Any:
        if request.headers.get("x-api-key") != KEY:
            return refusal(401, "unauthorized", "the key is not known")
        if self.refusals:
            return self.refusals.popleft()
        try:
            return kind.model_validate_json(await request.body())
        except ValidationError as error:
            self.malformed.append(str(error))
            return refusal(422, "invalid", "the request is malformed", field=str(error.errors()[0]["loc"][0]))

    async def _generate(self, request: Request) -> Response:
        asked = await self._take(request, GenerateRequest)
        if isinstance(asked, Response):
            return asked
        self.asked.append(asked)
        assert asked.stream and asked.num_samples == 1
        return StreamingResponse(self._events(asked, f"cmpl-{len(self.asked)}"), media_type="text/event-stream")

    async def _events(self, asked: GenerateRequest, completion: str) -> AsyncIterator[str]:
        try:
            for number, (text, probability) in enumerate(self.tokens):
                if number == 3:
                    while not self.go_on.is_set():
                        await anyio.sleep(0.01)
                        yield ": still here\n\n"
                if number == self.cut:
                    return
                event: dict[str, Any] = {"text": text}
                if asked.token_probabilities:
                    event["tokens"] = [Token(text=text, probability=probability).model_dump()]
                yield f"event: text\ndata: {json.dumps(event)}\n\n"
            answer = {
                "id": completion, "generated_text": ["".join(text for text, _ in self.tokens)], "status": "success", "request_id": "r",
                "metadata": {
                    "model_version": "3", "arm": "champion", "generation_time_ms": 41, "tokens_generated": len(self.tokens), "perplexity": 12.34,
                    "prompt_tokens": 7, "seed": asked.seed, "finish_reasons": [self.finish],
                },
            }  # fmt: skip
            GenerateAnswer.model_validate(answer)
            yield f"event: done\ndata: {json.dumps(answer)}\n\n"
        except (anyio.get_cancelled_exc_class(), GeneratorExit):
            self.left.set()
            raise

    async def _feedback(self, request: Request) -> Response:
        opinion = await self._take(request, FeedbackRequest)
        if isinstance(opinion, Response):
            return opinion
        self.opinions.append(opinion)
        return JSONResponse(FeedbackAnswer(status="success", request_id="r").model_dump())


@contextmanager
def served(stand_in: StandInGateway) -> Iterator[StandInGateway]:
    """On a free port of the loopback interface."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(stand_in.app(), log_config=None, access_log=False, ws="none", lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    stand_in.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        yield stand_in
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
