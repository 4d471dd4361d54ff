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


class ServingFolder:
    """Champion and canary, laid out.

    Args:
        folder: of `models.config` and the versions.
        xla: warm up the form that XLA compiles; only where the server runs it.

    Attributes:
        trouble: why there is no canary though the registry has one; empty if all is well.
    """

    def __init__(self, registry: Registry, folder: Path, *, xla: bool = True) -> None:
        self._registry, self._folder, self._xla = registry, folder, xla
        self._verified: set[tuple[int, str]] = set()
        self.trouble = ""

    def lay_out(self) -> Path:
        """Make the folder hold the champion (label `stable`) and the canary (label `canary`), and return its `models.config`.

        Raises:
            BadInput: there is no champion, or it is not what was registered.
            OSError: the disk is full or gone.
        """
        champion, canary = self._registry.champion(), self._registry.canary()
        if champion is None:
            raise BadInput("no champion yet", where=str(self._registry.root), remedy="train one with make run-pipeline")
        self._bring(champion)
        labels, self.trouble = {"stable": champion.number}, ""
        if canary is not None:
            try:
                self._bring(canary)
                labels["canary"] = canary.number
            except BadInput as error:  # what is wrong with the canary is no reason to hold up the champion
                self.trouble = f"the canary is left out: {error}"
        text = _config(self._folder / MODEL, labels)
        path = self._folder / "models.config"
        if not path.is_file() or path.read_text("utf-8") != text:
            write_text(path, text)
        return path

    def _bring(self, version: Version) -> None:
        """Nothing is served that is not what was registered (REG-4): each version's bytes are read once a process, also those of links
        that an earlier one left."""
        known = (version.number, version.digest)
        if known not in self._verified:
            version.verify()
            self._verified.add(known)
        _link(version, self._folder / MODEL / str(version.number), self._xla)


def lay_out(registry: Registry, folder: Path, *, xla: bool = True) -> Path:
    """Lay out once; see `ServingFolder`."""
    return ServingFolder(registry, folder, xla=xla).lay_out()


def _link(version: Version, target: Path, xla: bool) -> None:
    source = (version.folder / "model" / "saved_model").resolve()
    played = source / "assets.extra" / (f"{WARM_UP}_xla" if xla else WARM_UP)
    links = {path.name: path for path in source.iterdir() if path.name != "assets.extra"}
    # The folder may be of another registry, whose version has this number too: a version's own folder is named by its digest.
    if _points(target, links) and _points(target / "assets.extra", {WARM_UP: played}):
        return
    with new_folder(target) as beside:
        for name, path in links.items():
            (beside / name).symlink_to(path)
        (beside / "assets.extra").mkdir()
        (beside / "assets.extra" / WARM_UP).symlink_to(played)


def _points(folder: Path, links: dict[str, Path]) -> bool:
    return all((folder / name).is_symlink() and (folder / name).readlink() == path for name, path in links.items())


def _config(base: Path, labels: dict[str, int]) -> str:
    versions = "".join(f"        versions: {number}\n" for number in sorted(set(labels.values())))
    named = "".join(f'    version_labels {{ key: "{label}" value: {number} }}\n' for label, number in labels.items())
    return (
        "model_config_list {\n  config {\n"
        f'    name: "{MODEL}"\n    base_path: "{base.resolve()}"\n    model_platform: "tensorflow"\n'
        f"    model_version_policy {{\n      specific {{\n{versions}      }}\n    }}\n{named}  }}\n}}\n"
    )
