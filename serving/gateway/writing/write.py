"""Generation of completions, as one response or as a stream. The content filter checks each text before it is sent (SERVE-4)."""

import math
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import structlog

from robo_poet.model.completion import EMPTY, Completion, Sampling, StopReason, append_piece, cut_at_stop, next_piece
from robo_poet.model.inputs import prompt_inputs, sampling_inputs
from serving.content_filter.decision import FilterDecision, Side, filter_event, next_step
from serving.content_filter.filter import ContentFilter
from serving.gateway.backend.model_client import ModelClient
from serving.gateway.http.refusals import RefusedField, model_failed
from serving.gateway.writing.job import GenerationJob
from serving.gateway.writing.samples import Sample, TokenText, count_sendable, refused_sample, sample_of, token_texts
from serving.refusal import Refused
from serving.telemetry.metrics import Metrics

log = structlog.get_logger("serving.gateway")


class Filtering:
    """The content filter with metrics and logging. A moderation service is called after the local judges, if one is configured.

    Args:
        digest: returns the keyed digest of a text for the log.
        attempts: maximum number of completions generated for one sample. If the filter refuses all of them, the sample is refused.
    """

    def __init__(self, content_filter: ContentFilter, metrics: Metrics, digest: Callable[[str], str], attempts: int) -> None:
        self._filter, self._metrics, self._digest, self.attempts = content_filter, metrics, digest, attempts
        self.restricted = content_filter.restricted

    async def decide(self, text: str, side: Side, before: str = "", attempt: int = 1) -> FilterDecision:
        """Return the decision for `text`. For a completion, `before` is its prompt."""
        decision = self._filter.check(text, side, before)
        if decision.allowed:
            moderation_decision = await self._filter.moderate(text, side)
            decision = moderation_decision if moderation_decision.rule or not decision.rule else decision
        self._metrics.filtered(side, decision.allowed, decision.rule)
        if record := filter_event(decision, side, text, self._digest, attempt):
            log.info("content filter", **asdict(record))
        return decision


def prompt_refused(decision: FilterDecision) -> Refused:
    """Return the refusal for a prompt. It does not name the rule, because that would help a client to bypass it."""
    return RefusedField("text", "the content filter refused the text; rephrase it", code="content_refused")


def completion_refused() -> Refused:
    """Return the refusal for a request whose samples were all refused."""
    return Refused(422, "content_refused", "the content filter refused all samples; try another seed or text")


class Piece(NamedTuple):
    """Complete words that are added to a sample. Samples are numbered from 0."""

    sample: int
    tokens: list[TokenText]


@dataclass
class _Row:
    """The state of a sample during streaming.

    Attributes:
        calls: model server calls in the current attempt.
        sent_count: pieces already sent.
        refusals: decisions that refused an attempt.
        result: the finished sample, or None.
    """

    index: int
    written: Completion = EMPTY
    calls: int = 0
    sent_count: int = 0
    refusals: list[FilterDecision] = field(default_factory=list)
    result: Sample | None = None


class CompletionWriter:
    """Generates the samples of a job with the model server and the content filter.

    Args:
        signature: signature of the exported model, `generate_xla` or `generate`.
    """

    def __init__(self, client: ModelClient, filtering: Filtering, signature: str) -> None:
        self._client, self._filtering, self._signature = client, filtering, signature

    async def write(self, job: GenerationJob) -> list[Sample]:
        """Return all samples of a job.

        A sample that the content filter refuses is generated again with another seed. After the last attempt it is refused.

        Raises:
            VersionGone, Refused: see `ModelClient.predict`.
        """
        samples: dict[int, Sample] = {}
        decisions: dict[int, list[FilterDecision]] = {index: [] for index in range(job.samples)}
        for attempt in range(self._filtering.attempts):
            open_indices = [index for index in range(job.samples) if index not in samples]
            if not open_indices:
                break
            seeds = [job.seed_of(index, attempt) for index in open_indices]
            completions = await self._complete(job, [job.prompt] * len(open_indices), [job.sampling] * len(open_indices), seeds)
            for index, completion in zip(open_indices, completions, strict=True):
                sample = sample_of(completion)
                decisions[index].append(await self._filtering.decide(sample.text, "completion", job.text, attempt + 1))
                step = next_step(decisions[index], self._filtering.attempts)
                if step != "resample":
                    samples[index] = sample if step == "accept" else refused_sample(completion, decisions[index][-1].rule)
        return [samples[index] for index in range(job.samples)]

    async def stream(self, job: GenerationJob, results: list[Sample]) -> AsyncGenerator[Piece]:
        """Yield the samples of a job in pieces. The content filter checks the text up to the end of a piece before the piece is sent.

        A sample that is refused before its first piece was sent is generated again. A sample that is refused later ends there.

        Args:
            results: receives all samples at the end.

        Raises:
            VersionGone, Refused: see `ModelClient.predict`.
        """
        rows = [_Row(index) for index in range(job.samples)]
        while open_rows := [row for row in rows if row.result is None]:
            prompts = [[*job.prompt, *row.written.tokens] for row in open_rows]
            samplings = [next_piece(job.sampling, row.calls, len(row.written.tokens)) for row in open_rows]
            seeds = [job.seed_of(row.index, len(row.refusals)) for row in open_rows]
            for row, completion in zip(open_rows, await self._complete(job, prompts, samplings, seeds), strict=True):
                row.written, ended = append_piece(job.chosen.served.tokenizer, len(job.prompt), row.written, completion, job.sampling)
                row.calls += 1
                if piece := await self._filtered_piece(job, row, ended):
                    yield piece
        results[:] = [row.result for row in rows if row.result is not None]

    async def _filtered_piece(self, job: GenerationJob, row: _Row, ended: bool) -> Piece | None:
        """Check a row with the content filter. Return the piece to send now, or None."""
        pieces = token_texts(job.chosen.served.tokenizer, row.written)
        ready_count = len(pieces) if ended else count_sendable(pieces)
        if ready_count <= row.sent_count and not ended:
            return None
        decision = await self._filtering.decide(
            "".join(piece.text for piece in pieces[:ready_count]), "completion", job.text, len(row.refusals) + 1
        )
        if not decision.allowed:
            row.refusals.append(decision)
            if row.sent_count or next_step(row.refusals, self._filtering.attempts) == "refuse":
                row.result = refused_sample(row.written, decision.rule)
            else:
                row.written, row.calls = EMPTY, 0
            return None
        piece = Piece(row.index, pieces[row.sent_count : ready_count])
        row.sent_count = ready_count
        if ended:
            row.result = sample_of(row.written)
        return piece if piece.tokens else None

    async def _complete(
        self, job: GenerationJob, prompts: Sequence[Sequence[int]], samplings: Sequence[Sampling], seeds: Sequence[int]
    ) -> list[Completion]:  # fmt: skip
        """Return one completion for each prompt, from one model server call.

        Raises:
            Refused: 502 for an invalid response; see also `ModelClient.predict`.
        """
        tokenizer = job.chosen.served.tokenizer
        inputs = {**prompt_inputs(tokenizer, prompts, samplings), **sampling_inputs(samplings, seeds)}
        began = time.perf_counter()
        outputs = await self._client.predict(job.chosen.served.number, self._signature, inputs, job.until, job.request_id, job.user)
        job.generation_seconds += time.perf_counter() - began
        try:
            completions = []
            for row, sampling in enumerate(samplings):
                ids = outputs["tokens"][row][: outputs["length"][row]]
                log_probs = [float(log_prob) for log_prob in outputs["log_prob"][row][: len(ids)]]
                if len(log_probs) < len(ids) or not all(map(math.isfinite, log_probs)):
                    raise model_failed()
                completion = Completion(tokenizer.decode(ids), ids, log_probs, StopReason(outputs["stop_reason"][row]))
                completions.append(cut_at_stop(tokenizer, completion, sampling))
        except (KeyError, IndexError, TypeError, ValueError):
            raise model_failed() from None
        return completions
