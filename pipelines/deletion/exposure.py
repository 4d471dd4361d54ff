"""The exposure of documents: how well each version of a model predicts them, compared with texts that it has not seen (DATA-4, EVAL-5).

Measured are the bits per byte of the documents under a version, with the same code as its evaluation, and their ratio to the bits per
byte of its held-out texts (metric `bits_per_byte`). The ratio of a version that was trained on a document is the exposure before the
deletion; that of a version that was not, such as a retrained one, is the exposure after it. A difference between the two is evidence of
memorisation. A ratio alone is not: an easy text is predicted well by every version.
"""

from collections.abc import Iterable, Sequence
from math import log
from typing import TYPE_CHECKING

from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput
from robo_poet.registry.versions.version import Version

if TYPE_CHECKING:
    from pipelines.deletion.plan import DeletionPlan

Exposure = dict[str, float | None]


def measure_exposure(plan: "DeletionPlan") -> dict[str, Exposure]:
    """Return the exposure of the planned documents under all versions of the affected models, also those not trained on them.

    The texts after scrubbing are used, because a version is trained on them; without these, the original texts.
    """
    models = {item.version.model for item in plan.versions}
    scrubbed = {item.document.id: item.document for item in plan.search.selected.values() if not item.original}
    by_id = {item.document.id: item.document for item in plan.search.items}
    documents = [*(by_id | scrubbed | _scrubbed_twins(plan, set(by_id))).values()]
    return exposures(documents, [version for version in plan.inventory.versions if version.model in models])


def _scrubbed_twins(plan: "DeletionPlan", ids: set[str]) -> dict[str, Document]:
    """Return the documents with these ids in the corpora that were made from an affected corpus."""
    from robo_poet.corpus.parquet import read_documents

    corpora = [corpus for corpus in plan.inventory.corpora if corpus.unit in plan.units and corpus not in plan.search.corpora]
    return {document.id: document for corpus in corpora for document in read_documents(corpus.path) if document.id in ids}


def exposures(documents: Sequence[Document], versions: Iterable[Version]) -> dict[str, Exposure]:
    """Return for each version that can be loaded: `bits_per_byte` of the documents, `held_out_bits_per_byte`, and their `ratio`.

    The last two are None if the version has no metric `bits_per_byte`. Versions that are purged, changed or cannot be loaded are left out.
    """
    from robo_poet.model.batch import document_likelihoods
    from robo_poet.model.saved_model import load_model

    measured: dict[str, Exposure] = {}
    for version in versions:
        if version.purged:
            continue
        try:
            version.verify()  # before the model is loaded: files that were changed are not run
            manifest = version.manifest()
            model = load_model(version.folder / "model", version.folder / "tokenizer")
        except (BadInput, OSError):
            continue
        rows = document_likelihoods(model, documents, batch=8, say=lambda done, total: None)
        bits = sum(row.nats for row in rows) / log(2) / max(1, sum(row.bytes for row in rows))
        held_out = manifest.metrics.get("bits_per_byte")
        measured[version.name] = {
            "bits_per_byte": round(bits, 6), "held_out_bits_per_byte": held_out, "ratio": round(bits / held_out, 6) if held_out else None,
        }  # fmt: skip
    return measured
