"""The exported model: `generate`, the whole decode loop in one call, and `score` (contract 6)."""

from pathlib import Path

import keras
import tensorflow as tf

from components.train_model.architecture import Architecture
from components.train_model.sampler import sample, uniform
from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import END, PAD

MAX_LENGTH = 512  # tokens, the prompt among them (GEN-2)


def _spec(name: str, dtype: tf.DType, rank: int = 1) -> tf.TensorSpec:
    return tf.TensorSpec([None] * rank, dtype, name=name)


class Exported(tf.Module):
    """What a SavedModel of ours holds. All inputs and outputs have the batch first.

    Args:
        size: tokens that exist; ids from `size` on are masked (DATA-5).
    """

    def __init__(self, model: keras.Model, architecture: Architecture, size: int) -> None:
        super().__init__(name="robo_poet")
        self.model, self._architecture = model, architecture
        vocabulary = int(model.output_shape[-1])
        never = [i < END or i >= size for i in range(vocabulary)]  # PAD, UNK, START and what has no text
        self._never = tf.constant([-float("inf") if n else 0.0 for n in never])
        self._not_yet = tf.constant([-float("inf") if i == END else 0.0 for i in range(vocabulary)])

    @tf.function(input_signature=[_spec("tokens", tf.int32, 2)])
    def score(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        """Likelihood of each token after the first, from unmodified probabilities.

        Args:
            tokens: `[batch, time]` int32, post-padded with PAD.

        Returns:
            `log_prob` `[batch, time−1]` float32, nats, 0 on padding; `rank` `[batch, time−1]` int32, how many tokens were
            thought likelier, −1 on padding.
        """
        targets = tokens[:, 1:]
        logits = self.model(tokens[:, :-1], training=False)
        chosen = tf.gather(logits, targets, batch_dims=2)
        log_prob = chosen - tf.reduce_logsumexp(logits, axis=-1)
        rank = tf.math.count_nonzero(logits > chosen[..., None], axis=-1, dtype=tf.int32)
        real = targets != PAD
        return {"log_prob": tf.where(real, log_prob, 0.0), "rank": tf.where(real, rank, -1)}

    @tf.function(
        input_signature=[
            _spec("prompt", tf.int32, 2), _spec("prompt_length", tf.int32), _spec("max_new", tf.int32), _spec("min_new", tf.int32),
            _spec("temperature", tf.float32), _spec("top_k", tf.int32), _spec("top_p", tf.float32), _spec("seed", tf.int64),
        ]
    )  # fmt: skip
    def generate(
        self, prompt: tf.Tensor, prompt_length: tf.Tensor, max_new: tf.Tensor, min_new: tf.Tensor,
        temperature: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor, seed: tf.Tensor,
    ) -> dict[str, tf.Tensor]:  # fmt: skip
        """Continue each prompt, one call a completion.

        Args:
            prompt: `[batch, time]` int32, post-padded; it begins with `<START>`.
            prompt_length, max_new, min_new: `[batch]` int32, tokens; prompt and continuation together end at 512.
            temperature, top_k, top_p, seed: `[batch]`, as in `sampler.sample`.

        Returns:
            `tokens` `[batch, longest]` int32, the continuation post-padded with PAD, `<END>` left out; `length` `[batch]`;
            `log_prob` `[batch, longest]` float32, nats under the unmodified probabilities; `ended` `[batch]` bool, whether
            the model itself ended (`<END>`) and not a limit.
        """
        batch = tf.shape(prompt)[0]
        stop = tf.minimum(prompt_length + max_new, MAX_LENGTH)
        last = tf.reduce_max(stop)
        prompt = tf.pad(prompt, [[0, 0], [0, tf.maximum(0, last - tf.shape(prompt)[1])]])
        state = self._architecture.init_state(self.model, batch)
        ended = tf.zeros([batch], tf.bool)
        tokens = tf.TensorArray(tf.int32, last, element_shape=[None])
        chances = tf.TensorArray(tf.float32, last, element_shape=[None])
        tokens = tokens.write(0, tf.fill([batch], PAD))
        chances = chances.write(0, tf.zeros([batch]))
        current = prompt[:, 0]
        at = tf.constant(1)
        while at < last and not tf.reduce_all(ended | (at >= stop)):
            logits, state = self._architecture.step(self.model, current, state)
            early = at < prompt_length + min_new
            allowed = logits + self._never + tf.where(early[:, None], self._not_yet, 0.0)
            drawn = sample(allowed, temperature, top_k, top_p, uniform(seed, at))
            given = at < prompt_length
            running = ~given & ~ended & (at < stop)
            ended = ended | (running & (drawn == END))
            written = running & (drawn != END)
            log_prob = tf.gather(tf.nn.log_softmax(logits), drawn, batch_dims=1)
            tokens = tokens.write(at, tf.where(written, drawn, PAD))
            chances = chances.write(at, tf.where(written, log_prob, 0.0))
            current = tf.where(given, prompt[:, at], tf.where(written, drawn, PAD))
            at += 1
        rows = tf.transpose(tokens.stack())
        length = tf.reduce_sum(tf.cast(rows != PAD, tf.int32), axis=1)
        # Each row's continuation begins where its prompt ends: bring them to the left.
        span = tf.range(tf.maximum(1, tf.reduce_max(length)))[None, :]
        index = tf.minimum(prompt_length[:, None] + span, tf.shape(rows)[1] - 1)
        inside = span < length[:, None]
        return {
            "tokens": tf.where(inside, tf.gather(rows, index, batch_dims=1), PAD),
            "length": length,
            "log_prob": tf.where(inside, tf.gather(tf.transpose(chances.stack()), index, batch_dims=1), 0.0),
            "ended": ended,
        }


def export(model: keras.Model, architecture: Architecture, size: int, folder: Path) -> None:
    """Write `saved_model/` into `folder`.

    Raises:
        BadInput: the disk is full or the folder may not be written, which TensorFlow does not say by an OSError.
    """
    module = Exported(model, architecture, size)
    target = folder / "saved_model"
    signatures = {"generate": module.generate, "score": module.score, "serving_default": module.generate}
    try:
        tf.saved_model.save(module, str(target), signatures=signatures)
    except tf.errors.OpError as error:
        raise BadInput(f"the model cannot be written ({error.message})", where=str(folder), remedy="free space and run again") from None
    # A random identity that would give each export another digest; TensorFlow loads without it.
    (target / "fingerprint.pb").unlink(missing_ok=True)
