"""What train_model reads and writes."""

from robo_poet.step.declaration import HTML, Artifact, Dataset, Input, Metrics, Model, Output, View, step


@step(group="train")
def train_model(
    scrubbed: Input[Dataset],
    tokenizer: Input[Artifact],
    settings: dict,
    seed: int,
    checkpoint_root: str,
    warm_start: str | None,
    warm_start_digest: str | None,
    secrets: dict | None,
    model: Output[Model],
    history: Output[Artifact],
    curves: View[HTML],
    metrics: View[Metrics],
    logs: View[Artifact],
) -> None:
    """Train the language model. A training that was killed resumes from its last checkpoint.

    Args:
        scrubbed: The corpus without personal data.
        tokenizer: Folder with the tokenizer.
        settings: Section `train` of the profile.
        seed: Seed of the initial weights, dropout and data order.
        checkpoint_root: Folder of the checkpoints; each training has a subfolder that is keyed by its inputs.
            A relative path starts at the step's working folder.
        warm_start: Model folder of a version whose weights training starts from; empty to start from random weights.
        warm_start_digest: SHA-256 of the model folder in `warm_start`.
        secrets: Section `audit.secrets` of the profile: canary strings planted in this training's copy of the text.
            They measure memorisation.

    Returns:
        model: Folder with the SavedModel (signatures `generate` and `score`), the Keras and TFLite exports, and `manifest.json`.
        history: The training curve, one JSON line per point. The last one has `stopped_early` if early stopping ended the training.
        curves: The training curve as a page.
        metrics: Parameters, steps, best validation perplexity and speed.
        logs: Event files for TensorBoard: scalars, histograms, samples and the embedding.
    """
