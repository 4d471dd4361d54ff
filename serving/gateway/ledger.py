"""What metrics, audit log and request log are told of a request, each what it is for."""

import math
import time
from collections.abc import Mapping, Sequence

from robo_poet.request_log.log import RequestLog
from robo_poet.request_log.record import Feedback, Request
from serving.gateway.exchange import Exchange
from serving.gateway.job import Job
from serving.gateway.sample import REFUSED, Sample, perplexity
from serving.telemetry.audit import AuditLog
from serving.telemetry.interaction import Interaction
from serving.telemetry.metrics import Metrics
from serving.telemetry.pseudonym import Pseudonyms

_AUDITED = ("generate", "stream", "feedback")


class Ledger:
    """Takes notes; nothing here blocks."""

    def __init__(self, metrics: Metrics, audit: AuditLog | None, request_log: RequestLog, pseudonyms: Pseudonyms) -> None:
        self._metrics, self._audit, self._log, self._pseudonyms = metrics, audit, request_log, pseudonyms

    def ended(self, exchange: Exchange) -> None:
        """A request is over, however it went."""
        self._metrics.answered(exchange.route, exchange.status, exchange.seconds, version=exchange.version, arm=exchange.arm)
        if exchange.code == "client_gone":
            self._metrics.client_gone()
        elif exchange.code:
            self._metrics.refused(exchange.code)
        if self._audit is not None and exchange.route in _AUDITED:
            self._audit.write(Interaction(
                exchange.id, exchange.route, exchange.status, exchange.seconds * 1000, exchange.user, exchange.credential, exchange.code,
                exchange.completion, exchange.version, exchange.arm, exchange.rule, exchange.parameters, exchange.prompt_tokens,
                exchange.tokens, exchange.prompt, exchange.completions,
            ))  # fmt: skip

    def completed(self, exchange: Exchange, job: Job, samples: Sequence[Sample], first_seconds: float | None = None) -> None:
        """Texts were written and may be shown, some of them at least.

        Args:
            first_seconds: of a stream, until its first piece was ready.
        """
        version, arm = job.chosen.served.number, job.chosen.arm
        lengths = [len(sample.written.tokens) for sample in samples]
        self._metrics.completed(
            version=version, arm=arm, user=self._pseudonyms.user(exchange.user), seconds=exchange.seconds,
            generation_seconds=job.generation_seconds, prompt_tokens=len(job.prompt) - 1, lengths=lengths,
            parameters=numbers(exchange.parameters), first_token_seconds=first_seconds,
        )  # fmt: skip
        nats = -math.fsum(chance for sample in samples for chance in sample.written.log_probs)
        self._metrics.scored("completion", version=version, arm=arm, nats=nats, tokens=sum(lengths))
        self._keep(exchange, job, samples, 200, "")

    def withheld(self, exchange: Exchange, job: Job, samples: Sequence[Sample]) -> None:
        """Texts were written, and none may be shown."""
        self._keep(exchange, job, samples, 422, "content_refused")

    def rated(self, completion: str, user: str, version: int, arm: str, rating: int | None, thumb: str | None) -> None:
        """A reader said what they think."""
        self._metrics.feedback(version=version, arm=arm, rating=rating, thumb=thumb)
        self._log.feedback(Feedback(completion, time.time(), self._pseudonyms.user(user), rating, thumb))

    def _keep(self, exchange: Exchange, job: Job, samples: Sequence[Sample], status: int, code: str) -> None:
        served = job.chosen.served
        rules = [sample.rule for sample in samples if sample.finish == REFUSED]
        self._log.put(Request(
            completion_id=exchange.completion, request_id=exchange.id, time=time.time() - exchange.seconds,
            user=self._pseudonyms.user(exchange.user), version=served.number, digest=served.digest, arm=job.chosen.arm, prompt=job.text,
            completions=[sample.text for sample in samples], parameters=numbers(exchange.parameters), seconds=exchange.seconds,
            generation_seconds=job.generation_seconds, prompt_tokens=len(job.prompt) - 1,
            tokens=[len(sample.written.tokens) for sample in samples],
            completion_perplexities=[perplexity(sample.written.log_probs) for sample in samples],
            finish_reasons=[sample.finish for sample in samples], status=status, code=code,
            filter_rule=rules[0] if rules else "", filter_side="completion" if rules else "",
        ))  # fmt: skip


def numbers(parameters: Mapping[str, float | bool]) -> dict[str, float]:
    """The parameters that are amounts."""
    return {name: float(value) for name, value in parameters.items() if not isinstance(value, bool)}
