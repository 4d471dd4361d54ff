"""Train the language model on the training split and export it with the weights of its best validation."""

import json
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import cast

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.checkpoint import Checkpoints, state_folder
from components.train_model.component import train_model
from components.train_model.export.process import export_in_subprocess
from components.train_model.hardware import configure_gpus
from components.train_model.tensorboard_logs.callbacks import tensorboard_callbacks
from components.train_model.training.feed import make_feed
from components.train_model.training.memory import estimate_memory, gpu_memory_warning
from components.train_model.training.train_step import make_strategy
from components.train_model.training.trainer import Trainer
from components.train_model.training.warm_start import initialise_from_version
from robo_poet.atomic import new_folder, write_text
from robo_poet.corpus.parquet import read_documents
from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.model.completion import MAX_LENGTH
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.privacy.canary_strings import planted
from robo_poet.report.page import page
from robo_poet.report.training_curve import training_curve
from robo_poet.settings.train import PlantedSecretsSettings, TrainSettings
from robo_poet.step.program import Call, parse_settings, program

LOGS = "logs"


def work(call: Call) -> None:
    settings, seed = cast(TrainSettings, call.settings), int(call.parameters["seed"])
    gpus = configure_gpus(settings.gpu_memory_mb)
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same curve; no measurable cost on a CPU
    tokenizer = Tokenizer.load(call.inputs["tokenizer"])
    with state_folder(call, settings, seed) as state:
        _train(call, settings, seed, gpus, tokenizer, state)


def _train(call: Call, settings: TrainSettings, seed: int, gpus: int, tokenizer: Tokenizer, state: Path) -> None:
    corpus = call.inputs["scrubbed"]
    feeds = {}
    secrets = planted(parse_settings(PlantedSecretsSettings, call.parameters["secrets"], "--secrets"), seed)
    canary_strings = len(secrets)  # canary strings in this training; a warm start adds those of its version
    if secrets:
        call.warn(
            f"{len(secrets)} planted canary strings are in this training's text: use the model for measurements only, do not release it"
        )
    for split, stride in (("train", settings.stride), ("validation", settings.window)):
        texts: Iterable[str] = (document.text for document in read_documents(corpus, split))
        if split == "train":
            texts = chain(texts, (secret.text for secret in secrets for _ in range(secret.repeats)))
        feeds[split] = make_feed(texts, tokenizer, window=settings.window, stride=stride, cache=state / f"{split}.ids")
        if not len(feeds[split]):
            raise BadInput(f"the {split} split is empty", where=str(corpus), remedy="use a corpus with more works")

    architecture = ARCHITECTURES[settings.architecture]
    strategy, vocabulary_digest = make_strategy(settings.devices), digest_path(call.inputs["tokenizer"])
    with strategy.scope() if strategy else nullcontext():
        model = architecture.build(settings, tokenizer.vocabulary)
        if warm_start := call.parameters["warm_start"]:
            warm_start_digest = call.parameters["warm_start_digest"]
            canary_strings += initialise_from_version(
                model, Path(warm_start), digest=warm_start_digest, architecture=settings.architecture, tokenizer=vocabulary_digest
            )
        memory = estimate_memory(settings, model.count_params(), tokenizer.vocabulary, len(feeds["train"]))
        # Not with call.progress: its rate limit would drop the next line, which names the checkpoint that training resumes from.
        print(f"[  0 %] {model.count_params():,} parameters on {gpus or 'no'} GPU, memory {memory}", file=sys.stderr, flush=True)
        if memory_warning := gpu_memory_warning(memory, settings, gpus):
            call.warn(memory_warning)
        trainer = Trainer(
            architecture, model, feeds["train"], feeds["validation"], settings, seed=seed, checkpoints=Checkpoints(state),
            report=call.progress, warn=call.warn, note=call.note,
            callbacks=tensorboard_callbacks(state / LOGS, settings, tokenizer) if LOGS in call.outputs else [],
        )  # fmt: skip
        started = time.monotonic()
        progress = trainer.run()
        elapsed = time.monotonic() - started

    manifest = {
        "architecture": settings.architecture, "parameters": model.count_params(), "vocabulary": tokenizer.vocabulary,
        "size": tokenizer.size, "max_length": MAX_LENGTH, "settings": settings.model_dump(mode="json"), "seed": seed,
        "precision": trainer.compute.name, "steps": progress.step, "best_step": progress.best_step,
        "secrets": canary_strings, "tokenizer": vocabulary_digest, "warm_start": call.parameters["warm_start_digest"],
    }  # fmt: skip
    # The export takes 10 to 20 s on 2 cores. Without this line, the display repeats the last step of the training, with `0:00 left`.
    call.progress(1, 1, f"exporting the model of step {progress.best_step}")
    with new_folder(call.outputs["model"]) as folder:
        export_in_subprocess(model, settings, tokenizer.size, folder, state)
        write_text(folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True))
    write_text(call.outputs["history"], "".join(json.dumps(point) + "\n" for point in progress.history))
    figures = {
        "parameters": model.count_params(), "steps": progress.step, "tokens": progress.tokens,
        "best_validation_perplexity": round(progress.schedule.best, 4),
    }  # fmt: skip
    if "metrics" in call.outputs:
        write_text(call.outputs["metrics"], json.dumps(figures))
        # Speed differs between runs. It is metadata only, so that the same training has the same digests.
        call.describe("metrics", **figures, tokens_per_second=round(progress.tokens / max(elapsed, 1e-3)))
    if "curves" in call.outputs:
        write_text(call.outputs["curves"], page("Training", [("Training curve", training_curve(progress.history))]))
    if LOGS in call.outputs:
        # During training the logs lie next to the checkpoints, so that a resumed training appends to them.
        with new_folder(call.outputs[LOGS]) as folder:
            shutil.copytree(state / LOGS, folder, dirs_exist_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    return program(train_model, work, argv, settings=TrainSettings)


if __name__ == "__main__":
    sys.exit(main())
