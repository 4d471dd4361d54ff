"""The list of callbacks that write for TensorBoard (TRAIN-4)."""

from pathlib import Path

from components.train_model.callbacks.batch_loss import BatchLoss
from components.train_model.callbacks.callback import Callback
from components.train_model.callbacks.embedding_projector import EmbeddingProjector
from components.train_model.callbacks.event_file import EventFile
from components.train_model.callbacks.generation_samples import GenerationSamples
from components.train_model.callbacks.gpu_memory import GpuMemory
from components.train_model.callbacks.histograms import Histograms
from components.train_model.callbacks.optimisation import Optimisation
from components.train_model.callbacks.perplexity import Perplexity
from components.train_model.callbacks.throughput import Throughput
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings


def for_tensorboard(folder: Path, settings: TrainSettings, tokenizer: Tokenizer) -> list[Callback]:
    """Return the callbacks that write into `folder`. They do not change the model."""
    events, steps = EventFile(folder, settings.log_steps), settings.log_steps
    return [
        events,
        BatchLoss(events),
        Perplexity(events, steps),
        Optimisation(events, steps),
        Throughput(events, steps),
        GpuMemory(events, steps),
        Histograms(events),
        EmbeddingProjector(folder, tokenizer),
        GenerationSamples(events, settings.sample_steps, tokenizer),
    ]
