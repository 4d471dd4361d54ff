"""What train_tokenizer reads and writes."""

from robo_poet.step.declaration import Artifact, Dataset, Input, Metrics, Output, View, step


@step(group="tokenize")
def train_tokenizer(
    scrubbed: Input[Dataset],
    validated: str,
    settings: dict,
    tokenizer: Output[Artifact],
    metrics: View[Metrics],
) -> None:
    """Train a byte-level BPE tokenizer on the training split (DATA-5).

    Args:
        scrubbed: The corpus without personal data.
        validated: Digest of the statistics of the accepted corpus. It makes this step wait for validation.
        settings: Section `tokenizer` of the profile.

    Returns:
        tokenizer: Folder with `tokenizer.json` and `manifest.json`.
        metrics: Vocabulary size, bytes per token and word coverage.
    """
