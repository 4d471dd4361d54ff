"""A forger with full write access to the folder of the registry, but without a trusted key and without the user's home folder."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import GENESIS, Conflict, Corrupt, Entry, Lost, Statement
from robo_poet.registry.log.log import FolderLog, Log
from robo_poet.registry.log.signed_log import sign
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from tests.robo_poet.registry.conftest import Register


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def used(registry: Registry, add: Register) -> Registry:
    """A registry with a champion, a canary, and six log entries."""
    for seed in (1, 2, 3):
        add(registry, seed)
    registry.promote(1, who="ada", why="first")
    registry.start_canary(2, who="ada", why="try it")
    registry.set_share(2, 0, 0.05, who="ada", why="no harm")
    return registry


def path(registry: Registry, index: int) -> Path:
    return registry.folder / "log" / f"{index:08d}.json"


def rewrite(registry: Registry, start: int, why: str, trust: Trust | None = None) -> None:
    """Change the reason of entry `start`, and make the hashes of all entries after it right again; sign them if there is a key."""
    previous = GENESIS if start == 1 else digest_bytes(path(registry, start - 1).read_bytes())
    for file in sorted((registry.folder / "log").glob("*.json"))[start - 1 :]:
        entry = Entry.from_bytes(file.read_bytes(), str(file))
        statement = replace(entry.statement, why=why) if entry.index == start else entry.statement
        forged = Entry(entry.index, previous, statement, entry.signatures)
        if trust:
            forged = replace(forged, signatures=sign(forged, trust))
        file.chmod(0o644)
        file.write_bytes(forged.to_bytes())
        previous = digest_bytes(forged.to_bytes())


@pytest.mark.parametrize("start", [1, 4, 6])
def test_a_rewritten_entry_is_noticed_although_all_hashes_are_right(used: Registry, start: int) -> None:
    rewrite(used, start, "forged")
    assert len(Log(FolderLog(used.folder / "log")).read()) == 6  # the chain is intact
    for reader in (used, Registry(used.root, used.model)):  # one that runs, and one that starts now
        for use in (reader.log, reader.champion, reader.verify, lambda: reader.promote(2, who="bob", why="x")):  # noqa: B023
            with pytest.raises(Corrupt, match=f"{start:08d}.json: the log entry differs from what was signed [0-9a-f]{{12}}"):
                use()


def test_a_log_that_is_signed_with_the_forgers_own_key_is_refused(
    used: Registry, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "forger"))
    forger = Trust()
    forger.signer()
    monkeypatch.setenv("ROBO_POET_TRUST", str(home))
    rewrite(used, 5, "forged", forger)
    with pytest.raises(Corrupt, match=r"00000005.json: the log entry is signed by an unknown key .*add its line to .*trusted_keys"):
        Registry(used.root, used.model).log()
    # The forger cannot adopt either: this entry is signed by a key that nobody trusts.
    log = Log(FolderLog(used.folder / "log"), lambda entry: sign(entry, forger))
    log.append(Statement("poems", "adopt", 0, "mallory", "trust me", {"attestations": {}}), 7)
    with pytest.raises(Corrupt, match="unknown key"):
        Registry(used.root, used.model).log()


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_a_shortened_log_is_noticed_by_all_who_have_read_it(used: Registry, kept: int) -> None:
    for index in range(kept + 1, 7):
        path(used, index).unlink()
    found = f"has {kept} entries" if kept else "has no entry"
    for reader in (used, Registry(used.root, used.model)):
        with pytest.raises(Corrupt, match=f"the log {found}, but had 6 when it was last read.*accept-head --registry .* --model poems"):
            reader.state()
    with pytest.raises(Corrupt):
        used.add_source("/forged", who="mallory", why="goes on from here", same_model=True)
    assert Registry(used.root, used.model).signed_log.accept_head() == kept  # a person says so
    assert len(used.log()) == kept


def test_a_registry_replaced_by_its_backup_is_noticed(used: Registry, tmp_path: Path) -> None:
    shutil.copytree(used.root, tmp_path / "backup")
    used.hold_canary(2, who="ada", why="a complaint")
    shutil.rmtree(used.root)
    shutil.copytree(tmp_path / "backup", used.root)
    with pytest.raises(Corrupt, match="the log has 6 entries, but had 7"):
        Registry(used.root, used.model).canary()
    shutil.rmtree(used.root)
    with pytest.raises(Corrupt, match="the log has no entry, but had 7"):
        Registry(used.root, used.model).released()


def test_a_registry_replaced_by_another_one_of_the_same_user_is_noticed(used: Registry, tmp_path: Path, add: Register) -> None:
    other = Registry(tmp_path / "other", "poems")
    for seed in range(11, 19):
        add(other, seed)
    shutil.rmtree(used.folder)
    shutil.copytree(other.folder, used.folder)
    with pytest.raises(Corrupt, match="log entry 6 is not the one that was last read"):
        Registry(used.root, used.model).log()


def test_a_reader_without_any_key_reads_nothing(used: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "another user"))
    with pytest.raises(Corrupt, match="00000001.json: the log entry is signed by an unknown key"):
        Registry(used.root, used.model).champion()
    assert not (tmp_path / "another user").exists()  # reading makes no key


def test_a_reader_trusts_the_named_keys_only(used: Registry, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Trust().signer().public.text
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "reader"))
    for named, place in ((key, "ROBO_POET_TRUSTED_KEYS, and start the programs again"), (f"{home / 'trusted_keys'}",) * 2):
        monkeypatch.setenv("ROBO_POET_TRUSTED_KEYS", named)
        reader = Registry(used.root, used.model)
        assert reader.champion() is not None
        assert Registry(used.root, used.model, Trust([named])).champion() is not None
        with pytest.raises(BadInput, match=f"the signing key is not one of the trusted keys; add this line to {place}: MFkw"):
            reader.archive(3, who="bob", why="x")
    monkeypatch.setenv("ROBO_POET_TRUSTED_KEYS", "no-such-file")
    with pytest.raises(BadInput, match="'no-such-file' is neither a public key nor a readable file of keys"):
        Registry(used.root, used.model).log()


def test_a_key_that_is_added_is_trusted_without_a_restart(
    used: Registry, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is rotated: the reader refuses the new entry, keeps what it serves, and goes on once it trusts the new key."""
    reader = Registry(used.root, used.model)
    assert reader.canary() is not None
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "colleague"))
    monkeypatch.setenv("ROBO_POET_TRUSTED_KEYS", str(home / "trusted_keys"))
    (home / "trusted_keys").write_text((home / "trusted_keys").read_text() + "# a colleague\n")
    monkeypatch.delenv("ROBO_POET_TRUSTED_KEYS")
    colleague = Trust()
    (tmp_path / "colleague").mkdir(mode=0o700)
    (tmp_path / "colleague" / "trusted_keys").write_text((home / "trusted_keys").read_text())
    line = colleague.signer().public.text
    Registry(used.root, used.model, colleague).hold_canary(2, who="bob", why="a complaint")
    with pytest.raises(Corrupt, match="00000007.json: the log entry is signed by an unknown key"):
        reader.canary()
    with (home / "trusted_keys").open("a") as file:
        file.write(f"{line} bob\n")
    assert reader.state().canary_held == "a complaint"


def test_an_unsigned_registry_is_refused_until_a_person_takes_it_over(registry: Registry, add: Register, home: Path) -> None:
    from robo_poet.registry.adoption import adopt

    for seed in (1, 2, 3):
        add(registry, seed)
    registry.promote(1, who="ada", why="first")
    unsign(registry)
    shutil.rmtree(home / "heads")
    shutil.rmtree(registry.folder / "attestations")
    reader = Registry(registry.root, registry.model)
    with pytest.raises(Corrupt, match=r"00000001.json: the log entry has no signature; .* take it over: .*registry adopt --model poems"):
        reader.champion()
    weights = reader.folder / "versions" / digest_folder(reader, 3) / "model" / "weights"
    weights.chmod(0o644)
    weights.write_text("forged")
    assert adopt(reader.root, "poems", source="", who="grace", why="written by release 1.0") == (3, [3])
    assert [version.number for version in (reader.version(1), reader.version(2)) if reader.verify(version.number)] == [1, 2]
    assert reader.log()[-1].statement.who == "grace"
    with pytest.raises(Corrupt, match="weights was changed"):
        reader.start_canary(3, who="ada", why="x")
    weights.write_text("3")
    with pytest.raises(Corrupt, match="poems/3: the version has no attestation"):
        reader.start_canary(3, who="ada", why="x")
    reader.start_canary(2, who="ada", why="try it")
    with pytest.raises(BadInput, match="is signed by trusted keys; nothing needs to be taken over"):
        adopt(reader.root, "poems", source="", who="grace", why="again")
    rewrite(reader, 2, "forged")
    with pytest.raises(Corrupt):
        Registry(reader.root, "poems").log()


def test_an_adoption_does_not_cover_what_was_removed(used: Registry) -> None:
    from robo_poet.registry.adoption import adopt

    unsign(used)
    path(used, 6).unlink()
    with pytest.raises(Corrupt, match="the log has 5 entries, but had 6"):
        adopt(used.root, "poems", source="", who="grace", why="it looks fine")


def test_an_adoption_that_another_writer_overtakes_says_so(used: Registry, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    from robo_poet.registry.adoption import adopt

    unsign(used)
    shutil.rmtree(home / "heads")

    def lost(*_: object) -> None:
        raise Lost

    monkeypatch.setattr(Log, "append", lost)
    with pytest.raises(Conflict, match="another program changed the log meanwhile; run again"):
        adopt(used.root, "poems", source="", who="grace", why="x")


def test_readers_next_to_writers_never_take_a_growing_log_for_a_shortened_one(used: Registry) -> None:
    """The remembered head is read before the log is listed, so a reader never knows a newer head than its listing has."""
    reader, order = Registry(used.root, used.model), []
    heads, store = reader.trust.heads, reader.signed_log._log._store

    class Watched:
        def __getattr__(self, name: str) -> object:
            order.append(name)
            return getattr(store, name)

    reader.signed_log._log._store = Watched()  # type: ignore[assignment]
    read = heads.read

    def first(address: str) -> object:
        order.append("head")
        used.hold_canary(2, who="ada", why="x") if not used.state().canary_held else used.resume_canary(2, who="ada", why="x")
        return read(address)

    heads.read = first  # type: ignore[method-assign, assignment]
    assert len(reader.log()) == 7
    assert order[0] == "head"


def test_a_read_only_home_still_remembers_within_the_process(used: Registry, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(home / "heads")
    (home / "heads").write_text("")  # no folder can be made here, also not by root
    reader = Registry(used.root, used.model)
    assert len(reader.log()) == 6
    path(used, 6).unlink()
    with pytest.raises(Corrupt, match="but had 6"):
        reader.log()


def unsign(registry: Registry) -> None:
    """Write the log as an earlier release did: without signatures and attestations."""
    previous = GENESIS
    for file in sorted((registry.folder / "log").glob("*.json")):
        entry = Entry.from_bytes(file.read_bytes(), str(file))
        details = {name: value for name, value in entry.statement.details.items() if name != "attestation"}
        plain = Entry(entry.index, previous, replace(entry.statement, details=details))
        file.chmod(0o644)
        file.write_bytes(plain.to_bytes())
        previous = digest_bytes(plain.to_bytes())


def digest_folder(registry: Registry, number: int) -> str:
    entry = json.loads(path(registry, number).read_bytes())
    return str(entry["details"]["digest"])[:16]
