"""The schema file of a profile (`validation.schema_file`), and proposals for it.

Its text is a parameter of a run, so it reaches any runner and any cluster. Only the version is checked here. The step parses the text,
because the environment of the pipeline has no TFDV.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.deletion.inventory import Folders, Unit, take_inventory
from pipelines.images.programs import ROOT, interpreter
from pipelines.profile.load import Profile
from pipelines.run.store.store import Store
from robo_poet.commands import command
from robo_poet.deletion.suppression import list_digest
from robo_poet.errors import BadInput
from robo_poet.features.features import VERSION
from robo_poet.process import dies_with_parent
from robo_poet.regular_file import open_regular
from robo_poet.step.program import BAD_INPUT

LARGEST = 64 * 1024  # bytes; Kubernetes limits the arguments of a step, and the curated schema has 5 kB
_VERSION = re.compile(r'^\s*annotation\s*:?\s*\{[^{}]*?tag\s*:\s*\[?\s*"(robo-poet features [^"]*)"', re.MULTILINE)


def read_schema_file(name: str) -> str:
    """Return the text of a schema file; empty for no file, which means the curated schema of the step.

    Raises:
        BadInput: there is no such file, it is not text, it is too large, or it has another version.
    """
    if not name:
        return ""
    where, update = f"validation.schema_file: {name}", command("data schema update")
    try:
        with open_regular(Path(name)) as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(os.strerror(error.errno or 0).lower(), where=where, remedy=f"to write the file: {update}") from None
    if len(content) > LARGEST:
        raise BadInput(f"the schema has more than {LARGEST // 1024} kB", where=where, remedy="remove values of domains")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("not UTF-8 text", where=where, remedy=f"remove it, and write a new one: {update}") from None
    if "\0" in text:
        raise BadInput("not text: it contains a NUL character", where=where, remedy=f"remove it, and write a new one: {update}")
    version = _VERSION.search(text)
    if version is None or version[1] != VERSION:
        states = f"has the version {version[1]!r}" if version else "states no version"
        remedy = f"remove it, and write a new one: {update}"
        raise BadInput(f"the schema {states}; this release reads {VERSION!r}", where=where, remedy=remedy)
    return text


@dataclass(frozen=True)
class Proposal:
    """A schema for a corpus.

    Args:
        schema: its text.
        changes: what it changes, one line each; empty if nothing.
        anomalies: what the earlier schema finds wrong with the corpus, one line each.
    """

    schema: str
    changes: tuple[str, ...]
    anomalies: tuple[str, ...]


def propose_schema(corpus: Path, text: str, *, infer: bool) -> Proposal:
    """Return the schema that the validate step proposes for a corpus. Runs a program in the step's own environment.

    Args:
        corpus: a corpus file (Parquet).
        text: the earlier schema; empty for the curated one.
        infer: infer a schema from the corpus alone.

    Raises:
        BadInput: the environment is missing, or the program cannot read the schema or the corpus.
    """
    python = interpreter("robo-poet/validate_data")
    arguments = ["--corpus", str(corpus.resolve()), "--schema", text, *(["--infer"] if infer else [])]
    line = _run([str(python), "-m", "components.validate_data.propose", *arguments])
    answer = json.loads(line)
    return Proposal(answer["schema"], tuple(answer["changes"]), tuple(answer["anomalies"]))


@contextmanager
def ingested(profile: Profile, source: str) -> Iterator[Path]:
    """Yield the corpus of a source as a temporary Parquet file, as a run with this profile would ingest it. It lies in the store; see
    `Store.scratch`.

    Args:
        source: an absolute path or a `gs://` address; empty for the bundled corpora.

    Raises:
        BadInput: the source cannot be read.
    """
    settings = json.dumps(profile.ingest.model_dump(mode="json"))
    with Store(Path(profile.local.store)).scratch() as folder:
        corpus = folder.path / "corpus"
        values = {"source": source, "source-digest": "", "seed": profile.seed, "settings": settings, "corpus": corpus}
        values["dropped"] = folder.path / "dropped"
        deletions = Path(profile.local.deletions).resolve()
        if digest := list_digest(deletions):
            values |= {"suppression": deletions, "suppression-digest": digest}
        arguments = [part for name, value in values.items() for part in (f"--{name}", str(value))]
        _run([str(interpreter("robo-poet/ingest")), "-m", "components.ingest", *arguments], lock=folder.lock)
        yield corpus


def corpus_of_run(folders: Folders, run: Path) -> Path:
    """Return the stored corpus that a run ingested.

    Raises:
        BadInput: it is not stored any more.
    """
    inventory = take_inventory(folders)
    keys = inventory.runs[Unit("run", run.resolve())].keys if Unit("run", run.resolve()) in inventory.runs else frozenset()
    for corpus in inventory.corpora:
        if corpus.step == "ingest" and corpus.unit.path.name in keys:
            return corpus.path
    raise BadInput("the corpus of this run is not stored", where=str(run), remedy="give CORPUS instead")


def _run(argv: list[str], lock: int | None = None) -> str:
    """Run a program of a step, and return its standard output. It ends with this process.

    Args:
        lock: file descriptor that the program inherits, so a folder stays locked while it runs.

    Raises:
        BadInput: it reports an error.
        RuntimeError: it fails otherwise.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.run(
        argv, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        pass_fds=() if lock is None else (lock,), preexec_fn=dies_with_parent(signal.SIGKILL),
    )  # fmt: skip
    lines = process.stderr.splitlines()
    if process.returncode == BAD_INPUT:
        message = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "cannot be read")
        raise BadInput(message)
    if process.returncode:
        raise RuntimeError(f"{argv[2]} failed with status {process.returncode}: {' '.join(lines[-3:])}")
    return process.stdout
