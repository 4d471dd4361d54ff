"""All steps by name, each with the dependency group of its image: the one list that pipelines, images and environments share."""

from components.audit_model import component as _audit_model
from components.compare_champion import component as _compare_champion
from components.deploy_canary import component as _deploy_canary
from components.evaluate_model import component as _evaluate_model
from components.gate_model import component as _gate_model
from components.ingest import component as _ingest
from components.measure_text import component as _measure_text
from components.register_model import component as _register_model
from components.scrub_pii import component as _scrub_pii
from components.slice_metrics import component as _slice_metrics
from components.train_model import component as _train_model
from components.train_tokenizer import component as _train_tokenizer
from components.validate_data import component as _validate_data
from components.write_report import component as _write_report

ingest = _ingest.ingest
validate_data = _validate_data.validate_data
scrub_pii = _scrub_pii.scrub_pii
train_tokenizer = _train_tokenizer.train_tokenizer
train_model = _train_model.train_model
evaluate_model = _evaluate_model.evaluate_model
measure_text = _measure_text.measure_text
audit_model = _audit_model.audit_model
compare_champion = _compare_champion.compare_champion
slice_metrics = _slice_metrics.slice_metrics
gate_model = _gate_model.gate_model
write_report = _write_report.write_report
register_model = _register_model.register_model
deploy_canary = _deploy_canary.deploy_canary

GROUPS: dict[str, str] = {
    "ingest": _ingest.GROUP,
    "validate_data": _validate_data.GROUP,
    "scrub_pii": _scrub_pii.GROUP,
    "train_tokenizer": _train_tokenizer.GROUP,
    "train_model": _train_model.GROUP,
    "evaluate_model": _evaluate_model.GROUP,
    "measure_text": _measure_text.GROUP,
    "audit_model": _audit_model.GROUP,
    "compare_champion": _compare_champion.GROUP,
    "slice_metrics": _slice_metrics.GROUP,
    "gate_model": _gate_model.GROUP,
    "write_report": _write_report.GROUP,
    "register_model": _register_model.GROUP,
    "deploy_canary": _deploy_canary.GROUP,
}
