"""A gateway that says what a test wants it to, and takes only what SERVE-2 allows."""

import json
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal, Self

import anyio
import anyio.to_thread
import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from serving.playground.page import routes

KEY = "rp_abcdefgh.0123456789secretsecretWXYZ"
POEM = [
    (" a", 0.62), (" summer", 0.11), ("'s", 0.91), (" day", 0.88), ("?\n", 0.71), ("Thou", 0.34), (" art", 0.83), (" more", 0.12), (" lovely", 0.03),
    (" and", 0.66), (" more", 0.41), (" tem", 0.009), ("perate", 0.97), (":\n", 0.52), ("Rough", 0.0004), (" winds", 0.31), (" do", 0.24), (" shake", 0.05),
    (" the", 0.81), (" darling", 0.006), (" buds", 0.47), (" of", 0.93), (" May", 0.38), (",\n", 0.77),
]  # fmt: skip


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Generate(Strict):
    """SERVE-2's request, with what the page adds."""

    text: str = Field(min_length=1)
    max_length: int = Field(100, ge=1, le=512)
    temperature: float = Field(0.8, ge=0.1, le=2.0)
    top_p: float = Field(0.9, ge=0.1, le=1.0)
    top_k: int = Field(50, ge=1, le=100)
    num_samples: int = Field(1, ge=1, le=5)
    stop_tokens: list[Annotated[str, Field(min_length=1)]] = []
    seed: int | None = Field(None, ge=0, lt=2**63)
    stream: bool = False
    token_probabilities: bool = False


class Opinion(Strict):
    completion_id: str
    thumb: Literal["up", "down"] | None = None
    rating: int | None = Field(None, ge=1, le=5)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        assert self.thumb or self.rating
        return self


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None, **more: str) -> JSONResponse:
    return JSONResponse({"status": "error", "error": {"code": code, "message": message, **more}}, status, headers)


class StandInGateway:
    """
    Attributes:
        tokens: of the next completions, with their probabilities.
        refusals: given before anything else, one a request.
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
        self.asked: list[Generate] = []
        self.opinions: list[Opinion] = []
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
        asked = await self._take(request, Generate)
        if isinstance(asked, Response):
            return asked
        self.asked.append(asked)
        assert asked.stream and asked.num_samples == 1
        return StreamingResponse(self._events(asked, f"cmpl-{len(self.asked)}"), media_type="text/event-stream")

    async def _events(self, asked: Generate, completion: str) -> AsyncIterator[str]:
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
                    event["tokens"] = [{"text": text, "probability": probability}]
                yield f"event: text\ndata: {json.dumps(event)}\n\n"
            answer = {
                "id": completion, "generated_text": ["".join(text for text, _ in self.tokens)], "status": "success",
                "metadata": {"model_version": "3", "arm": "stable", "generation_time_ms": 41.3, "tokens_generated": len(self.tokens), "perplexity": 12.34},
            }  # fmt: skip
            yield f"event: done\ndata: {json.dumps(answer)}\n\n"
        except (anyio.get_cancelled_exc_class(), GeneratorExit):
            self.left.set()
            raise

    async def _feedback(self, request: Request) -> Response:
        opinion = await self._take(request, Opinion)
        if isinstance(opinion, Response):
            return opinion
        self.opinions.append(opinion)
        return JSONResponse({"status": "success"}, 201)


@contextmanager
def served(stand_in: StandInGateway) -> Iterator[StandInGateway]:
    """On a free port of the loopback interface."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(stand_in.app(), log_level="error", ws="none", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    stand_in.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        yield stand_in
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
