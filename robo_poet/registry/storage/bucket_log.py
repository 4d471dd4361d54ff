"""The log of a model in a bucket, with a local cache of its entries.

A listing gives the generation of each entry. So an entry that was read before costs no request, and a reader that has seen the newest entry
pays one listing, which starts at that entry. Cached entries are used while the newest of them still has its generation in the bucket: its
hash covers all entries before it, and the reader checks the chain.
"""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from robo_poet.atomic import new_file
from robo_poet.digest import digest_bytes
from robo_poet.registry.storage.bucket import BucketFiles

PARALLEL = 8  # concurrent downloads
_ENTRY = re.compile(r"(\d{8,})\.json", re.ASCII)
_CACHED = re.compile(r"(\d{8,})-(\d+)-([0-9a-f]{64})\.json", re.ASCII)


class BucketLog:
    """A `LogStore` in a bucket.

    Args:
        cache: folder for entries that other processes of this user reuse; None to keep them in this process only.
    """

    def __init__(self, files: BucketFiles, model: str, cache: Path | None = None) -> None:
        self._files, self._folder, self._cache = files, f"{model}/log", cache
        self._generations: dict[int, int] = {}  # as last listed
        self._known = {} if cache is None else _load(cache)  # index → generation and bytes, without gaps

    def last(self) -> int:
        """Return the highest index, 0 if there is no entry."""
        newest = max(self._known, default=0)
        listed = self._list(newest)
        if newest and listed.get(newest) != self._known[newest][0]:  # another log, or a shorter one
            listed = self._list(0)
            self._known = {index: known for index, known in self._known.items() if listed.get(index) == known[0]}
        self._generations = listed
        self._fetch(index for index in listed if index not in self._known)
        return max(listed, default=0)

    def read(self, index: int) -> bytes | None:
        """Return the bytes of an entry, None if it does not exist."""
        if index in self._known:
            return self._known[index][1]
        return self._files.read(self._name(index))

    def create(self, index: int, data: bytes) -> bool:
        """Create an entry; return False if it exists already."""
        return self._files.create(self._name(index), data)

    def where(self, index: int) -> str:
        """Return the address of an entry."""
        return f"{self._files.address}/{self._name(index)}"

    def forget(self) -> None:
        """Read all entries from the bucket again."""
        self._known = {}

    def _name(self, index: int) -> str:
        return f"{self._folder}/{index:08d}.json"

    def _list(self, start: int) -> dict[int, int]:
        """Return index → generation of the entries from `start` on."""
        listed = self._files.listed(self._folder, f"{start:08d}.json" if start else "")
        return {int(match[1]): file.generation for name, file in listed.items() if (match := _ENTRY.fullmatch(name))}

    def _fetch(self, indices: Iterable[int]) -> None:
        """Read entries, several at the same time: the first reading of a log of 500 entries would take 15 s at 30 ms a request."""
        missing = sorted(indices)
        if not missing:
            return
        if len(missing) == 1:
            contents = [self._pinned(missing[0])]
        else:
            with ThreadPoolExecutor(PARALLEL) as pool:
                contents = list(pool.map(self._pinned, missing))
        for index, data in zip(missing, contents, strict=True):
            if data is not None:
                self._known[index] = self._generations[index], data
                self._keep(index, data)

    def _pinned(self, index: int) -> bytes | None:
        """Return the content that was listed; None if it was replaced meanwhile, so that `read` asks again."""
        return self._files.read(self._name(index), self._generations[index])

    def _keep(self, index: int, data: bytes) -> None:
        """Write an entry to the cache. A cache that cannot be written costs requests, but no result."""
        if self._cache is None:
            return
        name = f"{index:08d}-{self._generations[index]}-{digest_bytes(data)}.json"
        with suppress(OSError):
            for other in self._cache.glob(f"{index:08d}-*.json"):
                other.unlink(missing_ok=True)
            with new_file(self._cache / name, mode=0o600) as temporary:
                temporary.write_bytes(data)


def _load(cache: Path) -> dict[int, tuple[int, bytes]]:
    """Return the cached entries from the first one to the first that is missing or damaged: index → generation and bytes."""
    found: dict[int, tuple[int, bytes]] = {}
    with suppress(OSError):
        for path in cache.iterdir():
            if match := _CACHED.fullmatch(path.name):
                data = path.read_bytes()
                if digest_bytes(data) == match[3]:
                    found[int(match[1])] = int(match[2]), data
    known: dict[int, tuple[int, bytes]] = {}
    while (index := len(known) + 1) in found:
        known[index] = found[index]
    return known
