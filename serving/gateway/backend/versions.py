"""The versions that are served: those that the registry selects and the model server has loaded.

A background task keeps them up to date.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.outcomes.record import NO_STEP, AssignedArm
from robo_poet.registry.entry import Corrupt
from robo_poet.registry.version import Version
from serving.gateway.backend.arms import Arm, arms, choose
from serving.gateway.backend.model_client import RETRY_SECONDS
from serving.gateway.backend.tls import ConnectionTrouble
from serving.refusal import Refused

UNREADY_SECONDS = 0.25  # interval between updates while the model server cannot be reached, so that its return is soon seen
UNREACHABLE = "the model server cannot be reached"

_MODEL = "model/manifest.json"
_TOKENIZER = "tokenizer/"


@dataclass(frozen=True)
class Served:
    """A version whose tokenizer and manifest are loaded."""

    model: str
    number: int
    digest: str
    tokenizer: Tokenizer
    manifest: Mapping[str, Any]


def load_served(version: Version, restricted: Sequence[str] = ()) -> Served:
    """Load the tokenizer and the manifest of a version, and verify the digests of their files (REG-4).

    This takes about 0.1 s, so do not call it in the event loop.

    Args:
        restricted: texts that are never generated. Their tokens are looked up now, so that no request waits for it.

    Raises:
        BadInput: a file is missing, was changed, or does not match the others.
    """
    files = version.manifest().files
    required = [name for name in files if name == _MODEL or name.startswith(_TOKENIZER)]
    for name in required:
        path = version.folder / name
        if not path.is_file() or digest_file(path) != files[name]:
            raise Corrupt(
                "the file is missing or was changed after registration",
                where=str(path),
                remedy="restore the version's folder, or register the version again",
            )
    if _MODEL not in required:
        raise BadInput("the version has no model", where=str(version.folder), remedy="register a version that has one")
    tokenizer = Tokenizer.load(version.folder / _TOKENIZER)
    manifest = json.loads((version.folder / _MODEL).read_text("utf-8"))
    tokenizer.check_size(manifest, version.folder / _TOKENIZER)
    tokenizer.tokens_containing(restricted)
    return Served(version.model, version.number, version.digest, tokenizer, manifest)


log = logging.getLogger("serving.gateway")


class VersionSource(Protocol):
    """The part of the registry that selects the versions to serve."""

    def champion(self) -> Version | None: ...
    def canary(self) -> Version | None: ...


class VersionServer(Protocol):
    """The part of the model client that lists loaded versions. It raises Refused if the model server cannot be reached."""

    async def available(self) -> frozenset[int]: ...


@dataclass(frozen=True)
class AssignedVersion:
    """The version and the arm chosen for a request.

    Attributes:
        arm: the arm that serves the request.
        assigned: the arm that the registry assigns to the user. It differs from `arm` while that version is not loaded.
    """

    served: Served
    arm: str
    assigned: AssignedArm


@dataclass(frozen=True)
class VersionHealth:
    """The result of an update of the versions.

    Attributes:
        champion: version that serves as champion, or None.
        canary: version of the canary, or None; also set if its share is 0.
        troubles: current problems, for an operator. Requests may still be answered.
        ready: requests can be answered.
        share: share of the users that the canary serves; 0 without a canary.
    """

    champion: int | None
    canary: int | None
    troubles: tuple[str, ...]
    ready: bool
    share: float = 0


class ServedVersions:
    """The versions that can be called now.

    Loaded versions stay in service if the registry cannot be read or has no champion. A disk that is not mounted looks like that.

    Args:
        share: share of the users for the canary, 0 to 1.
        restricted: texts that are never generated.
        seen: called after each change with (number, digest, arm) of the serving versions, for metrics.
        loaded: called with the number and the success of each attempt to load a version.
    """

    def __init__(
        self,
        registry: VersionSource,
        server: VersionServer,
        *,
        share: float = 0,
        restricted: Sequence[str] = (),
        seen: Callable[[Sequence[tuple[int, str, str]]], None] = lambda _: None,
        loaded: Callable[[int, bool], None] = lambda *_: None,
    ) -> None:
        self._registry, self._server, self._share, self._restricted = registry, server, share, tuple(restricted)
        self._on_change, self._on_load = seen, loaded
        self._served: dict[int, Served] = {}
        self._failed: dict[int, str] = {}
        self._wanted: tuple[Version | None, Version | None] = (None, None)
        self._arms: tuple[Arm, ...] = ()
        self._experiment = ""
        self._canary: int | None = None
        self._update_lock = asyncio.Lock()
        self._updated_at = float("-inf")
        self._update_now = asyncio.Event()
        self.health = VersionHealth(None, None, ("the registry has not been read yet",), False)

    def choose(self, user: str) -> AssignedVersion:
        """Return the version that serves `user`.

        Raises:
            Refused: 503 if no version is served yet.
        """
        if not self._arms:
            retry = {"Retry-After": str(RETRY_SECONDS)}
            raise Refused(503, "no_model", f"no version of the model is available yet; try again in {RETRY_SECONDS} s", retry)
        arm = choose(user, self._arms, self._experiment)
        return AssignedVersion(self._served[arm.version], arm.name, AssignedArm(self._experiment, NO_STEP, arm.name))

    def find(self, number: int) -> Served | None:
        """Return the loaded version with this number, or None."""
        return self._served.get(number)

    async def watch(self, seconds: float) -> None:
        """Update the versions every `seconds`, or more often while not ready, until cancelled. A failed update is logged."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._update_now.wait(), seconds if self.health.ready else min(seconds, UNREADY_SECONDS))
            self._update_now.clear()
            try:
                await self.update()
            except Exception:
                log.exception("the versions could not be updated")

    def model_server_lost(self) -> None:
        """Report not ready, because a call did not reach the model server. The next update begins now and finds out whether it is back."""
        if self.health.ready:
            self.health = replace(self.health, ready=False, troubles=(*self.health.troubles, UNREACHABLE))
            self._update_now.set()

    async def update(self) -> None:
        """Update the versions from the registry and the model server. Concurrent calls share one update."""
        requested_at = time.monotonic()
        async with self._update_lock:
            if self._updated_at > requested_at:  # another call updated the versions while this one waited
                return
            self._updated_at = time.monotonic()
            troubles: list[str] = []
            await asyncio.to_thread(self._read_registry, troubles)
            try:
                available: frozenset[int] | None = await self._server.available()
            except Refused as refused:
                available, reason = None, refused.__cause__
                troubles.append(UNREACHABLE + (f": {reason}" if isinstance(reason, ConnectionTrouble) else ""))
            self._update_arms(available, troubles)

    def _read_registry(self, troubles: list[str]) -> None:
        """Read the registry and load new versions. Runs in a thread, because it reads files."""
        try:
            champion, canary = self._registry.champion(), self._registry.canary()
        except (BadInput, OSError) as error:
            troubles.append("the registry cannot be read; the loaded versions stay in service")
            log.warning("registry: %s", error)
        else:
            if champion is None and self._wanted[0] is not None:
                troubles.append("the registry no longer has a champion; the loaded versions stay in service")
            else:
                self._wanted = champion, canary
        for version in self._wanted:
            loaded = self._served.get(version.number) if version is not None else None
            if version is not None and (loaded is None or loaded.digest != version.digest):  # another registry may use the same number
                self._load(version, troubles)

    def _load(self, version: Version, troubles: list[str]) -> None:
        try:
            self._served[version.number] = load_served(version, self._restricted)
            self._failed.pop(version.number, None)
            self._on_load(version.number, True)
        except (BadInput, OSError, ValueError, KeyError, TypeError) as error:
            troubles.append(f"version {version.number} cannot be read")
            if self._failed.get(version.number) != str(error):  # each update fails again; log it once
                self._failed[version.number] = str(error)
                self._on_load(version.number, False)
                log.error("version %d cannot be read: %s", version.number, error)

    def _update_arms(self, available: frozenset[int] | None, troubles: list[str]) -> None:
        """Update the arms from the wanted and the available versions. The former champion stays until the new one is available."""
        before = self._arms
        champion, canary = (version.number if version else None for version in self._wanted)
        former = next((arm.version for arm in self._arms if arm.name == "champion"), None)
        if available is not None:
            usable = self._served.keys() & available
            serving = next((number for number in (champion, former) if number is not None and number in usable), None)
            if champion is not None and serving != champion:
                troubles.append(f"version {champion} is not loaded by the model server")
            served_canary = canary if canary in usable else None
            if canary is not None and served_canary is None:
                troubles.append(f"canary {canary} is not loaded by the model server")
            self._arms = () if serving is None else arms(serving, served_canary, self._share)
            self._canary = served_canary if serving is not None else None
            self._experiment = self._served[served_canary].digest if served_canary is not None else ""
            kept_numbers = {champion, canary, *(arm.version for arm in self._arms)}
            self._served = {number: version for number, version in self._served.items() if number in kept_numbers}
        if champion is None:
            troubles.append("the registry has no champion yet")
        serving = next((arm.version for arm in self._arms if arm.name == "champion"), None)
        share = next((arm.weight for arm in self._arms if arm.name == "canary"), 0)
        self.health = VersionHealth(serving, self._canary, tuple(troubles), serving is not None and available is not None, share)
        if self._arms != before:
            self._on_change([(arm.version, self._served[arm.version].digest, arm.name) for arm in self._arms])
            log.info("serving: %s", ", ".join(f"version {arm.version} as {arm.name} ({arm.weight:.0%})" for arm in self._arms) or "none")
