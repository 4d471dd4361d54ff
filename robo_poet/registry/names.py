"""Names of models, and the models of a registry folder (REG-1, PIPE-3).

A model's name is also a folder, a label in metrics, and the model's name on TensorFlow Serving. So the characters are limited.
"""

import re
from pathlib import Path, PurePosixPath

from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.local_folder import Address, is_bucket, registry_address
from robo_poet.registry.storage.bucket import BucketFiles
from robo_poet.registry.trust.trust import Trust

BUNDLED = "shakespeare"  # name of the model of the bundled corpora
BUNDLED_SOURCE = "bundled"  # address of the bundled corpora in the registry
RESERVED = ("log", "versions")  # folders of a registry of form 1
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_OLD_LOG = re.compile(r"\d{8,}\.json", re.ASCII)


def check_name(name: str) -> str:
    """Return `name` if it is a valid name of a model.

    Raises:
        BadInput: it is not; says which characters are allowed.
    """
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise BadInput(
            f"{name[:80]!r} is not a name of a model",
            where="MODEL",
            remedy="use 1 to 63 lower-case letters, digits, - and _, with a letter or digit at both ends"
            + (f"; {' and '.join(RESERVED)} are reserved" if name in RESERVED else ""),
        )
    return name


def corpus_name(source: str) -> str:
    """Return the name that a corpus gives to its model: `poems` for `~/poems`, `My Poems.csv` → `my-poems`, `gs://bucket/odes` → `odes`.

    Args:
        source: folder, file or `gs://` address; empty for the bundled corpora, whose name is `shakespeare`.

    Raises:
        BadInput: no valid name can be made from the last part of the address.
    """
    if not source:
        return BUNDLED
    path = PurePosixPath(source.removeprefix("gs://"))
    stem = path.name[: -len(path.suffix)] if path.suffix.lower() in _SUFFIXES else path.name
    name = re.sub(r"[^a-z0-9_-]+", "-", stem.lower())[:63].strip("-_")
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise BadInput(f"no name of a model can be made from {path.name!r}", where=f"CORPUS={source}", remedy="give one: MODEL=name")
    return name


_SUFFIXES = (".txt", ".md", ".jsonl", ".csv", ".parquet", ".tsv", ".json", ".gz")


def model_name(model: str, template: str, source: str) -> str:
    """Return the name of the model of a run.

    Args:
        model: name from the command line; it wins.
        template: setting `model` of the profile: a name in which `{corpus}` stands for the name of the corpus; empty means `{corpus}`.
        source: see `corpus_name`.

    Raises:
        BadInput: the name is not valid.
    """
    if model:
        return check_name(model)
    if not template:
        return corpus_name(source)
    return check_name(template.replace("{corpus}", corpus_name(source)) if "{corpus}" in template else template)


def model_names(root: Address) -> list[str]:
    """Return the names of all models in a registry, sorted. A model whose log is gone counts if its log was read before.

    Raises:
        BadInput: the registry has form 1, or a bucket cannot be read.
    """
    refuse_old_form(root)
    address = registry_address(root)
    remembered = [text.rpartition("/") for text in Trust().heads.addresses()]
    if is_bucket(address):
        files = BucketFiles(address)
        present = {name for name in files.folders("") if _NAME.fullmatch(name) and name not in RESERVED and "log" in files.folders(name)}
    else:
        folder = Path(address)
        address = str(folder.resolve())
        present = {p.name for p in folder.iterdir() if _NAME.fullmatch(p.name) and (p / "log").is_dir()} if folder.is_dir() else set()
    return sorted(present | {model for registry, _, model in remembered if registry == address})


def only_model(root: Address, model: str) -> str:
    """Return `model`, or the only model of the registry if it is empty; the bundled model's name for an empty registry.

    Raises:
        BadInput: `model` is not in the registry, or it is empty and the registry has several models.
    """
    names = model_names(root)
    if model and check_name(model) not in names and names:
        raise BadInput(f"there is no model {model}", where=str(root), remedy=f"the models are {', '.join(names)}")
    if not model and len(names) > 1:
        raise BadInput("the registry has several models", where=str(root), remedy=f"name one with --model: {', '.join(names)}")
    return model or (names[0] if names else BUNDLED)


def has_old_form(root: Path) -> bool:
    """Return True if the folder is a registry of form 1: a log of one model without a name."""
    log = root / "log"
    return log.is_dir() and any(_OLD_LOG.fullmatch(path.name) for path in log.iterdir())


def refuse_old_form(root: Address) -> None:
    """Raise BadInput if a folder is a registry of form 1, or if the address is neither a folder nor a bucket.

    The message names the command that takes over a registry of form 1.
    """
    if not is_bucket(registry_address(root)) and has_old_form(Path(root)):
        raise BadInput(
            "this registry has the old form, without names of models",
            where=str(root),
            remedy="take it over: " + command(f"registry adopt --registry {root} --model {BUNDLED} --name 'your name' --why 'your reason'"),
        )
