"""The KFP face of ingest: a corpus source in, the corpus out."""

from kfp import dsl

GROUP = "data"


@dsl.container_component
def ingest(
    source: str,
    source_digest: str,
    seed: int,
    settings: dict,
    corpus: dsl.Output[dsl.Dataset],
    corpus_digest: dsl.OutputPath(str),
    metrics: dsl.Output[dsl.Metrics],
) -> dsl.ContainerSpec:
    """Read a corpus source, clean it, split it by work and write it as Parquet.

    Args:
        source: A folder or file of texts, a table of documents, gs://bucket/prefix, or nothing for the bundled corpora.
        source_digest: Digest of the source at submission; the step stops if the source has changed since.
        seed: Decides the split and the sample.
        settings: Section `ingest` of the profile.

    Returns:
        corpus: The corpus, a row a document.
        corpus_digest: SHA-256 of the corpus.
        metrics: Documents, works, megabytes and documents per split.
    """
    return dsl.ContainerSpec(
        image="robo-poet/ingest",
        command=["python", "-m", "components.ingest"],
        args=[
            "--source", source,
            "--source-digest", source_digest,
            "--seed", seed,
            "--settings", settings,
            "--corpus", corpus.path,
            "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
