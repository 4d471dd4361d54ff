"""Estimate of a training's memory from its settings, printed before the training begins (TRAIN-3). Tests compare it with measurements."""

from dataclasses import astuple, dataclass

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.architectures.projection import CHUNK
from components.train_model.training.feed import SHUFFLE_BUFFER
from robo_poet.settings.train import TrainSettings

FLOAT_BYTES = 4  # bytes
# Arrays of the size of a chunk's logits: logits, exponentials, gradient, and the casts for the two products.
LOGITS_KEPT = 5
PROGRAM_BYTES = 130e6  # graph, scratch memory of the kernels, runtime; measured, almost independent of the settings


@dataclass(frozen=True)
class Memory:
    """A memory estimate in bytes. A process with TensorFlow loaded takes about 650 MB of host memory in addition."""

    weights: float
    gradients: float
    moments: float
    activations: float
    logits: float
    feed: float
    program: float

    @property
    def total(self) -> float:
        """Return the sum of all parts, in bytes."""
        return float(sum(astuple(self)))

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value / 1e6:,.0f}" for name, value in vars(self).items())
        return f"about {self.total / 1e6:,.0f} MB: {parts}"


def estimate_memory(settings: TrainSettings, parameters: int, vocabulary: int, windows: int = 0) -> Memory:
    """Return the peak memory of a training. On a GPU, all parts but `feed` are in GPU memory; on a CPU, all parts are in host memory.

    Args:
        settings: the training's settings.
        parameters: number of the model's parameters.
        vocabulary: width of the logits.
        windows: number of sequences of the training split.
    """
    tokens = settings.batch * settings.window
    rows = min(CHUNK, tokens)
    return Memory(
        weights=parameters * FLOAT_BYTES,
        gradients=2 * parameters * FLOAT_BYTES,  # gradients and updates
        moments=2 * parameters * FLOAT_BYTES,
        activations=tokens * ARCHITECTURES[settings.architecture].activation_floats_per_token(settings) * FLOAT_BYTES,
        logits=LOGITS_KEPT * rows * vocabulary * FLOAT_BYTES,
        # window positions, shuffle buffer, four prefetched batches
        feed=16.0 * windows + 8 * SHUFFLE_BUFFER + 4 * tokens * 2 * FLOAT_BYTES,
        program=PROGRAM_BYTES,
    )


def gpu_memory_warning(memory: Memory, settings: TrainSettings, gpus: int) -> str:
    """Return a warning if the training does not fit into the GPU memory limit; empty if it fits or there is no GPU or no limit."""
    limit = settings.gpu_memory_mb * 1e6
    on_card = memory.total - memory.feed
    if not gpus or not limit or on_card <= limit:
        return ""
    return (
        f"training needs about {on_card / 1e9:.1f} GB of GPU memory, more than the limit train.gpu_memory_mb of {limit / 1e9:.1f} GB; "
        "lower train.batch or train.window"
    )
