"""The KFP face of train_model."""

from kfp import dsl

GROUP = "train"


@dsl.container_component
def train_model(
    scrubbed: dsl.Input[dsl.Dataset],
    scrubbed_digest: str,
    tokenizer: dsl.Input[dsl.Artifact],
    tokenizer_digest: str,
    settings: dict,
    seed: int,
    checkpoint_root: str,
    warm_start: str,
    warm_start_digest: str,
    secrets: dict,
    model: dsl.Output[dsl.Model],
    model_digest: dsl.OutputPath(str),
    history: dsl.Output[dsl.Artifact],
    history_digest: dsl.OutputPath(str),
    curves: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
    logs: dsl.Output[dsl.Artifact],
):
    """Train the language model; a killed training goes on from its last checkpoint.

    Args:
        scrubbed: The corpus without personal data.
        scrubbed_digest: Its digest, checked before it is read.
        tokenizer: The tokenizer.
        tokenizer_digest: Its digest, checked before it is read.
        settings: Section `train` of the profile.
        seed: Seed of initial weights, dropout and order.
        checkpoint_root: Where checkpoints live, in a folder named after all that goes in; relative to the step's own folder.
        warm_start: Model folder of a version to begin with; empty to begin anew.
        warm_start_digest: Its digest, checked before it is read.
        secrets: Section `audit.secrets` of the profile: made secrets for this training's copy of the text, to measure what it keeps.

    Returns:
        model: `saved_model/` with signatures `generate` and `score`, and `manifest.json`.
        model_digest: SHA-256 of model.
        history: The training curve, a JSON line a point.
        history_digest: SHA-256 of history.
        curves: The training curve as a picture.
        metrics: Parameters, steps, best validation perplexity, speed.
        logs: Event files for TensorBoard: scalars, histograms, samples, the embedding.
    """
    return dsl.ContainerSpec(
        image="robo-poet/train_model",
        command=["python", "-m", "components.train_model"],
        args=[
            "--scrubbed", scrubbed.path, "--scrubbed-digest", scrubbed_digest,
            "--tokenizer", tokenizer.path, "--tokenizer-digest", tokenizer_digest,
            "--settings", settings, "--seed", seed, "--checkpoint-root", checkpoint_root,
            "--warm-start", warm_start, "--warm-start-digest", warm_start_digest,
            "--secrets", secrets,
            "--model", model.path, "--history", history.path, "--curves", curves.path, "--metrics", metrics.path,
            "--logs", logs.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
