"""The log of a model as readers and writers use it: chained, signed, and never shorter than it was when it was last read (REG-1, REG-4).

A reader with write access to the folder cannot forge it: a rewritten entry has no trusted signature, and a shortened or older log does not
reach the remembered head. Entries before an adoption need no signature of their own, because the adoption signs their hash.
"""

from collections.abc import Mapping

from robo_poet.commands import command
from robo_poet.digest import digest_bytes
from robo_poet.registry.log.entry import Action, Corrupt, Entry, Statement
from robo_poet.registry.log.log import Log, LogStore
from robo_poet.registry.trust import envelope
from robo_poet.registry.trust.envelope import Verdict
from robo_poet.registry.trust.heads import Head
from robo_poet.registry.trust.keys import PublicKey
from robo_poet.registry.trust.trust import Trust

KIND = "application/vnd.robo-poet.log-entry+json"  # type of the signed bytes


def sign(entry: Entry, trust: Trust) -> tuple[dict[str, str], ...]:
    """Return the signatures of a new entry.

    Raises:
        BadInput: there is no trusted signing key.
    """
    return (envelope.sign(KIND, entry.payload(), trust.signer()),)


def judge(entry: Entry, keys: Mapping[str, PublicKey]) -> tuple[Verdict, str]:
    """Return what the signatures of an entry say, and the id of the key."""
    return envelope.judge(KIND, entry.payload(), entry.signatures, keys)


class SignedLog:
    """The log of the model `model` in a store.

    Args:
        address: address of the log, which names it among the remembered heads.
    """

    def __init__(self, store: LogStore, model: str, address: str, trust: Trust) -> None:
        self._model, self.address, self._trust = model, address, trust
        self._log = Log(store, lambda entry: sign(entry, trust))
        self._checked: list[Entry] = []  # the log when all its signatures were checked: 0.2 ms for each
        self._keys: frozenset[str] = frozenset()

    def read(self, *, again: bool = False) -> list[Entry]:
        """Return all entries, oldest first, checked, and remember the newest one. Reading again costs the new entries only.

        Args:
            again: read and check all entries again.

        Raises:
            Corrupt: an entry is missing, changed, out of place, of another model, or not signed by a trusted key; or the log does not
                continue the one that was last read. The message says what to do.
        """
        # The head comes first: the log has at least these entries when it is listed afterwards, even if others append to it.
        remembered = self._trust.heads.read(self.address)
        entries = self.chain(again=again)
        if fault := self.fault(entries):
            raise fault
        self.check_head(entries, remembered)
        if entries and (remembered is None or len(entries) > remembered.index):
            self._trust.heads.remember(self.address, _head(entries))
        return entries

    def chain(self, *, again: bool = False) -> list[Entry]:
        """Return all entries, checked against the hash chain, but not against signatures and the remembered head."""
        entries = self._log.read(again=again)
        for entry in entries:
            if entry.statement.model != self._model:
                raise Corrupt(
                    f"the entry belongs to the model {entry.statement.model}",
                    where=f"{self.address}: log entry {entry.index}",
                    remedy="restore the log from a backup",
                )
        return entries

    def append(self, statement: Statement, expected_index: int) -> Entry:
        """Sign and append a statement, see `Log.append`, and remember it as the head."""
        entry = self._log.append(statement, expected_index)
        self._trust.heads.remember(self.address, Head(entry.index, digest_bytes(entry.to_bytes())))
        return entry

    def accept_head(self) -> int:
        """Remember the newest entry of the log as it is now, also of a shorter or another log. Return the number of its entries.

        Raises:
            Corrupt: an entry is changed, or not signed by a trusted key.
        """
        entries = self.chain()
        if fault := self.fault(entries):
            raise fault
        self._trust.heads.replace(self.address, _head(entries) if entries else Head(0, ""))
        return len(entries)

    def first_signed(self, entries: list[Entry]) -> int:
        """Return the position in the list from which entries need signatures: that of the newest adoption by a trusted key, or 0."""
        for position in reversed(range(len(entries))):
            entry = entries[position]
            if entry.statement.action == Action.ADOPT and judge(entry, self._trust.keys())[0] is Verdict.TRUSTED:
                return position
        return 0

    def signers(self, entries: list[Entry]) -> list[str]:
        """Return the ids of the keys that signed the entries, in the order of their first entry."""
        keys = self._trust.keys()
        ids = (judge(entry, keys) for entry in entries[self.first_signed(entries) :])
        return list(dict.fromkeys(key for verdict, key in ids if verdict is Verdict.TRUSTED))

    def fault(self, entries: list[Entry]) -> Corrupt | None:
        """Return what is wrong with the first entry that has no trusted signature, None if all have one."""
        if not entries:
            return None
        keys = self._trust.keys()
        if frozenset(keys) != self._keys:
            self._checked, self._keys = [], frozenset(keys)
        count = len(self._checked)
        same = count and count <= len(entries) and self._checked[-1] is entries[count - 1]  # the same object: read by this object
        for entry in entries[count if same else self.first_signed(entries) :]:
            verdict, key = judge(entry, keys)
            if verdict is not Verdict.TRUSTED:
                where = self._log.where(entry.index)
                return Corrupt(f"the log entry {verdict}{f' {key[:12]}' if key else ''}", where=where, remedy=self._remedy(verdict))
        self._checked = entries
        return None

    def _remedy(self, verdict: Verdict) -> str:
        if verdict is Verdict.ALTERED:
            return "restore the log from a backup"
        adopt = command(f"registry adopt --model {self._model} --name 'your name' --why 'your reason'")
        if verdict is Verdict.UNSIGNED:
            return f"if an earlier release wrote this registry, take it over: {adopt}; otherwise restore the log from a backup"
        return (
            f"if this key is yours or a colleague's, add its line to {self._trust.place_of_keys} ({command('registry key')} prints it); "
            "otherwise restore the log from a backup"
        )

    def check_head(self, entries: list[Entry], head: Head | None) -> None:
        """Check that a log contains a remembered head.

        Raises:
            Corrupt: it does not.
        """
        if head is None or head.index == 0:
            return
        registry = self.address.removesuffix(f"/{self._model}")
        remedy = (
            "restore the log from a backup; if you removed or replaced it yourself: "
            f"{command(f'registry accept-head --registry {registry} --model {self._model}')}"
        )
        if len(entries) < head.index:
            found = f"has {len(entries)} entries" if entries else "has no entry"
            raise Corrupt(
                f"the log {found}, but had {head.index} when it was last read: it was shortened, or replaced by an older one",
                where=self.address,
                remedy=remedy,
            )
        if _head(entries[: head.index + 1], head.index).sha256 != head.sha256:
            raise Corrupt(
                f"log entry {head.index} is not the one that was last read: the log was rewritten, or replaced by another one",
                where=self.address,
                remedy=remedy,
            )


def _head(entries: list[Entry], index: int = 0) -> Head:
    """Return entry `index` as a head; by default the newest one."""
    index = index or len(entries)
    following = entries[index].previous if index < len(entries) else digest_bytes(entries[-1].to_bytes())
    return Head(index, following)
