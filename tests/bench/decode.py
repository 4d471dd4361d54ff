"""Writing 100 tokens with untrained models of full size: the loop in the graph, beside a loop in Python and beside KerasHub."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.train_model.architectures.architecture import ARCHITECTURES, Architecture
from components.train_model.export.saved_model import ServingModule
from components.train_model.generation.sampler import sample, uniform
from robo_poet.settings.train import TrainSettings
from tests.bench.completion import NEW, PROMPT, TEMPERATURE, TOP_K, TOP_P, VOCABULARY, asked
from tests.bench.frame import Row, in_turns


def in_graph(signature: Any, rows: int, new: int = NEW) -> Callable[[], Any]:
    """One call, one batch of completions."""
    inputs = list(asked(rows, new).values())
    return lambda: signature(*inputs)["tokens"].numpy()


def in_python(architecture: Architecture, model: keras.Model, rows: int) -> Callable[[], Any]:
    """The way of TensorFlow's text generation tutorial: the prompt read in one compiled call, then a compiled step with the same sampler,
    called in a Python loop."""
    options = asked(rows)
    draw = [options[name] for name in ("temperature", "top_k", "top_p")]

    def drawn(tokens: tf.Tensor, state: Any, position: tf.Tensor) -> tuple[tf.Tensor, Any]:
        features, state = architecture.step(model, tokens, state, position)
        kernel, bias = architecture.head(model)
        return sample(tf.matmul(features, kernel) + bias, *draw, uniform(options["seed"], position)), state

    @tf.function
    def first(prompt: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        for at in range(PROMPT - 1):
            _, state = architecture.step(model, prompt[:, at], state, tf.constant(at))
        return drawn(prompt[:, PROMPT - 1], state, tf.constant(PROMPT - 1))

    step = tf.function(drawn)

    def write() -> Any:
        token, state = first(options["prompt"], architecture.init_state(model, tf.constant(rows)))
        written = [token]
        for at in range(PROMPT, PROMPT + NEW - 1):
            token, state = step(token, state, tf.constant(at))
            written.append(token)
        return tf.stack(written, axis=1).numpy()

    return write


def keras_hub_way(rows: int) -> Callable[[], Any]:
    """KerasHub's GPT-2 of the same shape, compiled as it comes, with the same kind of draw and a cache just as long as needed."""
    import keras_hub  # seconds, and only this needs it

    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=VOCABULARY, num_layers=6, num_heads=4, hidden_dim=128, intermediate_dim=512, dropout=0.1, max_sequence_length=512
    )
    model = keras_hub.models.GPT2CausalLM(backbone, preprocessor=None)
    model.compile(sampler=keras_hub.samplers.TopPSampler(p=TOP_P, k=TOP_K, temperature=TEMPERATURE, seed=1))
    tokens = np.zeros((rows, PROMPT + NEW), np.int32)
    tokens[:, :PROMPT] = np.arange(10, 10 + PROMPT)
    given = {"token_ids": tokens, "padding_mask": np.arange(PROMPT + NEW)[None].repeat(rows, 0) < PROMPT}
    return partial(model.generate, given, stop_token_ids=None)


def run() -> list[Row]:
    """Tokens a second, and the time to a first token."""
    rows: list[Row] = []
    for name in ("lstm", "transformer"):
        keras.utils.set_random_seed(1)
        architecture = ARCHITECTURES[name]
        model = architecture.build(TrainSettings(architecture=name), VOCABULARY)
        exported = ServingModule(model, architecture, VOCABULARY)
        peers = {"python loop": in_python(architecture, model, 1)}
        if name == "transformer":
            peers["keras-hub generate"] = keras_hub_way(1)
        ours = {
            f"{form} {batch}": in_graph(getattr(exported, form), batch) for form in ("generate_xla", "generate") for batch in (1, 8, 32)
        }
        first = {f"first {form}": in_graph(getattr(exported, form), 1, 1) for form in ("generate_xla", "generate")}
        seconds = in_turns({**peers, **ours, **first})
        for form in ("generate_xla", "generate"):
            speed = {batch: batch * NEW / seconds[f"{form} {batch}"] for batch in (1, 8, 32)}
            rows += [Row(f"{name} {form} batch 1", "tokens/s", speed[1], peer, NEW / seconds[peer]) for peer in peers]
            rows += [Row(f"{name} {form} batch {batch}", "tokens/s", speed[batch], "batch 1", speed[1]) for batch in (8, 32)]
            rows.append(Row(f"{name} {form} 100 tokens, batch 1", "ms", 1000 * seconds[f"{form} 1"], "", None))
            rows.append(Row(f"{name} {form} first token", "ms", 1000 * seconds[f"first {form}"], "", None))
    return rows
