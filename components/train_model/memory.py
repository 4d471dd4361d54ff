"""How much memory a training will take, from its settings alone: said before it begins, and tested against what it takes (TRAIN-3)."""

from dataclasses import astuple, dataclass

from components.train_model.architecture import ARCHITECTURES
from components.train_model.feed import SHUFFLE_BUFFER
from components.train_model.projection import CHUNK
from robo_poet.settings.train import TrainSettings

FLOAT = 4  # bytes
# Of a chunk's logits: themselves, their exponentials, their gradient, and what is cast for the two products.
LOGITS_KEPT = 5
PROGRAM = 130e6  # the graph, kernels' scratch, the runtime: measured, hardly dependent on the settings


@dataclass(frozen=True)
class Memory:
    """In bytes. A program that has TensorFlow loaded takes some 650 MB of a machine's memory before any of it."""

    weights: float
    gradients: float
    moments: float
    activations: float
    logits: float
    feed: float
    program: float

    @property
    def total(self) -> float:
        """All of it at once."""
        return float(sum(astuple(self)))

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value / 1e6:,.0f}" for name, value in vars(self).items())
        return f"about {self.total / 1e6:,.0f} MB: {parts}"


def estimate(settings: TrainSettings, parameters: int, vocabulary: int, windows: int = 0) -> Memory:
    """What a training takes at most at one time; on a GPU all but `feed` is there, on a CPU all in the machine's memory.

    Args:
        parameters: of the model.
        windows: sequences of the training split.
    """
    tokens = settings.batch * settings.window
    rows = min(CHUNK, tokens)
    return Memory(
        weights=parameters * FLOAT,
        gradients=2 * parameters * FLOAT,  # and the update made of them
        moments=2 * parameters * FLOAT,
        activations=tokens * ARCHITECTURES[settings.architecture].floats_a_token(settings) * FLOAT,
        logits=LOGITS_KEPT * rows * vocabulary * FLOAT,
        feed=16.0 * windows + 8 * SHUFFLE_BUFFER + 4 * tokens * 2 * FLOAT,  # places of the windows, their order, four batches ahead
        program=PROGRAM,
    )


def warning(memory: Memory, settings: TrainSettings, gpus: int) -> str:
    """Why it will not fit into a GPU; empty where it fits or there is none."""
    limit = settings.gpu_memory_mb * 1e6
    on_card = memory.total - memory.feed
    if not gpus or not limit or on_card <= limit:
        return ""
    return f"training will take about {on_card / 1e9:.1f} GB of the GPU, more than train.gpu_memory_mb; lower train.batch or train.window"
