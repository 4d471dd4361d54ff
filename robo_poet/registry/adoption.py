"""Takes over a registry of form 1, whose single model had no name (REG-1).

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
from robo_poet.registry.entry import GENESIS, Corrupt, Statement, canonical
from robo_poet.registry.log import FolderLog, Log
from robo_poet.registry.names import check_name, has_old_form
from robo_poet.registry.state import Action, fold

KEPT_LOG = "log-of-form-1"


def adopt(root: Path, model: str, *, source: str, who: str) -> int:
    """Turn a registry of form 1 into the model `model` and return the number of its versions.

    Args:
        source: address of the corpus of these versions, such as `bundled`.

    Raises:
        BadInput: the registry has not form 1, or already has a model of this name.
        Corrupt: the old log was changed.
    """
    check_name(model)
    if not has_old_form(root):
        raise BadInput("this is no registry of the old form", where=str(root), remedy="nothing needs to be taken over")
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
    return len(fold(Log(FolderLog(target / "log")).read()).records)


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
