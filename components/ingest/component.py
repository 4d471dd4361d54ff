"""What ingest reads and writes."""

from robo_poet.step.declaration import Dataset, Metrics, Output, View, step


@step(group="data")
def ingest(
    source: str,
    source_digest: str,
    suppression: str | None,
    suppression_digest: str | None,
    live_text: str | None,
    live_text_digest: str | None,
    seed: int,
    settings: dict,
    beam: dict | None,
    corpus: Output[Dataset],
    dropped: Output[Dataset],
    metrics: View[Metrics],
) -> None:
    """Read a corpus source, leave out duplicates and near-duplicates, split the texts by work and write one Parquet file.

    Args:
        source: A folder or file of texts, a table of documents, or gs://bucket/prefix; empty for the bundled corpora.
        source_digest: Digest of the source at submission. The step stops if the source has changed since; empty to skip this check.
        suppression: Folder of the list of deleted documents, which are not read again (DATA-4); empty for no list.
        suppression_digest: Digest of this list at submission. The step stops if the list has changed since.
        live_text: File of prompts with consent, read beside the source (MON-4); empty for none. Its documents have the source `live`.
        live_text_digest: Digest of this file at submission. The step stops if the file has changed since.
        seed: Seed of the split and the sample.
        settings: Section `ingest` of the profile.
        beam: Section `beam` of the profile: what examines the documents. The outputs do not depend on it.

    Returns:
        corpus: The corpus, one row per document (Parquet).
        dropped: The documents that the corpus leaves out, each with the reason (Parquet).
        metrics: Documents, works and megabytes, documents per split, and documents left out, by reason.
    """
