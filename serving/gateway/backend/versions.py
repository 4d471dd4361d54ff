"""The versions that are served: the registry says which, the model server says which are loaded.

A background task keeps this up to date.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.registry.entry import Corrupt
from robo_poet.registry.version import Version
from serving.gateway.backend.arms import Arm, arms, choose
from serving.gateway.backend.model_client import RETRY_SECONDS
from serving.refusal import Refused

_MODEL = "model/manifest.json"
_WORDS = "tokenizer/"


@dataclass(frozen=True)
class Served:
    """A version that can be called. Equal only to itself."""

    number: int
    digest: str
    tokenizer: Tokenizer
    manifest: Mapping[str, Any]


def load_served(version: Version, restricted: Sequence[str] = ()) -> Served:
    """Read what is needed of a version, each file only if it is what was registered (REG-4). Takes some 0.1 s: not on the event loop.

    Args:
        restricted: texts that are never generated; their tokens are found now, so that no request waits for it.

    Raises:
        BadInput: a file is missing, changed, or does not fit the others.
    """
    files = version.manifest().files
    needed = [name for name in files if name == _MODEL or name.startswith(_WORDS)]
    for name in needed:
        path = version.folder / name
        if not path.is_file() or digest_file(path) != files[name]:
            raise Corrupt("it is not what was registered", where=str(path), remedy="restore the version's folder, or register it anew")
    if _MODEL not in needed:
        raise BadInput("the version has no model", where=str(version.folder), remedy="register one that has")
    words = Tokenizer.load(version.folder / _WORDS)
    manifest = json.loads((version.folder / _MODEL).read_text("utf-8"))
    words.check_size(manifest, version.folder / _WORDS)
    words.holding(restricted)
    return Served(version.number, version.digest, words, manifest)


log = logging.getLogger("serving.gateway")


class Source(Protocol):
    """Of the registry: who should serve."""

    def champion(self) -> Version | None: ...
    def canary(self) -> Version | None: ...


class Server(Protocol):
    """Of the model server: who can. Raises Refused if it cannot be asked."""

    async def available(self) -> frozenset[int]: ...


@dataclass(frozen=True)
class Chosen:
    """A version for a request, and the arm that it is."""

    served: Served
    arm: str


@dataclass(frozen=True)
class VersionHealth:
    """What a look showed.

    Attributes:
        champion: version that answers, None if none does.
        canary: the one beside it, also where its share is 0 and it answers nobody.
        share: of the users, whom the canary answers; 0 without one.
        troubles: what is not as it should be though requests may be answered, in words for an operator.
        ready: requests can be answered.
    """

    champion: int | None
    canary: int | None
    troubles: tuple[str, ...]
    ready: bool
    share: float = 0


class Versions:
    """The versions that can be called now.

    What was loaded once goes on serving when the registry cannot be read, or shows no champion: a disk that is not mounted looks like that.

    Args:
        share: of the users, for the canary.
        restricted: texts that are never generated.
        seen: told of what serves after each change, (number, digest, arm), for metrics.
        loaded: told of each version that was loaded or could not be.
    """

    def __init__(
        self,
        registry: Source,
        server: Server,
        *,
        share: float = 0,
        restricted: Sequence[str] = (),
        seen: Callable[[Sequence[tuple[int, str, str]]], None] = lambda _: None,
        loaded: Callable[[int, bool], None] = lambda *_: None,
    ) -> None:
        self._registry, self._server, self._share, self._restricted = registry, server, share, tuple(restricted)
        self._told_seen, self._told_loaded = seen, loaded
        self._served: dict[int, Served] = {}
        self._failed: dict[int, str] = {}
        self._wanted: tuple[Version | None, Version | None] = (None, None)
        self._arms: tuple[Arm, ...] = ()
        self._experiment = ""
        self._beside: int | None = None
        self._looking = asyncio.Lock()
        self._looked = float("-inf")
        self.health = VersionHealth(None, None, ("nothing was looked at yet",), False)

    def choose(self, user: str) -> Chosen:
        """The version that answers `user`.

        Raises:
            Refused: 503, there is none yet.
        """
        if not self._arms:
            retry = {"Retry-After": str(RETRY_SECONDS)}
            raise Refused(503, "no_model", "no version of the model is being served yet; try again soon", retry)
        arm = choose(user, self._arms, self._experiment)
        return Chosen(self._served[arm.version], arm.name)

    def find(self, number: int) -> Served | None:
        """A version that is loaded here."""
        return self._served.get(number)

    async def watch(self, seconds: float) -> None:
        """Look again and again, until cancelled. A look that fails is a line in the log."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.look()
            except Exception:
                log.exception("a look at the versions failed")

    async def look(self) -> None:
        """See who should serve and who can. Calls at the same time share one look."""
        asked = time.monotonic()
        async with self._looking:
            if self._looked > asked:  # another one looked while we waited
                return
            self._looked = time.monotonic()
            troubles: list[str] = []
            await asyncio.to_thread(self._read, troubles)
            try:
                available: frozenset[int] | None = await self._server.available()
            except Refused:
                available = None
                troubles.append("the model server cannot be reached")
            self._settle(available, troubles)

    def _read(self, troubles: list[str]) -> None:
        """In a thread: files."""
        try:
            champion, canary = self._registry.champion(), self._registry.canary()
        except (BadInput, OSError) as error:
            troubles.append("the registry cannot be read; what is loaded goes on serving")
            log.warning("registry: %s", error)
        else:
            if champion is None and self._wanted[0] is not None:
                troubles.append("the registry shows no champion any more; what is loaded goes on serving")
            else:
                self._wanted = champion, canary
        for version in self._wanted:
            known = self._served.get(version.number) if version is not None else None
            if version is not None and (known is None or known.digest != version.digest):  # another registry may have the number, too
                self._load(version, troubles)

    def _load(self, version: Version, troubles: list[str]) -> None:
        try:
            self._served[version.number] = load_served(version, self._restricted)
            self._failed.pop(version.number, None)
            self._told_loaded(version.number, True)
        except (BadInput, OSError, ValueError, KeyError, TypeError) as error:
            troubles.append(f"version {version.number} cannot be read")
            if self._failed.get(version.number) != str(error):  # each look fails anew; one line is enough
                self._failed[version.number] = str(error)
                self._told_loaded(version.number, False)
                log.error("version %d cannot be read: %s", version.number, error)

    def _settle(self, available: frozenset[int] | None, troubles: list[str]) -> None:
        """Take those that should and can; who did serve and still can goes on until another is there."""
        before = self._arms
        champion, canary = (one.number if one else None for one in self._wanted)
        former = next((arm.version for arm in self._arms if arm.name == "champion"), None)
        if available is not None:
            usable = self._served.keys() & available
            serving = next((number for number in (champion, former) if number is not None and number in usable), None)
            if champion is not None and serving != champion:
                troubles.append(f"version {champion} is not loaded by the model server")
            beside = canary if canary in usable else None
            if canary is not None and beside is None:
                troubles.append(f"canary {canary} is not loaded by the model server")
            self._arms = () if serving is None else arms(serving, beside, self._share)
            self._beside = beside if serving is not None else None
            self._experiment = self._served[beside].digest if beside is not None else ""
            kept = {champion, canary, *(arm.version for arm in self._arms)}
            self._served = {number: one for number, one in self._served.items() if number in kept}
        if champion is None:
            troubles.append("the registry has no champion yet")
        serving = next((arm.version for arm in self._arms if arm.name == "champion"), None)
        share = next((arm.weight for arm in self._arms if arm.name == "canary"), 0)
        self.health = VersionHealth(serving, self._beside, tuple(troubles), serving is not None and available is not None, share)
        if self._arms != before:
            self._told_seen([(arm.version, self._served[arm.version].digest, arm.name) for arm in self._arms])
            log.info("serving: %s", ", ".join(f"version {arm.version} as {arm.name} ({arm.weight:.0%})" for arm in self._arms) or "none")
