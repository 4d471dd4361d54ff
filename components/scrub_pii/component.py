"""The KFP face of scrub_pii: the corpus in; the corpus without personal data, and the audit, out."""

from kfp import dsl

GROUP = "scrub"


@dsl.container_component
def scrub_pii(
    corpus: dsl.Input[dsl.Dataset],
    corpus_digest: str,
    settings: dict,
    scrubbed: dsl.Output[dsl.Dataset],
    scrubbed_digest: dsl.OutputPath(str),
    audit: dsl.Output[dsl.Dataset],
    audit_digest: dsl.OutputPath(str),
    metrics: dsl.Output[dsl.Metrics],
) -> dsl.ContainerSpec:
    """Replace personal data in the corpus, as the policy of each source says.

    Args:
        corpus: The corpus.
        corpus_digest: Its SHA-256, checked.
        settings: Section `scrub` of the profile.

    Returns:
        scrubbed: The corpus without personal data.
        scrubbed_digest: SHA-256 of it.
        audit: A row a finding: where, of what kind, how sure; never the data itself.
        audit_digest: SHA-256 of it.
        metrics: Documents changed, and findings by kind.
    """
    return dsl.ContainerSpec(
        image="robo-poet/scrub_pii",
        command=["python", "-m", "components.scrub_pii"],
        args=[
            "--corpus", corpus.path,
            "--corpus-digest", corpus_digest,
            "--settings", settings,
            "--scrubbed", scrubbed.path,
            "--audit", audit.path,
            "--metrics", metrics.path,
            "--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER,
        ],
    )  # fmt: skip
