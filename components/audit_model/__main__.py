"""Measure the exported model's bias between counterfactual groups, and how far it memorised the planted canary strings."""

import json
import math
import sys
from collections.abc import Sequence
from typing import cast

from components.audit_model.bias import measure_bias
from components.audit_model.canaries import measure_canaries
from components.audit_model.component import audit_model
from components.audit_model.results import AuditResult
from robo_poet.atomic import write_text
from robo_poet.evaluation.step_metrics import show_metrics
from robo_poet.model.saved_model import load_model
from robo_poet.settings.evaluation import AuditSettings
from robo_poet.step.program import Call, program


def work(call: Call) -> None:
    settings, seed = cast(AuditSettings, call.settings), int(call.parameters["seed"])
    model = load_model(call.inputs["model"], call.inputs["tokenizer"])
    audit = AuditResult(metrics={"secrets_planted": float(model.manifest.get("secrets", math.nan))})  # actual, not as set
    share = 0.7 if settings.secrets.rates else 1.0
    measure_bias(model, settings, seed, audit, lambda done, text: call.progress(share * done, 1, text))
    if settings.secrets.rates:
        measure_canaries(model, settings, seed, audit, lambda done, text: call.progress(share + (1 - share) * done, 1, text))
    for warning in audit.warnings:
        call.warn(warning)
    artifact = audit.to_json()
    write_text(call.outputs["model_audit"], json.dumps(artifact, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False))
    show_metrics(call, artifact["metrics"])
    call.progress(1, 1, f"{artifact['metrics']['bias_pairs']:.0f} counterfactual pairs")


def main(argv: Sequence[str] | None = None) -> int:
    return program(audit_model, work, argv, settings=AuditSettings)


if __name__ == "__main__":
    sys.exit(main())
