"""The registry's champion and canary as the folder and configuration that a model server reads (contract 10).

Versions lie in the registry by digest, TensorFlow Serving wants them by number, and a version's folder is never changed. So each is
laid out once, of links into the registry, and `models.config` is replaced whole.
"""

from pathlib import Path

from robo_poet.atomic import new_folder, write_text
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.version import Version

MODEL = "robo-poet"
WARM_UP = "tf_serving_warmup_requests"


def lay_out(registry: Registry, folder: Path, *, xla: bool = True) -> Path:
    """Make `folder` hold the champion (label `stable`) and the canary (label `canary`), and return its `models.config`.

    Args:
        xla: warm up the form that XLA compiles; only where the server runs it.

    Raises:
        BadInput: there is no champion, or a version is not what was registered.
    """
    champion, canary = registry.champion(), registry.canary()
    if champion is None:
        raise BadInput("no champion yet", where=str(registry.root), remedy="train one with make run-pipeline")
    labels = {"stable": champion, **({"canary": canary} if canary else {})}
    for version in labels.values():
        _link(version, folder / MODEL / str(version.number), xla)
    text = _config(folder / MODEL, {label: version.number for label, version in labels.items()})
    path = folder / "models.config"
    if not path.is_file() or path.read_text("utf-8") != text:
        write_text(path, text)
    return path


def _link(version: Version, target: Path, xla: bool) -> None:
    """Verified when it is laid out: nothing is served that is not what was registered (REG-4)."""
    source = (version.folder / "model" / "saved_model").resolve()
    played = source / "assets.extra" / (f"{WARM_UP}_xla" if xla else WARM_UP)
    links = {target / "saved_model.pb": source / "saved_model.pb", target / "assets.extra" / WARM_UP: played}
    # The folder may be of another registry, whose version has this number too: a version's own folder is named by its digest.
    if all(link.is_symlink() and link.readlink() == to for link, to in links.items()):
        return
    version.verify()
    with new_folder(target) as beside:
        for path in source.iterdir():
            if path.name != "assets.extra":
                (beside / path.name).symlink_to(path)
        (beside / "assets.extra").mkdir()
        (beside / "assets.extra" / WARM_UP).symlink_to(played)


def _config(base: Path, labels: dict[str, int]) -> str:
    versions = "".join(f"        versions: {number}\n" for number in sorted(set(labels.values())))
    named = "".join(f'    version_labels {{ key: "{label}" value: {number} }}\n' for label, number in labels.items())
    return (
        "model_config_list {\n  config {\n"
        f'    name: "{MODEL}"\n    base_path: "{base.resolve()}"\n    model_platform: "tensorflow"\n'
        f"    model_version_policy {{\n      specific {{\n{versions}      }}\n    }}\n{named}  }}\n}}\n"
    )
