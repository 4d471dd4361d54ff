"""The record of each request in metrics, audit log, request log and outcomes."""

import math
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from robo_poet.evaluation import degeneration
from robo_poet.outcomes.log import OutcomeLog
from robo_poet.outcomes.record import Aborted, AssignedArm, Outcome, Rating
from robo_poet.request_log.log import RequestLog
from robo_poet.request_log.record import BY_TOKEN, Feedback, Request
from robo_poet.settings.evaluation import MeasureTextSettings
from serving.access.caller import TOKEN_CREDENTIAL
from serving.access.rate_limiter import network
from serving.content_filter.rules import VALUE_RULES, has_private_value
from serving.gateway.backend.arms import Issued
from serving.gateway.http.exchange import Exchange
from serving.gateway.writing.job import GenerationJob
from serving.gateway.writing.samples import REFUSED, Sample, perplexity
from serving.telemetry.audit_log import AuditLog, Entry, Interaction, rounded
from serving.telemetry.metrics import Metrics, normalised_seconds
from serving.telemetry.pseudonym import Pseudonyms
from serving.telemetry.refusals import RefusalKey

RATED = 10_000  # number of ratings that are remembered, so that none is counted twice
_AUDITED = ("generate", "stream", "feedback")
_REFUSALS = (401, 403, 429)  # a client can cause these without a limit
_LIMITS = MeasureTextSettings().model_dump(include={"loop_repeats", "loop_tokens", "repetition_limit"})  # of degenerate texts


class Ledger:
    """Writes the results of requests to metrics, audit log, request log and outcomes.

    No method waits for another process. A line of the audit log is one write to the page cache, about 40 µs in all.

    Args:
        values_may_pass: the content filter may allow texts with a card number, an account number or a secret. Each text is then checked
            before it goes to the request log. Otherwise only the texts of refused requests are checked.
    """

    def __init__(
        self, metrics: Metrics, audit: AuditLog | None, request_log: RequestLog, outcomes: OutcomeLog, pseudonyms: Pseudonyms, *,
        values_may_pass: bool,
    ) -> None:  # fmt: skip
        self._metrics, self._audit, self._log, self._outcomes, self._pseudonyms = metrics, audit, request_log, outcomes, pseudonyms
        self._values_may_pass = values_may_pass
        self._rated: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def ended(self, exchange: Exchange) -> None:
        """Record the end of a request, successful or not."""
        self._metrics.answered(exchange.route, exchange.status, exchange.seconds, version=exchange.version, arm=exchange.arm)
        if exchange.code == "client_gone":
            self._metrics.client_gone()
        elif exchange.code:
            self._metrics.refused(exchange.code)
        is_stream = exchange.route == "stream" and exchange.audited == HTTPStatus.OK
        self._write_outcome(exchange, is_stream)
        if not exchange.audited:  # the client disconnected before the answer
            self._write_audit(exchange, "answer")
        elif is_stream or exchange.audited != exchange.status:  # or the answer broke off
            self._write_audit(exchange, "end")

    def assigned(self, exchange: Exchange, assigned: AssignedArm) -> None:
        """Record that an arm was assigned to the user. `ended` then writes the outcome. The first arm counts."""
        if exchange.assigned is None:
            exchange.assigned = assigned
            self._outcomes.begin(assigned)

    def pseudonym(self, exchange: Exchange) -> str:
        """Return the pseudonym of the user who decides the arm."""
        return self._pseudonyms.user(exchange.reader)

    def _write_outcome(self, exchange: Exchange, is_stream: bool) -> None:
        if exchange.assigned is None:
            return
        aborted: Aborted = ""
        if exchange.code == "client_gone":
            aborted = "client"
        elif is_stream and exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            aborted = "server"
        self._outcomes.end(exchange.assigned, Outcome(
            time=time.time(), user=self.pseudonym(exchange), version=exchange.version or 0, served=exchange.judged,
            status=exchange.status, seconds=exchange.seconds, normalised=exchange.normalised, tokens=exchange.tokens,
            asked=exchange.asked, completed=exchange.completed, refused=exchange.withheld, degenerate=exchange.degenerate, aborted=aborted,
            identified=exchange.identified,
        ))  # fmt: skip

    def answering(self, exchange: Exchange) -> None:
        """Write the audit line of a request before the first byte of its answer."""
        self._write_audit(exchange, "start" if exchange.route == "stream" and exchange.status == HTTPStatus.OK else "answer")

    def _write_audit(self, exchange: Exchange, entry: Entry) -> None:
        exchange.audited = exchange.status
        if self._audit is None or (exchange.route not in _AUDITED and exchange.status not in _REFUSALS):
            return
        if exchange.code and (not exchange.user or exchange.status in _REFUSALS):
            key = RefusalKey(network(exchange.ip), exchange.user, exchange.credential, exchange.route, int(exchange.status), exchange.code)
            self._audit.refuse(key, exchange.id)
            return
        self._audit.write(Interaction(
            exchange.id, exchange.route, exchange.status, exchange.seconds * 1000, exchange.user, exchange.credential, exchange.code,
            exchange.completion, exchange.version, exchange.arm, exchange.rule, exchange.parameters, exchange.prompt_tokens,
            exchange.tokens, exchange.prompt, exchange.completions, entry,
        ))  # fmt: skip

    def completed(self, exchange: Exchange, job: GenerationJob, samples: Sequence[Sample], first_seconds: float | None = None) -> None:
        """Record a request with at least one sample that the content filter allowed.

        Args:
            first_seconds: time to the first piece of a stream, in seconds; None if there is no stream.
        """
        version, arm = job.chosen.served.number, job.chosen.arm
        lengths = [len(sample.written.tokens) for sample in samples]
        exchange.withheld = any(sample.finish == REFUSED for sample in samples)
        exchange.completed, exchange.normalised = True, normalised_seconds(exchange.seconds, lengths)
        exchange.degenerate = any(is_degenerate(job, sample) for sample in samples)
        self._metrics.completed(
            version=version, arm=arm, user=self.pseudonym(exchange), seconds=exchange.seconds,
            generation_seconds=job.generation_seconds, prompt_tokens=job.prompt_tokens, lengths=lengths,
            parameters=numbers(exchange.parameters), first_token_seconds=first_seconds,
        )  # fmt: skip
        nats = -math.fsum(log_prob for sample in samples for log_prob in sample.written.log_probs)
        self._metrics.scored("completion", version=version, arm=arm, nats=nats, tokens=sum(lengths))
        self._log_request(exchange, job, samples, 200, "")

    def completions_refused(self, exchange: Exchange, job: GenerationJob, samples: Sequence[Sample]) -> None:
        """Record a request whose samples were all refused by the content filter."""
        exchange.withheld = True
        self._log_request(exchange, job, samples, 422, "content_refused")

    def prompt_refused(self, exchange: Exchange, job: GenerationJob) -> None:
        """Record a request whose prompt was refused by the content filter."""
        self._log_request(exchange, job, (), 422, "content_refused", exchange.rule)

    def rated(self, exchange: Exchange, issued: Issued, assigned: AssignedArm | None, rating: int | None, thumb: str | None) -> None:
        """Record a user's feedback on a completion.

        Metrics count only the first rating and the first thumb of a user, because a counter cannot be decreased. The request log and the
        outcomes keep all; their readers use the last.

        Args:
            assigned: the arm of the user, if the completion is of its version; otherwise None, and no outcome is written.
        """
        completion, user, version, arm = exchange.completion, exchange.reader, issued.version, issued.arm
        counted_rating = rating if rating is not None and self._is_first("rating", completion, user) else None
        counted_thumb = thumb if thumb is not None and self._is_first("thumb", completion, user) else None
        if counted_rating is not None or counted_thumb is not None:
            self._metrics.feedback(version=version, arm=arm, rating=counted_rating, thumb=counted_thumb)
        pseudonym, now = self._pseudonyms.user(user), time.time()
        self._log.feedback(Feedback(completion, now, pseudonym, rating, thumb))
        if assigned is not None:
            self._outcomes.note(assigned, Rating(now, pseudonym, self._pseudonyms.text(completion)[:16], rating_value(rating, thumb)))

    def _is_first(self, *rating_key: str) -> bool:
        if rating_key in self._rated:
            return False
        self._rated[rating_key] = None
        if len(self._rated) > RATED:
            self._rated.popitem(last=False)
        return True

    def _log_request(
        self, exchange: Exchange, job: GenerationJob, samples: Sequence[Sample], status: int, code: str, prompt_rule: str = ""
    ) -> None:
        served, completions = job.chosen.served, [sample.text for sample in samples]
        is_unchecked = self._values_may_pass or status != HTTPStatus.OK
        has_value = prompt_rule in VALUE_RULES or (is_unchecked and any(map(has_private_value, (job.text, *completions))))
        rules = [sample.rule for sample in samples if sample.finish == REFUSED]
        self._log.put(Request(
            completion_id=exchange.completion, request_id=exchange.id, time=time.time() - exchange.seconds,
            user=self.pseudonym(exchange), model=served.model, version=served.number, digest=served.digest,
            arm=job.chosen.arm,
            prompt=None if has_value else job.text, completions=[] if has_value else completions,
            parameters=numbers(exchange.parameters), seconds=exchange.seconds,
            generation_seconds=job.generation_seconds, prompt_tokens=job.prompt_tokens,
            tokens=[len(sample.written.tokens) for sample in samples],
            completion_perplexities=[perplexity(sample.written.log_probs) for sample in samples],
            finish_reasons=[sample.finish for sample in samples], status=status, code=code,
            filter_rule=rules[0] if rules else prompt_rule, filter_side="completion" if rules else "prompt" if prompt_rule else "",
            client=client_kind(exchange), consent=self._consent(exchange),
        ))  # fmt: skip

    def _consent(self, exchange: Exchange) -> str:
        """Return what gives the consent to train on the prompt, for the request log; empty without a consent."""
        if not exchange.may_train:
            return ""
        is_token = exchange.credential.startswith(TOKEN_CREDENTIAL)
        return BY_TOKEN if is_token else self._pseudonyms.api_key(exchange.credential)


def client_kind(exchange: Exchange) -> str:
    """Return `application` if the credential may name end users, else `token` or `key`."""
    if exchange.end_user or not exchange.identified:
        return "application"
    return "token" if exchange.credential.startswith(TOKEN_CREDENTIAL) else "key"


def rating_value(rating: int | None, thumb: str | None) -> float:
    """Return feedback as a number from -1 (bad) to 1 (good): the mean of the points and the thumb that were given."""
    values = ([] if rating is None else [(rating - 3) / 2]) + ([] if thumb is None else [1.0 if thumb == "up" else -1.0])
    return math.fsum(values) / len(values)


def is_degenerate(job: GenerationJob, sample: Sample) -> bool:
    """Return True if a sample is degenerate by the definition and the limits of the step measure_text. A refused sample is not."""
    tokens = job.chosen.served.tokenizer.encode(sample.text)
    return sample.finish != REFUSED and degeneration.is_degenerate(tokens, degeneration.words(sample.text), **_LIMITS)


def numbers(parameters: Mapping[str, float | bool]) -> dict[str, float]:
    """Return the numeric parameters as rounded floats, without booleans."""
    return {name: float(value) for name, value in rounded(parameters).items() if not isinstance(value, bool)}
