"""The endpoint `POST /v1/feedback`: a user rates a completion."""

from starlette.requests import Request
from starlette.responses import Response

from robo_poet.settings.serve import ServeSettings
from serving.gateway.backend.arms import CompletionIds
from serving.gateway.backend.versions import ServedVersions
from serving.gateway.http.admission import Admission
from serving.gateway.http.body import read_body
from serving.gateway.http.exchange import exchange_of
from serving.gateway.http.refusals import RefusedField
from serving.gateway.http.responses import json_response
from serving.gateway.schema import FeedbackRequest
from serving.gateway.writing.ledger import Ledger


class FeedbackEndpoint:
    """The feedback endpoint. It accepts completion ids from this gateway and from replicas with the same key."""

    def __init__(self, settings: ServeSettings, admission: Admission, versions: ServedVersions, ids: CompletionIds, ledger: Ledger) -> None:
        self._settings, self._admission, self._versions, self._ids, self._ledger = settings, admission, versions, ids, ledger

    async def answer(self, request: Request) -> Response:
        """Record the feedback of a request and return the response.

        Raises:
            Refused: 404 if the completion id is unknown or too old; also the errors of `Admission.admit` and `read_body`.
        """
        exchange = exchange_of(request.scope)
        _, headers = await self._admission.admit(exchange, request.headers, "feedback")
        feedback = await read_body(request, FeedbackRequest, limit=self._settings.body_bytes, seconds=self._settings.body_seconds)
        issued = self._ids.read(feedback.completion_id)
        if issued is None:
            days = self._settings.feedback_days
            message = f"the id is unknown or older than {days} days; send the `id` of a response unchanged"
            raise RefusedField("completion_id", message, status=404, code="unknown_completion")
        exchange.completion, exchange.version, exchange.arm = feedback.completion_id, issued.version, issued.arm
        self._ledger.rated(exchange, issued, self._versions.rated(exchange.reader, issued), feedback.rating, feedback.thumb)
        return json_response({"status": "success", "request_id": exchange.id}, headers=headers)
