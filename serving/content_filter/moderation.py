"""Client for an HTTP moderation service with the Perspective API (`comments:analyze`). It is off by default.

Perspective ends on 31 December 2026, but other services and self-hosted models use the same request and answer.
Source: the discovery document of the service, `commentanalyzer` v1alpha1.
"""

import asyncio
import json
import os
from pathlib import Path

import httpx

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import ModerationSettings
from serving.content_filter.decision import Hit

MAX_RESPONSE_BYTES = 65_536  # limit of an answer, in bytes


class ModerationClient:
    """A client that sends one text per call to the moderation service.

    Args:
        transport: an httpx transport that replaces the network, for tests.

    Raises:
        BadInput: the API key is missing or invalid.
    """

    def __init__(self, settings: ModerationSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        # The key is in a header, because URLs appear in logs, also in those of proxies. Redirects are off, so the text goes to no other
        # host. For a service on loopback, proxies from the environment are ignored: they would send the text to another machine.
        self._client = httpx.AsyncClient(
            timeout=settings.timeout_seconds,
            transport=transport,
            follow_redirects=False,
            trust_env=not settings.on_loopback,
            headers={"X-Goog-Api-Key": _key(settings)},
        )

    async def find(self, text: str) -> Hit | None:
        """Return a hit for the attribute that is furthest above its threshold, or None. If the call fails, `on_failure` decides."""
        try:
            scores = await self._scores(text)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError, KeyError, TypeError, RecursionError):
            return Hit("moderation.failure", "unavailable") if self._settings.on_failure == "refuse" else None
        excess = {name: scores[name] - threshold for name, threshold in self._settings.attributes.items() if scores[name] >= threshold}
        if not excess:
            return None
        worst = max(excess, key=excess.__getitem__).lower()
        return Hit(f"moderation.{worst}", worst)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _scores(self, text: str) -> dict[str, float]:
        """Return the score in [0, 1] of each attribute.

        Raises:
            httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError: the service returned no valid scores.
        """
        async with asyncio.timeout(self._settings.timeout_seconds):
            async with self._client.stream(
                "POST", self._settings.url, content=self._body(text), headers={"Content-Type": "application/json"}
            ) as response:
                if response.status_code != 200:
                    raise ValueError(f"status {response.status_code}")
                data = b""
                async for chunk in response.aiter_bytes():
                    data += chunk
                    if len(data) > MAX_RESPONSE_BYTES:
                        raise ValueError(f"the response is larger than {MAX_RESPONSE_BYTES} bytes")
        attributes = json.loads(data)["attributeScores"]
        scores = {name: float(attributes[name]["summaryScore"]["value"]) for name in self._settings.attributes}
        if not all(0 <= score <= 1 for score in scores.values()):  # this also refuses NaN
            raise ValueError("a score is not between 0 and 1")
        return scores

    def _body(self, text: str) -> bytes:
        request: dict[str, object] = {
            "comment": {"text": text.encode("utf-8", "replace").decode("utf-8"), "type": "PLAIN_TEXT"},
            "requestedAttributes": {name: {} for name in self._settings.attributes},
            "doNotStore": True,
        }
        if self._settings.languages:
            request["languages"] = list(self._settings.languages)
        return json.dumps(request, ensure_ascii=False).encode()


def _key(settings: ModerationSettings) -> str:
    """Read the API key from the file or the environment. Error messages do not contain the key."""
    if settings.key_file is not None:
        source, key = settings.key_file, ""
        try:
            key = Path(settings.key_file).read_text("utf-8").strip()
        except (OSError, ValueError):
            problem, remedy = "the API key of the moderation service cannot be read", "give a text file that contains only the key"
            raise BadInput(problem, where=source, remedy=remedy) from None
    else:
        source, key = settings.key_environment, os.environ.get(settings.key_environment, "").strip()
    if not key:
        raise BadInput("no API key for the moderation service", where=source, remedy="store the key there, or turn moderation off")
    if not (key.isascii() and key.isprintable() and " " not in key):
        problem = "the API key of the moderation service contains spaces or characters other than printable ASCII"
        raise BadInput(problem, where=source, remedy="store only the key there")
    return key
