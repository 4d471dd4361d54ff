"""What register_model reads and writes."""

from robo_poet.step.declaration import HTML, Artifact, Input, Model, Result, step


@step(group="registry")
def register_model(
    model: Input[Model],
    tokenizer: Input[Artifact],
    evaluation: Input[Artifact],
    decision: Input[Artifact],
    statistics: Input[Artifact],
    report: Input[HTML],
    card: Input[Artifact],
    corpus_digest: str,
    scrubbed_digest: str,
    registry: str,
    model_name: str,
    source: str,
    same_model: int,
    lineage: dict,
    who: str,
    version: Result[int],
    stage: Result[str],
    version_digest: Result[str],
) -> None:
    """Register the model as a version: a candidate, or rejected with the gates' reason. The same content gives the same version.

    Args:
        model: Folder with the exported model.
        tokenizer: Folder with the tokenizer.
        evaluation: Metrics on the test split (JSON).
        decision: The verdict of the gates (JSON).
        statistics: Statistics of the corpus (JSON).
        report: The model card (HTML).
        card: The model card (JSON).
        corpus_digest: SHA-256 of the corpus before scrubbing.
        scrubbed_digest: SHA-256 of the corpus that the model was trained on.
        registry: Folder of the registry, or gs://bucket/prefix. A folder is created if it does not exist.
        model_name: Name of the model in the registry.
        source: Address of the corpus; empty for the bundled corpora. The registry records it.
        same_model: 1 to accept a corpus from another address as the same model; 0 to refuse it.
        lineage: What the model was made from, such as seed, code version and settings.
        who: Name that the registry's log records.

    Returns:
        version: Number of the version, from 1.
        stage: Stage of the version: `candidate` or `rejected` if it is new.
        version_digest: SHA-256 of the version's manifest.
    """
