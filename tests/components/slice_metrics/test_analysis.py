import math
import socket
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.slice_metrics import analysis
from components.slice_metrics.analysis import RATIO_METRICS, Disagreement, Values, analyse, check_values
from components.slice_metrics.slicing import Slice, slices
from robo_poet.evaluation.likelihood import DocumentLikelihood
from tests.components.slice_metrics.made import champion_of, documents

Analysed = tuple[dict[str, list[DocumentLikelihood]], list[Slice], dict[str, Values]]


def some_slices(rows: Sequence[DocumentLikelihood]) -> list[Slice]:
    return slices(rows, [("author",), ("period",), ("author", "period")], 6)[0]


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    rows = documents(90)
    models = {"model": rows, "champion": champion_of(rows)}
    return models, some_slices(rows), analyse(models, some_slices(rows), tmp_path_factory.mktemp("work") / "tfma")


def test_both_models_have_a_value_of_each_slice(analysed: Analysed) -> None:
    _, slices_, values = analysed
    assert {slice_.key for slice_ in slices_} == set(values["model"]) == set(values["champion"])
    assert {"author=Keats%2C John", "author=a%3Db", "author=100 %25%2C %2A", "period="} <= set(values["model"])


@pytest.mark.parametrize("model", ["model", "champion"])
def test_each_value_is_the_ratio_of_sums_over_the_documents_of_its_slice(model: str, analysed: Analysed) -> None:
    models, slices_, values = analysed
    for slice_ in slices_:
        rows, slice_values = [models[model][row] for row in slice_.rows], values[model][slice_.key]
        nats, tokens = sum(row.nats for row in rows), sum(row.tokens for row in rows)
        assert slice_values["bits_per_byte"] == pytest.approx(nats / math.log(2) / sum(row.bytes for row in rows), rel=1e-9)
        assert math.exp(slice_values["perplexity"]) == pytest.approx(math.exp(nats / tokens), rel=1e-9)
        assert slice_values["token_accuracy"] == pytest.approx(sum(row.first for row in rows) / tokens, rel=1e-9)
        assert slice_values["top5_accuracy"] == pytest.approx(sum(row.among_five for row in rows) / tokens, rel=1e-9)
    assert check_values(model, models[model], slices_, values[model]) == values[model]


def test_the_values_of_the_champion_are_not_those_of_the_model(analysed: Analysed) -> None:
    _, slices_, values = analysed
    for slice_ in slices_:
        ours, theirs = values["model"][slice_.key], values["champion"][slice_.key]
        assert theirs["bits_per_byte"] / ours["bits_per_byte"] == pytest.approx(1.05, abs=0.03)
        assert theirs["token_accuracy"] < 0.6 * ours["token_accuracy"]
        assert theirs["top5_accuracy"] == ours["top5_accuracy"]


def test_models_that_share_a_label_are_detected(analysed: Analysed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MeanLabel reads only the label. If both models share its key, TFMA gives both the same value, without an error."""
    models, slices_, _ = analysed
    real = analysis._config

    def shared(*arguments: Any) -> Any:
        config = real(*arguments)
        for spec in config.model_specs:
            spec.label_key = spec.label_key.replace("champion/", "model/")
        return config

    monkeypatch.setattr(analysis, "_config", shared)
    values = analyse(models, slices_, tmp_path / "tfma")
    assert values["champion"] == values["model"]
    assert check_values("model", models["model"], slices_, values["model"])
    with pytest.raises(Disagreement, match="of the champion on all documents: TFMA returned"):
        check_values("champion", models["champion"], slices_, values["champion"])


def test_the_analysis_opens_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[object] = []
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, lambda self, address: connections.append(address) or 1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **_: connections.append(address) or [])
    rows = documents(30)
    analyse({"model": rows}, some_slices(rows), tmp_path / "tfma")
    assert connections == []


def test_a_document_with_a_nan_makes_its_slices_nan_and_is_not_left_out(tmp_path: Path) -> None:
    rows = documents(30)
    rows[4] = replace(rows[4], nats=math.nan)
    slices_ = some_slices(rows)
    values = analyse({"model": rows}, slices_, tmp_path / "tfma")["model"]
    assert math.isnan(values[""]["bits_per_byte"])  # not the mean of the other 29 documents
    checked_values = check_values("model", rows, slices_, values)
    for slice_ in slices_:
        slice_values = checked_values[slice_.key]
        assert math.isnan(slice_values["bits_per_byte"]) == math.isnan(slice_values["perplexity"]) == (4 in slice_.rows)
        assert math.isfinite(slice_values["token_accuracy"])


@pytest.mark.parametrize("name", RATIO_METRICS)
@pytest.mark.parametrize("index", [0, -1])
def test_a_wrong_value_is_an_error(name: str, index: int, analysed: Analysed) -> None:
    models, slices_, values = analysed
    wrong = deepcopy(values["model"])
    wrong[slices_[index].key][name] *= 1 + 1e-5
    with pytest.raises(Disagreement, match=name):
        check_values("model", models["model"], slices_, wrong)


@pytest.mark.parametrize("name", RATIO_METRICS)
@pytest.mark.parametrize("index", [0, -1])
def test_a_missing_value_is_an_error(name: str, index: int, analysed: Analysed) -> None:
    models, slices_, values = analysed
    incomplete = deepcopy(values["model"])
    del incomplete[slices_[index].key][name]
    with pytest.raises(Disagreement, match=f"{name} of .*TFMA returned nan"):
        check_values("model", models["model"], slices_, incomplete)


def test_an_unknown_slice_is_an_error(analysed: Analysed) -> None:
    models, slices_, values = analysed
    with pytest.raises(Disagreement, match="unknown slice: author=Nobody"):
        check_values("model", models["model"], slices_, values["model"] | {"author=Nobody": {}})
