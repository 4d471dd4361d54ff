"""What validate_data reads and writes."""

from robo_poet.step.declaration import HTML, Artifact, Dataset, Input, Metrics, Output, View, step


@step(group="validate")
def validate_data(
    corpus: Input[Dataset],
    seed: int,
    schema: str | None,
    registry: str | None,
    model_name: str | None,
    champion: str | None,
    prompts: str | None,
    settings: dict,
    beam: dict | None,
    statistics: Output[Artifact],
    drift: Output[Artifact],
    prompt_skew: Output[Artifact],
    page: View[HTML],
    metrics: View[Metrics],
) -> None:
    """Check the corpus against a schema, limits, the champion's corpus and prompts. The profile says what stops the run (DATA-1, DATA-2).

    Args:
        corpus: The corpus (Parquet).
        seed: Seed of the samples for the type/token ratio.
        schema: TFDV schema in text format; empty for the curated schema in this step's folder.
        registry: Folder of the registry, or gs://bucket/prefix. Empty for no comparison with the champion's corpus.
        model_name: Name of the model in the registry.
        champion: Digest of the champion whose corpus is the baseline of the drift; `none` if there is no champion. Empty to read it now.
        prompts: Text of the snapshot of prompts whose digest is `prompt_snapshot` of the settings; empty for no comparison with prompts.
        settings: Section `validation` of the profile.
        beam: Section `beam` of the profile: what measures the documents and runs TFDV. The outputs do not depend on it.

    Returns:
        statistics: Measured values, the verdict of each check, and the distribution of each feature (JSON). No text, no names of authors.
        drift: Distance of each feature from the champion's corpus (JSON).
        prompt_skew: Distance of each feature of the prompts from passages of the corpus (JSON).
        page: All findings with the documents concerned, and the distributions. It is written before a failed check stops the run.
        metrics: The measured numbers.
    """
