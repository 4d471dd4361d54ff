"""The versions that are served: those that the registry selects and the model server has loaded.

A background task keeps them up to date.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Protocol

from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.judges.canary.observations import CANARY, CHAMPION
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.outcomes.record import NO_STEP, AssignedArm
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.state.state import State
from robo_poet.registry.versions.version import Version
from serving.gateway.backend.arms import FORMER, Arm, Exposure, Issued, choose, exposure
from serving.gateway.backend.model_client import RETRY_SECONDS
from serving.gateway.backend.tls import ConnectionTrouble
from serving.refusal import Refused

UNREADY_SECONDS = 0.25  # interval between updates while the model server cannot be reached, so that its return is soon seen
REGISTRY_SECONDS = 2.0  # an update waits so long for the registry; a bucket that hangs takes 10 s to fail
LOAD_SECONDS = 120.0  # for which the users of a new canary stay with the champion while the model server loads it
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
    folder = version.fetch(required)
    for name in required:
        path = folder / name
        if not path.is_file() or digest_file(path) != files[name]:
            raise Corrupt(
                "the file is missing or was changed after registration",
                where=str(path),
                remedy="restore the version's folder, or register the version again",
            )
    if _MODEL not in required:
        raise BadInput("the version has no model", where=version.address, remedy="register a version that has one")
    tokenizer = Tokenizer.load(folder / _TOKENIZER)
    manifest = json.loads((folder / _MODEL).read_text("utf-8"))
    tokenizer.check_size(manifest, folder / _TOKENIZER)
    tokenizer.tokens_containing(restricted)
    return Served(version.model, version.number, version.digest, tokenizer, manifest)


log = logging.getLogger("serving.gateway")


class VersionSource(Protocol):
    """The part of the registry that selects the versions to serve, and divides the users between them."""

    def state(self) -> State: ...
    def version(self, number: int) -> Version: ...


class VersionServer(Protocol):
    """The part of the model client that lists loaded versions. It raises Refused if the model server cannot be reached."""

    async def available(self) -> frozenset[int]: ...


@dataclass(frozen=True)
class AssignedVersion:
    """The version and the arm chosen for a request.

    Attributes:
        arm: the arm that serves the request.
        assigned: the arm that the registry assigns to the user.
        judged: the arm that serves, as the judge calls it. It differs from `assigned.arm` while that version is not loaded.
    """

    served: Served
    arm: str
    assigned: AssignedArm
    judged: str = CHAMPION


@dataclass(frozen=True)
class VersionHealth:
    """The result of an update of the versions.

    Attributes:
        champion: version that serves as champion, or None.
        canary: version of the canary, or None; also set if its share is 0.
        former: former champion that keeps some users after a promotion, or None.
        troubles: current problems, for an operator. Requests may still be answered.
        ready: requests can be answered.
        share: share of the users that the canary serves; 0 without a canary.
        refused: the newest reading found a registry that differs from what trusted keys signed.
    """

    champion: int | None
    canary: int | None
    troubles: tuple[str, ...]
    ready: bool
    share: float = 0
    former: int | None = None
    refused: bool = False


@dataclass(frozen=True)
class RegistryReading:
    """What a look at the registry found.

    Attributes:
        state: the newest state that is usable.
        served: its versions, as far as their files could be read, by number.
        troubles: current problems, for an operator.
        refused: the registry differs from what trusted keys signed.
    """

    state: State
    served: Mapping[int, Served]
    troubles: Sequence[str]
    refused: bool


class ServedVersions:
    """The versions that can be called now.

    Loaded versions stay in service if the registry cannot be read or has no champion. A disk that is not mounted looks like that.

    Args:
        restricted: texts that are never generated.
        seen: called after each change with (number, digest, arm) of the serving versions, for metrics.
        loaded: called with the number and the success of each attempt to load a version.
        clock: returns monotonic time in seconds.
    """

    def __init__(
        self,
        registry: VersionSource,
        server: VersionServer,
        *,
        restricted: Sequence[str] = (),
        seen: Callable[[Sequence[tuple[int, str, str]]], None] = lambda _: None,
        loaded: Callable[[int, bool], None] = lambda *_: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry, self._server, self._restricted = registry, server, tuple(restricted)
        self._on_change, self._on_load, self._clock = seen, loaded, clock
        self._served: dict[int, Served] = {}
        self._failed: dict[int, str] = {}
        self._registry_error, self._refused = "", False
        self._state = State()
        self._exposure = Exposure()
        self._introduced = ""  # experiment whose canary was loaded here at some time
        self._waits_since: tuple[str, float] = "", 0.0  # experiment whose canary has not been loaded yet, and since when
        self._serving: Mapping[str, Arm] = {}  # arm that is assigned → arm that serves
        self._update_lock = asyncio.Lock()
        self._reading: asyncio.Task[RegistryReading] | None = None  # one at a time
        self._updated_at = float("-inf")
        self._update_now = asyncio.Event()
        self.health = VersionHealth(None, None, ("the registry has not been read yet",), False)

    def choose(self, user: str) -> AssignedVersion:
        """Return the version that serves `user`.

        Raises:
            Refused: 503 if no version is served yet.
        """
        if not self._serving:
            retry = {"Retry-After": str(RETRY_SECONDS)}
            raise Refused(503, "no_model", f"no version of the model is available yet; try again in {RETRY_SECONDS} s", retry)
        shown = self._exposure
        assigned = choose(user, shown.arms, shown.experiment)
        serving = self._serving[assigned.name]
        arm = AssignedArm(shown.experiment, shown.step, assigned.judged)
        return AssignedVersion(self._served[serving.version], serving.name, arm, serving.judged)

    def rated(self, user: str, issued: Issued) -> AssignedArm | None:
        """Return the arm of `user` for a rating of a completion; None if another version wrote the completion."""
        if not self._serving:
            return None
        chosen = self.choose(user)
        return chosen.assigned if (chosen.served.number, chosen.arm) == (issued.version, issued.arm) else None

    def judged_pair(self, experiment: str) -> tuple[Served, Served] | None:
        """Return the versions that an experiment compares: that of the judge's `canary`, and that of its `champion`.

        Return None if it is not the present experiment, or if one of them is not loaded.
        """
        if experiment != self._exposure.experiment:
            return None
        by_arm = {arm.judged: arm for arm in self._exposure.arms}
        if not by_arm.keys() >= {CANARY, CHAMPION}:
            return None
        canary, champion = (by_arm[name] for name in (CANARY, CHAMPION))
        if any(self._serving.get(arm.name) is None or self._serving[arm.name].version != arm.version for arm in (canary, champion)):
            return None
        return self._served[canary.version], self._served[champion.version]

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
                await self.update(REGISTRY_SECONDS)
            except Exception:
                log.exception("the versions could not be updated")

    def model_server_lost(self) -> None:
        """Report not ready, because a call did not reach the model server. The next update begins now and finds out whether it is back."""
        if self.health.ready:
            self.health = replace(self.health, ready=False, troubles=(*self.health.troubles, UNREACHABLE))
            self._update_now.set()

    async def update(self, patience: float | None = None) -> None:
        """Update the versions from the registry and the model server. Concurrent calls share one update.

        Args:
            patience: seconds to wait for the registry. After that, the state that is known stays, and a later update takes what was read.
                None: wait until it was read.
        """
        requested_at = time.monotonic()
        async with self._update_lock:
            if self._updated_at > requested_at:  # another call updated the versions while this one waited
                return
            self._updated_at = time.monotonic()
            troubles = await self._look_at_registry(patience)
            try:
                available: frozenset[int] | None = await self._server.available()
            except Refused as refused:
                available, reason = None, refused.__cause__
                troubles.append(UNREACHABLE + (f": {reason}" if isinstance(reason, ConnectionTrouble) else ""))
            self._update_arms(available, troubles)

    async def _look_at_registry(self, patience: float | None) -> list[str]:
        """Take what a reading of the registry found, and return its problems. A reading that takes longer than `patience` goes on."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(self._read_registry))
        elif patience is not None:
            patience = 0  # an earlier update has waited for it
        await asyncio.wait({self._reading}, timeout=patience)
        if not self._reading.done():
            return ["the registry does not answer; the loaded versions stay in service"]
        task, self._reading = self._reading, None
        reading = task.result()
        self._state, self._served, self._refused = reading.state, {**self._served, **reading.served}, reading.refused
        return list(reading.troubles)

    def _read_registry(self) -> RegistryReading:
        """Read the registry and load new versions. Runs in a thread, because it reads files.

        It changes one attribute, `_registry_error`, which nothing else reads.
        """
        state, known = self._state, self._served
        troubles: list[str] = []
        refused = False
        try:
            read = self._registry.state()
        except (BadInput, OSError) as error:
            refused = isinstance(error, Corrupt)
            troubles.append("the registry cannot be read; the loaded versions stay in service")
            if self._registry_error != str(error):  # each update fails again; log it once
                log.warning("the registry cannot be read; the loaded versions stay in service: %s", error)
            self._registry_error = str(error)
        else:
            if self._registry_error:
                log.warning("the registry can be read again")
            self._registry_error = ""
            if read.champion is None and state.champion is not None:
                troubles.append("the registry no longer has a champion; the loaded versions stay in service")
            else:
                state = read
        served: dict[int, Served] = {}
        for number in dict.fromkeys(arm.version for arm in exposure(state).arms):
            version = known.get(number)
            if version is None or version.digest != state.record(number).digest:  # another registry may use the same number
                version = self._load(number, troubles)
            if version is not None:
                served[number] = version
        return RegistryReading(state, served, troubles, refused)

    def _load(self, number: int, troubles: list[str]) -> Served | None:
        try:
            version = load_served(self._registry.version(number), self._restricted)
            self._failed.pop(number, None)
            self._on_load(number, True)
            return version
        except (BadInput, OSError, ValueError, KeyError, TypeError) as error:
            troubles.append(f"version {number} cannot be read")
            if self._failed.get(number) != str(error):  # each update fails again; log it once
                self._failed[number] = str(error)
                self._on_load(number, False)
                log.error("version %d cannot be read: %s", number, error)
            return None

    def _update_arms(self, available: frozenset[int] | None, troubles: list[str]) -> None:
        """Update the arms from the registry's state and the available versions. The champion serves the users of an arm that is not loaded.

        The previous champion stays until the new one is available.
        """
        before = tuple(self._serving.values())
        state = self._state
        if available is not None:
            usable = self._served.keys() & available
            previous = next((arm.version for arm in before if arm.name == CHAMPION), None)
            serving = next((number for number in (state.champion, previous) if number is not None and number in usable), None)
            self._exposure = self._shown(state, usable)
            self._serving = {} if serving is None else self._arms_in_service(serving, usable)
            troubles += [
                f"{'version' if arm.name == CHAMPION else arm.name} {arm.version} is not loaded by the model server"
                for arm in self._exposure.arms
                if arm.version not in usable
            ]
            kept_numbers = {arm.version for arm in (*self._exposure.arms, *self._serving.values())}
            self._served = {number: version for number, version in self._served.items() if number in kept_numbers}
        if state.champion is None:
            troubles.append("the registry has no champion yet")
        in_service = {arm.name: arm.version for arm in self._serving.values()}
        champion, canary = in_service.get(CHAMPION), in_service.get(CANARY)
        share = self._exposure.share(CANARY) if canary is not None else 0.0
        ready = champion is not None and available is not None
        self.health = VersionHealth(champion, canary, tuple(troubles), ready, share, in_service.get(FORMER), self._refused)
        if tuple(self._serving.values()) != before:
            arms = sorted({(arm.version, self._served[arm.version].digest, arm.name) for arm in self._serving.values()})
            self._on_change(arms)
            shares = [f"version {number} as {name} ({self._exposure.share(name):.3g})" for number, _, name in arms]
            log.info("serving: %s", ", ".join(shares) or "none")

    def _shown(self, state: State, usable: Set[int]) -> Exposure:
        """Return how the users are divided now.

        A canary gets its first users when it is loaded. Before that, the champion would serve them, and the judge would see users of the
        canary who never had it: the first step comes seconds after the start, and a load takes as long. A canary that is not loaded in
        `LOAD_SECONDS` is exposed all the same, so that the judge sees that it cannot be called. Later losses do not change the arms.
        """
        shown = exposure(state)
        canary = next((arm for arm in shown.arms if arm.name == CANARY), None)
        if canary is None or canary.version in usable:
            self._introduced = shown.experiment
        if canary is None or not canary.weight or shown.experiment == self._introduced:
            return shown
        if self._waits_since[0] != shown.experiment:
            self._waits_since = shown.experiment, self._clock()
        if self._clock() - self._waits_since[1] >= LOAD_SECONDS:
            return shown
        return exposure(replace(state, canary_share=0.0, canary_step=NO_STEP))

    def _arms_in_service(self, champion: int, usable: Set[int]) -> dict[str, Arm]:
        """Return for each arm of the exposure the arm that serves its users now."""
        arms = {arm.name: arm for arm in self._exposure.arms}
        serving = replace(arms.get(CHAMPION, Arm(CHAMPION, champion, 1.0)), version=champion)
        return {CHAMPION: serving} | {name: arm if arm.version in usable else serving for name, arm in arms.items() if name != CHAMPION}
