"""The endpoint `POST /v1/generate`: completions in one JSON response, or as server-sent events (SERVE-2)."""

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response

from robo_poet.model.completion import Sampling
from robo_poet.settings.serve import ServeSettings
from serving.access.caller import Caller
from serving.gateway.backend.arms import CompletionIds
from serving.gateway.backend.model_client import VersionGone, unavailable
from serving.gateway.backend.shadow_score import ShadowScores
from serving.gateway.backend.versions import REGISTRY_SECONDS, ServedVersions
from serving.gateway.http.admission import Admission, InFlightLimit
from serving.gateway.http.body import read_body
from serving.gateway.http.exchange import Exchange, exchange_of
from serving.gateway.http.refusals import error_body, internal
from serving.gateway.http.responses import EventStream, event, json_response, unless_disconnected
from serving.gateway.schema import GenerateRequest
from serving.gateway.writing.job import GenerationJob, make_job, sampling_of, sanitised
from serving.gateway.writing.ledger import Ledger
from serving.gateway.writing.samples import REFUSED, Sample, answer_body, probabilities, token_json
from serving.gateway.writing.write import CompletionWriter, Filtering, Piece, completion_refused, prompt_refused
from serving.refusal import Refused

log = structlog.get_logger("serving.gateway")


@dataclass(frozen=True)
class _ParsedRequest:
    """A validated request, before a version is chosen."""

    exchange: Exchange
    caller: Caller
    body: GenerateRequest
    text: str
    sampling: Sampling
    seed: int
    until: float


class GenerationEndpoint:
    """The generation endpoint."""

    def __init__(
        self, settings: ServeSettings, admission: Admission, in_flight: InFlightLimit, versions: ServedVersions, filtering: Filtering,
        writer: CompletionWriter, ids: CompletionIds, ledger: Ledger, shadow: ShadowScores,
    ) -> None:  # fmt: skip
        self._settings, self._admission, self._in_flight, self._versions = settings, admission, in_flight, versions
        self._filtering, self._writer, self._ids, self._ledger, self._shadow = filtering, writer, ids, ledger, shadow

    async def answer(self, request: Request) -> Response:
        """Process a request from admission to response. A disconnect of the client cancels the call of the model server.

        Raises:
            Refused: the request is refused; with an HTTP status and a message for the client.
            ClientDisconnected: the client disconnected.
        """
        exchange, until = exchange_of(request.scope), time.monotonic() + self._settings.deadline_seconds
        caller, headers = await self._admission.admit(exchange, request.headers, "generate")
        generate_request = await read_body(request, GenerateRequest, limit=self._settings.body_bytes, seconds=self._settings.body_seconds)
        exchange.parameters = {
            name: getattr(generate_request, name)
            for name in ("temperature", "top_p", "top_k", "max_length", "num_samples", "repetition_penalty", "stream")
        }
        text, sampling = sanitised(generate_request.text, "text"), sampling_of(generate_request, self._filtering.restricted)
        parsed = _ParsedRequest(
            exchange,
            caller,
            generate_request,
            text,
            sampling,
            secrets.randbelow(2**31) if generate_request.seed is None else generate_request.seed,
            until,
        )
        if not generate_request.stream:
            return json_response(await unless_disconnected(request.receive, self._respond(parsed)), headers=headers)
        exchange.route = "stream"
        events = self._events(parsed)
        return EventStream(await unless_disconnected(request.receive, _first_event(events)), events, headers)

    async def _respond(self, parsed: _ParsedRequest) -> dict[str, object]:
        with self._in_flight.slot(parsed.caller):
            job = await self._checked_job(parsed)
            try:
                samples = await self._writer.write(job)
            except VersionGone:
                job = await self._job_after_unload(parsed, job)
                try:
                    samples = await self._writer.write(job)
                except VersionGone:
                    raise unavailable() from None
            self._record_result(parsed, job, samples)
            body = answer_body(parsed.exchange, job, samples)
            if parsed.body.token_probabilities:
                body["token_probabilities"] = probabilities(job, samples)
            return body

    async def _events(self, parsed: _ParsedRequest) -> AsyncGenerator[bytes]:
        """Yield the events of a stream. An error before the first event is raised; a later error becomes an `error` event."""
        started, exchange = False, parsed.exchange
        try:
            with self._in_flight.slot(parsed.caller):
                async with aclosing(self._generate_events(parsed)) as events:
                    async for data in events:
                        started = True
                        yield data
        except Exception as error:
            if not started:
                raise
            if not isinstance(error, Refused):
                log.exception("stream failed")
            refused = error if isinstance(error, Refused) else internal()
            exchange.status, exchange.code = refused.status, refused.code
            yield event("error", {**error_body(refused, exchange.id), "status_code": refused.status})

    async def _generate_events(self, parsed: _ParsedRequest) -> AsyncGenerator[bytes]:
        job, samples, first_seconds = await self._checked_job(parsed), list[Sample](), None
        try:
            async with aclosing(self._writer.stream(job, samples)) as pieces:
                async for piece in pieces:
                    first_seconds = first_seconds or parsed.exchange.seconds
                    yield _piece_event(piece, parsed.body.token_probabilities)
        except VersionGone:
            if first_seconds is not None:
                raise unavailable() from None
            job = await self._job_after_unload(parsed, job)
            try:
                async with aclosing(self._writer.stream(job, samples)) as pieces:
                    async for piece in pieces:
                        first_seconds = first_seconds or parsed.exchange.seconds
                        yield _piece_event(piece, parsed.body.token_probabilities)
            except VersionGone:
                raise unavailable() from None
        self._record_result(parsed, job, samples, first_seconds)
        yield event("done", answer_body(parsed.exchange, job, samples))

    async def _checked_job(self, parsed: _ParsedRequest) -> GenerationJob:
        """Return the job for a request whose prompt passes the content filter."""
        job = self._make_job(parsed)
        # Check the cleaned and the original text: the filter may look for the characters that were removed.
        for text in dict.fromkeys((parsed.text, parsed.body.text)):
            decision = await self._filtering.decide(text, "prompt")
            if not decision.allowed:
                parsed.exchange.rule = decision.rule
                self._ledger.prompt_refused(parsed.exchange, job)
                raise prompt_refused(decision)
        return job

    def _make_job(self, parsed: _ParsedRequest) -> GenerationJob:
        exchange, chosen = parsed.exchange, self._versions.choose(parsed.exchange.reader)
        exchange.version, exchange.arm, exchange.prompt = chosen.served.number, chosen.arm, parsed.text
        exchange.judged, exchange.asked = chosen.judged, parsed.sampling.max_new * parsed.body.num_samples
        self._ledger.assigned(exchange, chosen.assigned)
        job = make_job(
            chosen, parsed.text, parsed.sampling, parsed.body.num_samples, parsed.seed, until=parsed.until, request_id=exchange.id,
            user=exchange.user,
        )  # fmt: skip
        exchange.prompt_tokens, exchange.completion = job.prompt_tokens, self._ids.issue(chosen.served.number, chosen.arm)
        return job

    async def _job_after_unload(self, parsed: _ParsedRequest, previous: GenerationJob) -> GenerationJob:
        """Return a job for the version that replaced an unloaded one.

        Raises:
            Refused: 503 if the same version is still chosen.
        """
        await self._versions.update(REGISTRY_SECONDS)
        job = self._make_job(parsed)
        if job.chosen.served is previous.chosen.served:
            raise unavailable()
        return job

    def _record_result(self, parsed: _ParsedRequest, job: GenerationJob, samples: list[Sample], first_seconds: float | None = None) -> None:
        """Record the result in the exchange and the ledger.

        Raises:
            Refused: 422 if the content filter refused all samples.
        """
        exchange = parsed.exchange
        exchange.tokens, exchange.completions = sum(len(sample.written.tokens) for sample in samples), [sample.text for sample in samples]
        exchange.rule = next((sample.rule for sample in samples if sample.rule), "")
        if all(sample.finish == REFUSED for sample in samples):
            self._ledger.completions_refused(exchange, job, samples)
            raise completion_refused()
        self._ledger.completed(exchange, job, samples, first_seconds)
        if exchange.assigned is not None:
            self._shadow.offer(exchange.assigned, self._ledger.pseudonym(exchange), job.text, exchange.id)


async def _first_event(events: AsyncGenerator[bytes]) -> bytes:
    return await anext(events)


def _piece_event(piece: Piece, with_tokens: bool) -> bytes:
    fields: dict[str, object] = {"sample": piece.sample, "text": "".join(token_text.text for token_text in piece.tokens)}
    return event("text", {**fields, "tokens": token_json(piece.tokens)} if with_tokens else fields)
