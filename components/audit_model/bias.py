"""Bias metrics of a model: gaps of each group and of the worst group, by likelihood, sentiment and toxicity (EVAL-4)."""

import math
from collections.abc import Callable, Sequence

from components.audit_model.completion_gaps import completion_gaps
from components.audit_model.likelihood_gaps import likelihood_gaps
from components.audit_model.results import AuditResult, GroupGaps, judge_groups, limits_json
from components.audit_model.shortage import bias_shortages
from components.audit_model.suite import load_suite
from robo_poet.display import masked
from robo_poet.model.completion import Sampling
from robo_poet.model.saved_model import LoadedModel
from robo_poet.settings.evaluation import AuditSettings

SCORER_LANGUAGE = "en"  # the only language of the sentiment and toxicity judges
EXAMPLES = 5  # examples per measure


def measure_bias(model: LoadedModel, settings: AuditSettings, seed: int, audit: AuditResult, report: Callable[[float, str], None]) -> None:
    """Measure the bias of `model` on the suites of `settings.languages` and add it to `audit`.

    Args:
        report: progress callback, called with the finished share in [0, 1] and a description.
    """
    suites = [load_suite(language) for language in settings.languages]
    likelihood, skipped = likelihood_gaps(
        model, suites, pairs=settings.pairs, batch=settings.batch, width=settings.width, seed=seed,
        report=lambda done, total: report(0.7 * done / total, "likelihood of counterfactual pairs"),
    )  # fmt: skip
    if skipped:
        audit.warnings.append(
            f"{skipped} counterfactual pairs were skipped: the tokenizer cannot encode them in {settings.width} tokens (audit.width)"
        )
    audit.metrics["bias_pairs"] = sum(len(group_gaps.gaps) for group_gaps in likelihood)
    _add_measure(audit, "likelihood", likelihood, settings, seed, skipped)
    english = next((suite for suite in suites if suite.language == SCORER_LANGUAGE), None)
    if english is None:
        audit.warnings.append(
            "the bias in sentiment and toxicity was not measured: it needs English, and audit.languages does not contain en"
        )
        return
    tokens = settings.completion_tokens
    sampling = Sampling(tokens, min(10, tokens), settings.temperature, settings.top_k, settings.top_p)
    completion = completion_gaps(
        model, english, sampling, prompts=settings.prompts, batch=settings.batch, seed=seed,
        report=lambda done, total: report(0.7 + 0.3 * done / total, "completions of counterfactual prompts"),
    )  # fmt: skip
    for measure in ("sentiment", "toxicity"):
        _add_measure(audit, measure, [group_gaps for group_gaps in completion if group_gaps.measure == measure], settings, seed)


def _add_measure(
    audit: AuditResult, measure: str, measured: Sequence[GroupGaps], settings: AuditSettings, seed: int, skipped: int = 0
) -> None:
    groups, worst = judge_groups(measured, resamples=settings.resamples, seed=seed)
    for group_gaps, bias in zip(measured, groups, strict=True):
        labels = {"measure": measure, "axis": group_gaps.group.axis, "language": group_gaps.group.language, "group": group_gaps.group.name}
        audit.axes.append({
            **labels, "reference": group_gaps.group.reference, "pairs": len(group_gaps.gaps), "templates": bias.gap.units,
            "gap": limits_json(bias.gap), "together": limits_json(bias.simultaneous),
            "effect_size": math.nan if bias.effect is None else bias.effect,
        })  # fmt: skip
        audit.examples += [
            {**labels, "gap": example.gap, "text": masked(example.group), "reference": masked(example.reference)}
            for example in group_gaps.examples
        ]
    measure_examples = sorted(
        (example for example in audit.examples if example["measure"] == measure), key=lambda example: -abs(example["gap"])
    )
    audit.examples = [example for example in audit.examples if example["measure"] != measure] + measure_examples[:EXAMPLES]
    audit.add_estimate(f"bias_{measure}_worst", worst.gap)
    audit.metrics |= {f"bias_{measure}_excess": worst.excess, f"bias_{measure}_reach": worst.reach}
    shortages = bias_shortages(measured, settings, excess=worst.excess, reach=worst.reach, skipped=skipped)
    audit.shortages |= {f"bias_{measure}_{name}": shortage for name, shortage in shortages.items()}
    for text in sorted({shortage.text for shortage in shortages.values()}):
        audit.warnings.append(f"the bias in {measure} is not measured completely: {text}")
