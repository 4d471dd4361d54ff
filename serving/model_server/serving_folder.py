"""The folder and configuration that a model server reads, made from the registry's state (contract 10).

The registry stores versions by digest, but TensorFlow Serving needs folders named by number, and a version's folder never changes.
So each version gets a folder with a copy of its files. A copy, not links: the model server reads the files later, and a change of the
registry after the verification must not reach it. `models.config` is replaced atomically.
"""

from pathlib import Path

from robo_poet.atomic import new_folder, write_text
from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.version import Version

EXTRA_FOLDER = "assets.extra"  # of a SavedModel; TensorFlow Serving replays the requests in its WARM_UP_FILE
WARM_UP_FILE = "tf_serving_warmup_requests"
SAVED_MODEL = "model/saved_model/"  # in a version


class ServingFolder:
    """A folder for a model server: the champion, the canary, and the former champion while it keeps users after a promotion.

    The model server knows the model by its registry name.

    Args:
        registry: the versions of the model.
        folder: folder for `models.config`, and for the versions in a folder with the model's name.
        xla: use the warm-up requests of the XLA signatures; only for a server that enables them.

    Attributes:
        trouble: why the canary or the former champion is left out; empty if there is no problem.
    """

    def __init__(self, registry: Registry, folder: Path, *, xla: bool = True) -> None:
        self._registry, self._folder, self._xla = registry, folder, xla
        self._verified: set[tuple[int, str]] = set()
        self.trouble = ""

    def lay_out(self) -> Path:
        """Write the versions to the folder, and return the path of `models.config`. Labels: `stable`, `canary` and `former`.

        Raises:
            BadInput: there is no champion, or its files differ from the registered ones.
            OSError: the folder cannot be written, for example because the disk is full.
        """
        champion, state = self._registry.released(), self._registry.state()
        self._copy_verified(champion)
        labels, self.trouble = {"stable": champion.number}, ""
        for label, words, number in (
            ("canary", "canary", state.canary), ("former", "former champion", state.watch.former if state.watch else None),
        ):  # fmt: skip
            if number is None or number in labels.values():
                continue
            try:
                self._copy_verified(self._registry.version(number))
                labels[label] = number
            except BadInput as error:  # a faulty version must not block the champion
                self.trouble = f"the {words} is left out: {error}"
        text = _config(self._folder / self._registry.model, labels)
        path = self._folder / "models.config"
        if not path.is_file() or path.read_text("utf-8") != text:
            write_text(path, text)
        return path

    def _copy_verified(self, version: Version) -> None:
        """Verify a version and copy it into the folder.

        Only registered bytes are served (REG-4). So each version is verified once per process, even if its copy already exists.
        """
        key, target = (version.number, version.digest), self._folder / version.model / str(version.number)
        if key in self._verified and target.is_dir():
            return
        version.verify()
        _copy(version, target, self._xla)
        self._verified.add(key)


def lay_out(registry: Registry, folder: Path, *, xla: bool = True) -> Path:
    """Write the folder once and return the path of `models.config`; see `ServingFolder.lay_out`."""
    return ServingFolder(registry, folder, xla=xla).lay_out()


def _copy(version: Version, target: Path, xla: bool) -> None:
    """Copy the SavedModel of a version to `target`, each file checked against its digest. An equal copy is kept."""
    names = {name: name.removeprefix(SAVED_MODEL) for name in version.manifest().files if name.startswith(SAVED_MODEL)}
    wanted = {name: below for name, below in names.items() if not below.startswith(f"{EXTRA_FOLDER}/")}
    warm_up = f"{SAVED_MODEL}{EXTRA_FOLDER}/{WARM_UP_FILE}{'_xla' if xla else ''}"
    if warm_up in names:
        wanted[warm_up] = f"{EXTRA_FOLDER}/{WARM_UP_FILE}"
    if _holds(target, {below: version.manifest().files[name] for name, below in wanted.items()}):
        return
    with new_folder(target) as staging:
        for name, below in wanted.items():
            path = staging / below
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(version.read(name))


def _holds(folder: Path, digests: dict[str, str]) -> bool:
    """Return True if a folder has exactly these files."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}
    if folder.is_symlink() or paths.keys() != digests.keys():
        return False
    return all(not path.is_symlink() and digest_file(path) == digests[name] for name, path in paths.items())


def _config(base: Path, labels: dict[str, int]) -> str:
    version_lines = "".join(f"        versions: {number}\n" for number in sorted(set(labels.values())))
    label_lines = "".join(f'    version_labels {{ key: "{label}" value: {number} }}\n' for label, number in labels.items())
    return (
        "model_config_list {\n  config {\n"
        f'    name: "{base.name}"\n    base_path: "{base.resolve()}"\n    model_platform: "tensorflow"\n'
        f"    model_version_policy {{\n      specific {{\n{version_lines}      }}\n    }}\n{label_lines}  }}\n}}\n"
    )
