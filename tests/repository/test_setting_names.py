"""A message that names a setting names its real key, such as `validation.on_anomaly`, so that it can be typed after `--set`."""

import ast
import re
from pathlib import Path

from pydantic import BaseModel

from pipelines.profile.load import Profile

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("robo_poet", "serving", "monitoring", "components", "pipelines", "cli")
# Names of steps and packages that a writer may take for the section of a profile.
NEAR = {
    "validate": "validation",
    "validate_data": "validation",
    "tokenize": "tokenizer",
    "training": "train",
    "evaluation": "evaluate",
    "ingestion": "ingest",
}


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Return all keys of a model, with those of its sections. A key of a free mapping ends in a dot."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(f"{prefix}{name}")
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found |= keys(annotation, f"{prefix}{name}.")
        elif str(annotation).startswith(("dict", "collections.abc.Mapping")):
            found.add(f"{prefix}{name}.")
    return found


KEYS = keys(Profile)
SECTIONS = {key.split(".")[0] for key in KEYS if "." in key}
WORD = re.compile(rf"(?<![\w./:\-@{{])((?:{'|'.join(sorted(SECTIONS | NEAR.keys()))})(?:\.[a-z_][a-z0-9_]*)+)(?![\w(/:]|\.\w)")
FILES = re.compile(r"\.(py|md|json|jsonl|html|yaml|txt|toml|log|csv|key|pb|config)$")


def messages() -> list[tuple[str, str]]:
    """Return (place, text) of each string of the source that is neither a docstring nor the name of a module."""
    found = []
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = {node.body[0].value for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node) is not None}  # type: ignore[attr-defined]
        found += [
            (f"{path.relative_to(ROOT)}:{node.lineno}", node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings
        ]
    return found


def is_key(word: str) -> bool:
    return word in KEYS or any(word.startswith(key) for key in KEYS if key.endswith("."))


def test_settings_in_messages_exist() -> None:
    named = [
        (place, word)
        for place, text in messages()
        for word in WORD.findall(text)
        if not FILES.search(word) and not re.fullmatch(r"[\w.]+", text)
    ]
    assert len(named) > 10
    assert [(place, word) for place, word in named if not is_key(word)] == []


def test_places_of_settings_in_errors_exist() -> None:
    """The `where` of an error is often a key alone, such as `tokenizer.min_coverage`."""
    wrong = [
        (str(path.relative_to(ROOT)), place)
        for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
        for place in re.findall(r'where="([a-z_]+\.[a-z_.]+)"', path.read_text("utf-8"))
        if place.split(".")[0] in SECTIONS | NEAR.keys() and not FILES.search(place) and not is_key(place)
    ]
    assert wrong == []


def test_a_wrong_section_is_found() -> None:
    assert WORD.findall("raise validate.max_copies or drop the copies") == ["validate.max_copies"] and not is_key("validate.max_copies")
    assert is_key("validation.languages") and is_key("serve.outcomes.queue") and not is_key("train.layrs")


def test_sections_in_messages_exist() -> None:
    named = [(place, word) for place, text in messages() for word in re.findall(r"[Ss]ection `([a-z_.]+)`", text)]
    assert named and [(place, word) for place, word in named if word not in SECTIONS and not is_key(word)] == []
