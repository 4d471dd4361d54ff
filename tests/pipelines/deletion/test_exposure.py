"""The exposure of a document under the versions of a model, with a model that predicts each byte equally well."""

from math import log
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.deletion.exposure import exposures, measure_exposure
from pipelines.deletion.plan import plan_deletion
from robo_poet.deletion.selection import Selection
from robo_poet.errors import BadInput
from tests.pipelines.deletion.conftest import NAME, World


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the model; return the list of the texts that are measured. Version 2 cannot be loaded if `unreadable` is on the list."""
    measured: list[str] = []

    def load(model: Any, tokenizer: Any) -> object:
        if "unreadable" in measured:
            raise BadInput("no model")
        return object()

    def likelihoods(model: object, documents: list[Any], **_: Any) -> list[SimpleNamespace]:
        measured.extend(document.text for document in documents)
        return [SimpleNamespace(nats=2 * log(2) * document.size, bytes=document.size) for document in documents]

    monkeypatch.setattr("robo_poet.model.saved_model.load_model", load)
    monkeypatch.setattr("robo_poet.model.batch.document_likelihoods", likelihoods)
    return measured


def test_all_versions_of_the_model_are_measured_on_the_text_after_scrubbing(world: World, texts: list[str]) -> None:
    figures = measure_exposure(plan_deletion(world.folders, Selection(subjects=(NAME,))))
    expected = {"bits_per_byte": 2.0, "held_out_bits_per_byte": None, "ratio": None}
    assert figures == {"poems/1": expected, "poems/2": expected}
    assert len(texts) == 2 and all("<PERSON>" in text and NAME not in text for text in texts)


def test_versions_that_cannot_be_loaded_are_left_out(world: World, texts: list[str]) -> None:
    plan = plan_deletion(world.folders, Selection(subjects=(NAME,)))
    texts.append("unreadable")
    assert exposures([item.document for item in plan.search.items], plan.inventory.versions) == {}
