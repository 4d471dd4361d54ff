"""The SavedModel with the signatures `generate`, `generate_xla`, `beam_search` and `score` (contract 6), and warm-up requests (SERVE-1).

A model server runs the warm-up requests before it serves a version, so that no user waits for a slow first call. TensorFlow Serving reads
`assets.extra/tf_serving_warmup_requests`, which calls `generate`. `tf_serving_warmup_requests_xla` next to it calls `generate_xla`. Replace
the first file by the second only if the server runs with `--xla_cpu_compilation_enabled=true`: a version does not load if a warm-up
request fails.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from components.train_model.architectures.architecture import Architecture
from components.train_model.architectures.projection import likelihood
from components.train_model.generation.beam import beam_search
from components.train_model.generation.decode import decode
from components.train_model.generation.request import make_request
from components.train_model.generation.sampler import tournament_top_k
from robo_poet.errors import BadInput
from robo_poet.model.completion import MAX_BEAMS, MAX_LENGTH, MIN_BEAMS, StopReason
from robo_poet.model.tokenizer import PAD

WARM_UP_BATCHES = (1, 2, 4, 8, 16, 32)  # batch sizes that a server should round up to (`allowed_batch_sizes`)
WARM_UP_FILE = "tf_serving_warmup_requests"
WARM_UP_TOKENS = 2  # new tokens per request: two are enough to run all code of the generation loop


def write_warm_up(saved_model: Path) -> None:
    """Write the two files of warm-up requests into `assets.extra/` of a SavedModel's folder."""
    folder = saved_model / "assets.extra"
    folder.mkdir()
    for name, signature in ((WARM_UP_FILE, "generate"), (WARM_UP_FILE + "_xla", "generate_xla")):
        with tf.io.TFRecordWriter(str(folder / name)) as file:
            for log in [*(_generate_request(signature, batch) for batch in WARM_UP_BATCHES), _score_request()]:
                file.write(log.SerializeToString(deterministic=True))


def _generate_request(signature: str, batch: int) -> PredictionLog:
    def row(value: object, dtype: type[np.generic]) -> object:
        return np.full(batch, value, dtype)

    return _signature_request(
        signature, prompt=np.full((batch, 4), 2, np.int32), prompt_length=row(4, np.int32), max_new=row(WARM_UP_TOKENS, np.int32),
        min_new=row(WARM_UP_TOKENS, np.int32), repetition_penalty=row(1, np.float32), stop_tokens=np.zeros((batch, 1), np.int32),
        banned_tokens=np.zeros((batch, 1), np.int32), temperature=row(1, np.float32), top_k=row(50, np.int32), top_p=row(0.9, np.float32),
        seed=row(0, np.int64),
    )  # fmt: skip


def _score_request() -> PredictionLog:
    return _signature_request("score", tokens=np.full((1, 8), 2, np.int32))


def _signature_request(signature: str, **inputs: object) -> PredictionLog:
    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return log


def _spec(name: str, dtype: tf.DType, rank: int = 1) -> tf.TensorSpec:
    return tf.TensorSpec([None] * rank, dtype, name=name)


PROMPT_INPUTS = [
    _spec("prompt", tf.int32, 2), _spec("prompt_length", tf.int32), _spec("max_new", tf.int32), _spec("min_new", tf.int32),
    _spec("repetition_penalty", tf.float32), _spec("stop_tokens", tf.int32, 2), _spec("banned_tokens", tf.int32, 2),
]  # fmt: skip
SAMPLING_INPUTS = [_spec("temperature", tf.float32), _spec("top_k", tf.int32), _spec("top_p", tf.float32), _spec("seed", tf.int64)]
BEAM_INPUTS = [_spec("beams", tf.int32), _spec("length_penalty", tf.float32)]


class ServingModule(tf.Module):
    """The module that is saved as a SavedModel. The batch is the first axis of all inputs and outputs.

    Args:
        model: the trained model.
        architecture: the architecture of `model`.
        size: number of tokens of the tokenizer; ids from `size` on are masked (DATA-5).
    """

    def __init__(self, model: keras.Model, architecture: Architecture, size: int) -> None:
        super().__init__(name="robo_poet")
        self.model, self._architecture, self._size = model, architecture, size
        self._vocabulary = int(model.output_shape[-1])
        self._body = architecture.body(model)
        self._compiled = tf.function(self._decode_compiled, jit_compile=True)

    @tf.function(input_signature=[_spec("tokens", tf.int32, 2)])
    def score(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return log probability and rank of each token after the first, from unmodified logits.

        Args:
            tokens: `[batch, time]` int32, post-padded with PAD.

        Returns:
            `log_prob` `[batch, time−1]` float32, nats, 0 on padding; `rank` `[batch, time−1]` int32, the number of tokens with a
            higher probability, −1 on padding.

        Raises:
            tf.errors.InvalidArgumentError: an input is out of range; raised when the graph runs, and the message names the input.
        """
        checks = [
            tf.debugging.assert_equal(tf.shape(tokens)[1] >= 2, True, message="tokens: must have at least 2 columns"),
            tf.debugging.assert_equal(
                tf.reduce_all((tokens >= 0) & (tokens < self._size)), True,
                message=f"tokens: unknown token id, the valid ids are 0 to {self._size - 1}",
            ),
        ]  # fmt: skip
        with tf.control_dependencies([check for check in checks if check is not None]):
            tokens = tf.identity(tokens)
        targets = tokens[:, 1:]
        features = self._body(tokens[:, :-1], training=False)
        log_prob, rank = likelihood(
            tf.reshape(features, [-1, features.shape[-1]]), *self._architecture.head(self.model), tf.reshape(targets, [-1])
        )
        return {"log_prob": tf.reshape(log_prob, tf.shape(targets)), "rank": tf.reshape(rank, tf.shape(targets))}

    @tf.function(input_signature=PROMPT_INPUTS + SAMPLING_INPUTS)
    def generate(self, *inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Continue each prompt by sampling. Runs on any device.

        Args:
            inputs: `PROMPT_INPUTS`, see `make_request`, then `SAMPLING_INPUTS`, `[batch]` each, see `sample`. Prompt and continuation have
                at most MAX_LENGTH tokens together. The noise depends only on (seed, position).

        Returns:
            - `tokens` `[batch, longest]` int32: the continuation, post-padded with PAD. `<END>` is removed, a stop token is kept.
            - `length` `[batch]` int32.
            - `log_prob` `[batch, longest]` float32, nats, from unmodified logits.
            - `stop_reason` `[batch]` int32, a `StopReason`.

        Raises:
            tf.errors.InvalidArgumentError: an input is out of range; raised when the graph runs, and the message names the input.
        """
        return self._generate_with(self._decode, *inputs)

    @tf.function(input_signature=PROMPT_INPUTS + SAMPLING_INPUTS)
    def generate_xla(self, *inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Continue each prompt as `generate`, with a loop that XLA compiles for each new batch size.

        The compiled loop is faster, but the server must allow XLA on its device.
        """
        return self._generate_with(self._compiled, *inputs)

    @tf.function(input_signature=PROMPT_INPUTS + BEAM_INPUTS)
    def beam_search(self, *inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Continue each prompt by beam search.

        Args:
            inputs: `PROMPT_INPUTS`, then `BEAM_INPUTS`, `[batch]` each, see the function `beam_search`.

        Returns:
            The same as `generate`, but with `score` instead of `log_prob`. `score` is `[batch]` float32: the sum of log probabilities
            divided by the length factor.
        """
        prompt_inputs, (beams, penalty) = inputs[: len(PROMPT_INPUTS)], inputs[len(PROMPT_INPUTS) :]
        checks = [
            tf.debugging.assert_equal(
                tf.reduce_all((beams == 1) | (beams >= MIN_BEAMS) & (beams <= MAX_BEAMS)),
                True,
                message=f"beams: must be 1 or {MIN_BEAMS} to {MAX_BEAMS}",
            ),
            tf.debugging.assert_equal(tf.reduce_all((penalty >= 0) & (penalty <= 2)), True, message="length_penalty: must be 0 to 2"),
        ]
        with tf.control_dependencies([check for check in checks if check is not None]):
            request = self._request(prompt_inputs)
        tokens, score, reason = beam_search(self._architecture, self.model, request, beams, penalty)
        return {
            **_align_left(request.prompt_length, tokens),
            "score": score,
            "stop_reason": _with_context_reason(reason, *prompt_inputs[1:3]),
        }

    def _request(self, prompt_inputs: tuple[tf.Tensor, ...]) -> Any:
        prompt, prompt_length, max_new, min_new, penalty, stop_tokens, banned_tokens = prompt_inputs
        return make_request(
            prompt, prompt_length, max_new, min_new, penalty, stop_tokens, banned_tokens, size=self._size, vocabulary=self._vocabulary
        )

    def _decode(self, request: Any, *sampling: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return decode(self._architecture, self.model, request, *sampling)

    def _decode_compiled(self, request: Any, *sampling: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return decode(self._architecture, self.model, request, *sampling, select=tournament_top_k)

    def _generate_with(self, decode_loop: Any, *inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        prompt_inputs, sampling = inputs[: len(PROMPT_INPUTS)], inputs[len(PROMPT_INPUTS) :]
        temperature, top_k, top_p, _ = sampling
        checks = [
            tf.debugging.assert_equal(tf.reduce_all(valid), True, message=message)
            for valid, message in (
                ((temperature > 0) & (temperature <= 100), "temperature: must be above 0 and at most 100"),
                ((top_k >= 0) & (top_k <= 100), "top_k: must be 1 to 100, or 0 for no limit"),
                ((top_p > 0) & (top_p <= 1), "top_p: must be above 0 and at most 1"),
            )
        ]
        with tf.control_dependencies([check for check in checks if check is not None]):
            request = self._request(prompt_inputs)
        tokens, log_probs, reason = decode_loop(request, *sampling)
        return {**_align_left(request.prompt_length, tokens, log_probs), "stop_reason": _with_context_reason(reason, *prompt_inputs[1:3])}


def _align_left(prompt_length: tf.Tensor, tokens: tf.Tensor, log_probs: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
    """Return each row's continuation without its prompt, left-aligned and padded with PAD to the length of the longest one."""
    length = tf.reduce_sum(tf.cast(tokens != PAD, tf.int32), axis=1)
    offsets = tf.range(tf.maximum(1, tf.reduce_max(length)))[None, :]
    index = tf.minimum(prompt_length[:, None] + offsets, MAX_LENGTH - 1)
    in_continuation = offsets < length[:, None]
    outputs = {"tokens": tf.where(in_continuation, tf.gather(tokens, index, batch_dims=1), PAD), "length": length}
    if log_probs is not None:
        outputs["log_prob"] = tf.where(in_continuation, tf.gather(log_probs, index, batch_dims=1), 0.0)
    return outputs


def _with_context_reason(reason: tf.Tensor, prompt_length: tf.Tensor, max_new: tf.Tensor) -> tf.Tensor:
    """Replace LENGTH by CONTEXT where the context limit allowed fewer tokens than requested, so that the client sees the truncation."""
    context_full = (reason == int(StopReason.LENGTH)) & (prompt_length + max_new > MAX_LENGTH)
    return tf.where(context_full, int(StopReason.CONTEXT), reason)


def export(model: keras.Model, architecture: Architecture, size: int, folder: Path) -> None:
    """Write the SavedModel with its warm-up requests to `saved_model/` in `folder`.

    Raises:
        BadInput: the disk is full or the folder is not writable. TensorFlow raises an OpError for both, not an OSError.
    """
    module = ServingModule(model, architecture, size)
    target = folder / "saved_model"
    signatures = {name: getattr(module, name) for name in ("generate", "generate_xla", "beam_search", "score")}
    try:
        tf.saved_model.save(module, str(target), signatures={**signatures, "serving_default": module.generate})
        write_warm_up(target)
    except tf.errors.OpError as error:
        raise BadInput(f"the model cannot be written ({error.message})", where=str(folder), remedy="free space and run again") from None
    # The fingerprint has a random id, so each export would have another digest. TensorFlow loads without it.
    (target / "fingerprint.pb").unlink(missing_ok=True)
