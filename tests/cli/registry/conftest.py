"""Registries with one and two models, and a function that calls `robo-poet registry`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.registry import app
from robo_poet.registry.registry import Registry

Call = Callable[..., Result]


def _register(root: Path, model: str, number: int, stage: str) -> Registry:
    files = {name: root.parent / name for name in ("weights", "card.json")}
    files["weights"].write_text(f"{model}{number}")
    files["card.json"].write_text(json.dumps({"samples": {"drawn": [{"prompt": "O", "text": f" {model}"}]}}))
    registry = Registry(root, model)
    registry.register(
        files,
        metrics={"perplexity": 40.0 * number, "bits_per_byte": 2.5 - number / 4, "bleu": None},
        lineage={
            "source": f"{model}.csv",
            "profile": "local",
            "changed": {"train.epochs": 3, "gates.perplexity": "<= 50"},
            "code": {"ingest": "0123456789abcdef", "train_model": "fedcba9876543210"},
            "settings": {"seed": 42, "train": {"epochs": 3}, "gates": [{"metric": "perplexity", "max": 50}]},
            "inputs": {"corpus": f"{model:f<64}", "tokenizer": "7" * 64},
        },
        decision={
            "verdict": "accepted" if stage == "candidate" else "rejected",
            "gates": [{"metric": "perplexity", "bound": "<= 50", "verdict": "pass"}],
            "intervals": {"bits_per_byte": [2.0, 3.0]},
        },
        stage=stage,
        who="ada",
        why="said [so]",
    )
    return registry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry whose only model, poems, has a champion and a rejected version."""
    _register(tmp_path / "registry", "poems", 1, "candidate")
    _register(tmp_path / "registry", "poems", 2, "rejected").promote(1, who="bob", why="first")
    return tmp_path / "registry"


@pytest.fixture
def two_models(folder: Path) -> Path:
    """The same registry with a second model, odes."""
    _register(folder, "odes", 1, "candidate")
    return folder


@pytest.fixture
def call() -> Call:
    """Call a command on a registry folder: `call(folder, "list", "--json")`. The terminal has 160 columns."""

    def run(folder: Path, *words: str, columns: int = 160) -> Result:
        return CliRunner().invoke(app, [*words, "--registry", str(folder)], env={"COLUMNS": str(columns)})

    return run
