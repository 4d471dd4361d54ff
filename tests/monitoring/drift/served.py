"""A registered toy model with a card, behind the real model server; and damage to what is served."""

from collections.abc import Sequence
from pathlib import Path

from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from tests.conftest import verse
from tests.serving.model_server.conftest import Server

MODEL, SAID = "poems", {"who": "test", "why": "a test"}
HELD_OUT = [verse(seed, lines=6) for seed in range(20, 24)]  # of the test split of the toy corpus


def release(folder: Path, training: Path, tokenizer: Path, card: str) -> Registry:
    """Return a registry whose version 1 is the toy model with this card, and the champion."""
    registry = Registry(folder / "registry", MODEL)
    (folder / "card.json").write_text(card)
    files = {"model": training / "model", "tokenizer": tokenizer, "card.json": folder / "card.json"}
    registry.register(files, metrics={}, lineage={}, decision={}, stage="candidate", **SAID)
    registry.promote(1, **SAID)
    return registry


def settings_of(address: str) -> ServeSettings:
    return ServeSettings(model_server=address)


def nats_of(server: Server, rows: Sequence[Sequence[int]]) -> list[float]:
    """Return the mean cross-entropy of each row of tokens, in nats per token, as the gateway measures prompts."""
    found = []
    for row in rows:
        answer = server.call(f"/v1/models/{MODEL}/versions/1:predict", signature_name="score", inputs={"tokens": [list(row)]})
        log_probs = answer.json()["outputs"]["log_prob"][0]
        found.append(-sum(log_probs) / len(log_probs))
    return found


def damage(copy: Path, noise: float) -> None:
    """Add noise to the weights of a version in the folder of the model server, as a broken disk or a bad conversion may."""
    import numpy as np
    import tensorflow as tf

    dice, module = np.random.default_rng(1), tf.saved_model.load(str(copy))
    signatures = {name: module.signatures[name] for name in ("generate", "score")}
    for weight in signatures["score"].variables:
        if weight.dtype.is_floating:
            values = weight.numpy()
            weight.assign(values + dice.normal(0, noise * values.std(), values.shape).astype(values.dtype))
    saved = tf.Module()
    saved.weights = signatures["score"].variables
    for path in sorted(copy.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    tf.saved_model.save(saved, str(copy), signatures=signatures)
