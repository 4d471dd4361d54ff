"""What scrub_pii reads and writes."""

from robo_poet.step.declaration import Dataset, Input, Metrics, Output, View, step


@step(group="scrub")
def scrub_pii(
    corpus: Input[Dataset],
    settings: dict,
    scrubbed: Output[Dataset],
    audit: Output[Dataset],
    metrics: View[Metrics],
) -> None:
    """Replace personal data in the corpus by the policy of each source (DATA-3).

    Args:
        corpus: The corpus (Parquet).
        settings: Section `scrub` of the profile.

    Returns:
        scrubbed: The corpus without personal data (Parquet).
        audit: One row per replaced span: position, entity type, recogniser, score and keyed hash, never the text (Parquet).
        metrics: Changed documents, and replaced spans by entity type.
    """
