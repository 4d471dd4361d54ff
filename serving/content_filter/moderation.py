"""The adapter to an HTTP moderation service of the Perspective kind: its `comments:analyze` call, off by default.

Perspective itself ends on 31 December 2026; its request and answer are what other services and self-hosted models took over.
Source: the service's discovery document, `commentanalyzer` v1alpha1.
"""

import asyncio
import json
import os
from pathlib import Path

import httpx

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import ModerationSettings
from serving.content_filter.decision import Hit

ANSWER = 65_536  # bytes of an answer that are read


class Moderation:
    """Asks the service about one text at a time.

    Args:
        transport: of httpx, in place of the network's.

    Raises:
        BadInput: there is no key.
    """

    def __init__(self, settings: ModerationSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        # In a header: an address ends up in logs, of proxies too. Redirects are not followed, so the text goes nowhere else.
        # A proxy of the environment would carry to another machine what is meant for this one.
        self._client = httpx.AsyncClient(
            timeout=settings.timeout_seconds,
            transport=transport,
            follow_redirects=False,
            trust_env=not settings.on_loopback,
            headers={"X-Goog-Api-Key": _key(settings)},
        )

    async def find(self, text: str) -> Hit | None:
        """The attribute that is furthest above its bound. Where there is no verdict, `on_failure` decides."""
        try:
            scores = await self._scores(text)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError, KeyError, TypeError, RecursionError):
            return Hit("moderation.failure", "unavailable") if self._settings.on_failure == "refuse" else None
        above = {name: scores[name] - least for name, least in self._settings.attributes.items() if scores[name] >= least}
        if not above:
            return None
        worst = max(above, key=above.__getitem__).lower()
        return Hit(f"moderation.{worst}", worst)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _scores(self, text: str) -> dict[str, float]:
        """Attribute → score in [0, 1].

        Raises:
            httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError: the service gave no verdict.
        """
        async with asyncio.timeout(self._settings.timeout_seconds):
            async with self._client.stream(
                "POST", self._settings.url, content=self._body(text), headers={"Content-Type": "application/json"}
            ) as answer:
                if answer.status_code != 200:
                    raise ValueError(f"status {answer.status_code}")
                data = b""
                async for part in answer.aiter_bytes():
                    data += part
                    if len(data) > ANSWER:
                        raise ValueError("the answer is too long")
        given = json.loads(data)["attributeScores"]
        scores = {name: float(given[name]["summaryScore"]["value"]) for name in self._settings.attributes}
        if not all(0 <= score <= 1 for score in scores.values()):  # NaN is outside too
            raise ValueError("a score is no share")
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
    """The key, of the file or the environment; what is wrong with it is told without telling it."""
    if settings.key_file is not None:
        place, key = settings.key_file, ""
        try:
            key = Path(settings.key_file).read_text("utf-8").strip()
        except (OSError, ValueError):
            raise BadInput("the moderation service's key cannot be read", where=place, remedy="give a file with the key alone") from None
    else:
        place, key = settings.key_environment, os.environ.get(settings.key_environment, "").strip()
    if not key:
        raise BadInput("no key for the moderation service", where=place, remedy="put the key there, or turn moderation off")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise BadInput("the moderation service's key holds what no key holds", where=place, remedy="put the key there, and nothing else")
    return key
