"""The KFP face of train_tokenizer."""

from kfp import dsl

GROUP = "tokenize"


@dsl.container_component
def train_tokenizer(
    scrubbed: dsl.Input[dsl.Dataset],
    scrubbed_digest: str,
    validated: str,
    settings: dict,
    tokenizer: dsl.Output[dsl.Artifact],
    tokenizer_digest: dsl.OutputPath(str),
    metrics: dsl.Output[dsl.Metrics],
):
    """Train a byte-level BPE tokenizer on the training split.

    Args:
        scrubbed: The corpus without personal data.
        scrubbed_digest: Its digest, checked before it is read.
        validated: Digest of the statistics the corpus was accepted with; nothing is learnt from an unvalidated corpus.
        settings: Section `tokenizer` of the profile.

    Returns:
        tokenizer: `tokenizer.json` and `manifest.json`.
        tokenizer_digest: SHA-256 of tokenizer.
        metrics: Vocabulary, bytes per token, coverage.
    """
    return dsl.ContainerSpec(
        image="robo-poet/train_tokenizer",
        command=["python", "-m", "components.train_tokenizer"],
        args=[
            "--scrubbed", scrubbed.path, "--scrubbed-digest", scrubbed_digest, "--validated", validated,
            "--settings", settings, "--tokenizer", tokenizer.path, "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
