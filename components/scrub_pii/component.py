"""What scrub_pii reads and writes."""

from robo_poet.step.declaration import Artifact, Dataset, Input, Metrics, Output, View, step


@step(group="scrub")
def scrub_pii(
    corpus: Input[Dataset],
    seed: int,
    settings: dict,
    beam: dict | None,
    scrubbed: Output[Dataset],
    audit: Output[Dataset],
    recall: Output[Artifact],
    metrics: View[Metrics],
) -> None:
    """Replace personal data in the corpus by the policy of each source, and measure how much of it is found (DATA-3).

    Args:
        corpus: The corpus (Parquet).
        seed: Seed of the invented personal data that is planted into copies of documents to measure the recall.
        settings: Section `scrub` of the profile.
        beam: Section `beam` of the profile: what runs the search for personal data. The outputs do not depend on it.

    Returns:
        scrubbed: The corpus without personal data (Parquet).
        audit: One row per replaced span: position, entity type, recogniser, score and keyed hash, never the text (Parquet).
        recall: Recall and precision on the planted data, by kind, shape and language (JSON). It has no planted value.
        metrics: Changed documents, and replaced spans by entity type.
    """
