"""What write_report reads and writes."""

from robo_poet.step.declaration import HTML, Artifact, Dataset, Input, Markdown, Output, View, step


@step(group="report")
def write_report(
    statistics: Input[Artifact],
    dropped: Input[Dataset],
    recall: Input[Artifact],
    drift: Input[Artifact],
    prompt_skew: Input[Artifact],
    history: Input[Artifact],
    evaluation: Input[Artifact],
    text_metrics: Input[Artifact],
    model_audit: Input[Artifact],
    slices: Input[Artifact],
    comparison: Input[Artifact],
    continuations: Input[Dataset],
    champion_continuations: Input[Dataset],
    decision: Input[Artifact],
    lineage: dict,
    report: Output[HTML],
    card: Output[Artifact],
    summary: View[Markdown],
) -> None:
    """Write the model card: verdict, metrics, slices, bias, safety, samples, training curve, data and lineage.

    Args:
        statistics: Statistics of the corpus, from validate_data (JSON).
        dropped: Documents that the corpus leaves out, from ingest (Parquet).
        recall: Recall of scrubbing on planted personal data, from scrub_pii (JSON).
        drift: Distance of the corpus from that of the champion, from validate_data (JSON).
        prompt_skew: Distance of prompts from passages of the corpus, from validate_data (JSON).
        history: Training curve, from train_model (JSON lines).
        evaluation: Metrics on the test split, from evaluate_model (JSON).
        text_metrics: Metrics of the completions, from measure_text (JSON).
        model_audit: Bias and memorisation, from audit_model (JSON).
        slices: Metrics by slice, from slice_metrics (JSON).
        comparison: Difference from the champion, from compare_champion (JSON).
        continuations: Completions, from evaluate_model (Parquet).
        champion_continuations: The champion's completions of the same prompts, from compare_champion (Parquet).
        decision: Verdict of the gates, from gate_model (JSON).
        lineage: What the model was made from: source, settings and code version.

    Returns:
        report: The model card, a self-contained HTML page.
        card: The model card as JSON.
        summary: Verdict and metrics as Markdown.
    """
