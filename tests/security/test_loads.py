"""No program loads data that can run code, unless its digest is verified before. New places must be added here with their reason."""

import ast
import io
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from tests.bench.verse import Inert, InertUnpickler

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("robo_poet", "serving", "monitoring", "components", "pipelines", "cli", "infra", "tests/bench")

# Modules whose loaders run code of the data.
CODE_LOADERS = {
    "pickle", "_pickle", "pickletools", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch", "skops", "jsonpickle", "runpy", "imp", "code", "pandas",
}  # fmt: skip
# Functions that load data: the last two parts of the dotted name, or the last one.
LOADERS = {
    "load_model", "saved_model.load", "keras.load", "spacy.load", "load_model_from_path", "read_pickle", "from_pickle", "yaml.load", "yaml.load_all", "yaml.unsafe_load",
    "yaml.full_load", "yaml.unsafe_load_all", "yaml.full_load_all", "np.load", "numpy.load", "np.fromfile", "py_function", "numpy_function", "load_weights", "Lambda",
    "load_library", "load_op_library", "enable_unsafe_deserialization", "import_module", "spec_from_file_location", "SourceFileLoader", "CDLL", "PyDLL", "find_loader",
}  # fmt: skip
BUILTINS = {"eval", "exec", "compile", "__import__"}

# (file, loader) → why it is safe.
ALLOWED = {
    ("serving/content_filter/toxicity.py", "joblib"): "the SHA-256 of the bytes is compared with DIGESTS before",
    ("components/train_model/training/warm_start.py", "load_model"): "digest_path is compared with the run's parameter before; safe_mode refuses code in the file",
    ("components/train_model/export/keras_files.py", "load_model"): "the file was written by this process just before; safe_mode",
    ("components/train_model/checkpoint.py", "np.load"): "allow_pickle=False",
    ("components/train_model/export/process.py", "np.load"): "allow_pickle=False",
    ("components/train_model/training/feed.py", "numpy_function"): "a function of this process in a data set that is never saved",
    ("components/measure_text/sentences.py", "spacy.load"): "only an installed package, whose digest is in the lock; the format is msgpack",
    ("robo_poet/privacy/names/spacy_names.py", "spacy.load"): "only an installed package, whose digest is in the lock; the format is msgpack",
    ("robo_poet/model/saved_model.py", "saved_model.load"): "a protobuf graph; the registry's digests are verified before, and a step reads its run's own store",
    ("serving/model_server/servable.py", "saved_model.load"): "a protobuf graph; serving.model_sync verifies digests and signatures before it copies a version",
    ("components/audit_model/__main__.py", "load_model"): "ours: robo_poet.model.saved_model",
    ("components/compare_champion/__main__.py", "load_model"): "ours: robo_poet.model.saved_model, after version.verify()",
    ("components/evaluate_model/__main__.py", "load_model"): "ours: robo_poet.model.saved_model",
    ("cli/generation/loaded_version.py", "load_model"): "ours: robo_poet.model.saved_model, after version.verify()",
    ("pipelines/deletion/exposure.py", "load_model"): "ours: robo_poet.model.saved_model, after version.verify()",
    ("pipelines/run/ir/document.py", "yaml.load_all"): "SafeLoader",
    ("monitoring/drift/comparison.py", "pandas"): "only a DataFrame of our own lists; it reads no file",
    ("serving/model_server/gpus.py", "import_module"): "a constant name",
    ("robo_poet/atomic.py", "CDLL"): "the C library of this process",
    ("robo_poet/process.py", "CDLL"): "the C library of this process",
    ("robo_poet/request_log/scrubbing.py", "CDLL"): "the C library of this process",
    ("tests/bench/__main__.py", "import_module"): "names of this folder",
    ("tests/bench/verse.py", "pickle"): "an unpickler that makes inert objects: it imports nothing and calls nothing that the pickle names",
    ("tests/bench/edge.py", "saved_model.load"): "a model that the benchmark trained",
}  # fmt: skip


def loaders(source: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the name of each loader in a module, with its syntax node."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node) for alias in node.names if alias.name.split(".")[0] in CODE_LOADERS)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if (node.module or "").split(".")[0] in CODE_LOADERS:
                yield (node.module or "").split(".")[0], node
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            parts = name.split(".")
            if name in BUILTINS:
                yield name, node
            elif found := {".".join(parts[-2:]), parts[-1]} & LOADERS:
                yield max(found, key=len), node


def unsafe_arguments(source: str) -> list[str]:
    """Return the calls that switch off a protection, or do not name it where that is required."""
    unsafe = []
    for name, node in loaders(source):
        given = {word.arg: ast.unparse(word.value) for word in node.keywords} if isinstance(node, ast.Call) else {}
        if name in ("np.load", "numpy.load") and given.get("allow_pickle") != "False":
            unsafe.append(ast.unparse(node))
        if name == "load_model" and isinstance(node, ast.Call) and "keras" in ast.unparse(node.func) and given.get("safe_mode") != "True":
            unsafe.append(ast.unparse(node))
    return unsafe


def sources() -> dict[str, str]:
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def test_every_loader_of_the_tree_is_known_and_safe() -> None:
    found = {(path, name) for path, source in sources().items() for name, _ in loaders(source)}
    assert found - ALLOWED.keys() == set(), "verify a digest of ours before loading, or use a format without code; then add the place here"
    assert ALLOWED.keys() - found == set(), "these places are gone"
    assert {path: unsafe_arguments(source) for path, source in sources().items() if unsafe_arguments(source)} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from joblib import load", "import torch.nn", "def f():\n    import dill", "x = eval(text)", "exec(text)", "np.load(f, allow_pickle=True)",
        "keras.models.load_model(f)", "tf.keras.models.load_model(f)", "tf.saved_model.load(f)", "yaml.load(t, yaml.Loader)", "pd.read_pickle(f)", "spacy.load(x)",
        "tf.py_function(f, [], [])", "keras.layers.Lambda(f)", "keras.config.enable_unsafe_deserialization()", "importlib.util.spec_from_file_location(a, b)",
    ],
)  # fmt: skip
def test_a_new_loader_would_be_found(source: str) -> None:
    assert list(loaders(source))


@pytest.mark.parametrize(
    "source", ["np.load(f)", "np.load(f, allow_pickle=True)", "keras.models.load_model(f)", "keras.models.load_model(f, safe_mode=False)"]
)
def test_a_missing_protection_would_be_found(source: str) -> None:
    assert unsafe_arguments(source) and not unsafe_arguments("np.load(f, allow_pickle=False); keras.models.load_model(f, safe_mode=True)")


@pytest.mark.parametrize("source", ["re.compile('a')", "json.loads(t)", "Tokenizer.load(f)", "checkpoints.load('last')", "tomllib.load(f)"])
def test_other_loaders_are_not_meant(source: str) -> None:
    assert not list(loaders(source))


class _Calls:
    """An object whose pickle calls a function."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("made-by-a-pickle",)


def test_the_unpickler_of_the_benchmark_refuses_names_that_a_table_of_text_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="mkdir"):
        InertUnpickler(io.BytesIO(pickle.dumps(_Calls()))).load()
    assert not list(tmp_path.iterdir())


def test_the_unpickler_of_the_benchmark_makes_inert_objects() -> None:
    table = InertUnpickler(io.BytesIO(pickle.dumps(slice(1, 2)))).load()
    assert isinstance(table, Inert) and table.arguments == (1, 2, None)
