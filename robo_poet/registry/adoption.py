"""Takes over a registry that an earlier release wrote: of form 1, whose single model had no name, or without signatures (REG-1).

The adoption is a signed entry of the log, with a name and a reason. It stands for all entries before it, by the hash of the last one, and
names a new attestation of each version whose files are what was registered. A version with damaged files gets none, and cannot be released.

Form 1 had `<registry>/log` and `<registry>/versions`. The adoption writes the same history as a log of form 2 below the model's name, hard
links the versions, and moves the old log to `<registry>/<model>/log-of-form-1`. The first entry of the new log names the last entry of the
old one by its hash. All of it happens in a hidden folder that is renamed at the end: a killed adoption changes nothing, and is repeated.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from robo_poet.atomic import sync_tree
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import GENESIS, Action, Conflict, Corrupt, Lost, Statement, canonical
from robo_poet.registry.log.log import FolderLog, Log
from robo_poet.registry.names import check_name, has_old_form
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import State, fold
from robo_poet.registry.versions.attestation import Attestations
from robo_poet.registry.versions.version import check_files, folder_of, read_manifest

KEPT_LOG = "log-of-form-1"


def adopt(root: Path, model: str, *, source: str, who: str, why: str) -> tuple[int, list[int]]:
    """Take over the model `model` of a registry without signatures, or of form 1, whose versions become the model `model`.

    Args:
        source: address of the corpus of the versions of form 1, such as `bundled`.
        who, why: the person who takes responsibility, and the reason.

    Returns:
        the number of versions, and the numbers of those whose files are damaged, which are not attested.

    Raises:
        BadInput: nothing needs to be taken over, or the registry already has a model of this name.
        Corrupt: an old entry was changed.
    """
    check_name(model)
    if has_old_form(root):
        _adopt_form_1(root, model, source, who)
    registry = Registry(root, model)
    log = registry.signed_log
    head = registry.trust.heads.read(log.address)
    entries = log.chain()
    if not entries:
        raise BadInput(f"there is no model {model}", where=str(root), remedy="nothing needs to be taken over")
    if log.fault(entries) is None:
        raise BadInput(f"the model {model} is signed by trusted keys", where=str(root), remedy="nothing needs to be taken over")
    log.check_head(entries, head)
    state = fold(entries)
    attested, damaged = _attest(state, registry.folder / "versions", Attestations(registry.folder / "attestations", model, registry.trust))
    try:
        log.append(Statement(model, Action.ADOPT, 0, who, why, {"attestations": attested}), len(entries) + 1)
    except Lost:
        raise Conflict("another program changed the log meanwhile", where=str(registry.folder), remedy="run again") from None
    return len(state.records), damaged


def _attest(state: State, versions: Path, attestations: Attestations) -> tuple[dict[str, str], list[int]]:
    """Attest all versions. Return number → SHA-256 of the attestation, and the numbers of damaged versions."""
    attested, damaged = {}, []
    for record in state.records:
        if record.purged:
            continue
        folder = folder_of(versions, record.digest)
        try:
            manifest = read_manifest(folder, record.digest)
            check_files(folder, manifest.files)
        except Corrupt:
            damaged.append(record.number)
        else:
            attested[str(record.number)] = attestations.write(record.number, manifest.to_bytes())
    return attested, damaged


def _adopt_form_1(root: Path, model: str, source: str, who: str) -> None:
    """Turn a registry of form 1 into the model `model`, still without signatures of its old entries."""
    target = root / model
    statements, head = _read_form_1(root / "log", model)
    if target.exists():
        first = next(iter(Log(FolderLog(target / "log")).read()), None)
        if first is None or first.statement.details.get("form_1_head") != head:
            raise BadInput(f"the registry already has a model {model}", where=str(root), remedy="choose another name")
    else:
        _write_form_2(root, target, statements, head, source, who)
    # From here on the model is complete. The old log goes first: without it, the folder no longer has form 1.
    shutil.rmtree(root / "log")
    shutil.rmtree(root / "versions", ignore_errors=True)


def _write_form_2(root: Path, target: Path, statements: list[Statement], head: str, source: str, who: str) -> None:
    staging = Path(tempfile.mkdtemp(prefix=".adopt-", dir=root))
    try:
        log = Log(FolderLog(staging / "log"))
        first = Statement(target.name, Action.ADD_SOURCE, 0, who, "adopted a registry of form 1", {"source": source, "form_1_head": head})
        for index, statement in enumerate([first, *statements], 1):
            log.append(statement, index)
        if (root / "versions").is_dir():
            shutil.copytree(root / "versions", staging / "versions", copy_function=os.link)
        shutil.copytree(root / "log", staging / KEPT_LOG)
        sync_tree(staging)
        staging.chmod(0o755)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _read_form_1(folder: Path, model: str) -> tuple[list[Statement], str]:
    """Return the statements of a log of form 1, and the SHA-256 of its last entry.

    Raises:
        Corrupt: an entry is missing or changed.
    """
    store = FolderLog(folder)
    statements, previous = [], GENESIS
    for index in range(1, store.last() + 1):
        data = store.read(index) or b""
        try:
            body = json.loads(data)
            digest = body.pop("sha256")
            intact = digest_bytes(canonical(body)) == digest and canonical({**body, "sha256": digest}) == data
            intact = intact and (body.pop("index"), body.pop("previous")) == (index, previous)
            statements.append(Statement(model=model, **body))
        except (ValueError, TypeError, KeyError, AttributeError):
            intact = False
        if not intact:
            raise Corrupt("the log entry is missing or was changed", where=store.where(index), remedy="restore the log from a backup")
        previous = digest_bytes(data)
    return statements, previous
