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


def cut(rows: Sequence[DocumentLikelihood]) -> list[Slice]:
    return slices(rows, [("author",), ("period",), ("author", "period")], 6)[0]


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    rows = documents(90)
    models = {"model": rows, "champion": champion_of(rows)}
    return models, cut(rows), analyse(models, cut(rows), tmp_path_factory.mktemp("work") / "tfma")


def test_each_slice_is_the_ratio_of_sums_over_its_documents(analysed: Analysed) -> None:
    models, parts, values = analysed
    assert {one.key for one in parts} == set(values["model"]) == set(values["champion"])
    assert {"author=Keats%2C John", "author=a%3Db", "author=100 %25%2C %2A", "period="} <= set(values["model"])
    for model, rows in models.items():
        for one in parts:
            mine = [rows[row] for row in one.rows]
            bits = sum(doc.nats for doc in mine) / math.log(2) / sum(doc.bytes for doc in mine)
            assert values[model][one.key]["bits_per_byte"] == pytest.approx(bits, rel=1e-9)
            tokens = sum(doc.tokens for doc in mine)
            assert math.exp(values[model][one.key]["perplexity"]) == pytest.approx(math.exp(sum(d.nats for d in mine) / tokens), rel=1e-9)
            assert values[model][one.key]["token_accuracy"] == pytest.approx(sum(d.first for d in mine) / tokens, rel=1e-9)
            assert values[model][one.key]["top5_accuracy"] == pytest.approx(sum(d.among_five for d in mine) / tokens, rel=1e-9)
        assert check_values(model, rows, parts, values[model]) == values[model]


def test_the_champions_number_is_the_champions(analysed: Analysed) -> None:
    _, parts, values = analysed
    for one in parts:
        ours, theirs = values["model"][one.key], values["champion"][one.key]
        assert theirs["bits_per_byte"] / ours["bits_per_byte"] == pytest.approx(1.05, abs=0.03)
        assert theirs["token_accuracy"] < 0.6 * ours["token_accuracy"]
        assert theirs["top5_accuracy"] == ours["top5_accuracy"]


def test_a_champion_that_shares_the_models_label_is_found_out(analysed: Analysed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MeanLabel knows the label only: with one key for both, TFMA gives both one number, and says nothing."""
    models, parts, _ = analysed
    real = analysis._config

    def shared(*arguments: Any) -> Any:
        config = real(*arguments)
        for spec in config.model_specs:
            spec.label_key = spec.label_key.replace("champion/", "model/")
        return config

    monkeypatch.setattr(analysis, "_config", shared)
    values = analyse(models, parts, tmp_path / "tfma")
    assert values["champion"] == values["model"]
    assert check_values("model", models["model"], parts, values["model"])
    with pytest.raises(Disagreement, match="of the champion on all documents: TFMA returned"):
        check_values("champion", models["champion"], parts, values["champion"])


def test_it_asks_nobody_and_a_document_that_is_no_number_is_not_left_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, lambda self, address: asked.append(address) or 1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **_: asked.append(address) or [])
    rows = documents(30)
    rows[4] = replace(rows[4], nats=math.nan)
    parts = cut(rows)
    values = analyse({"model": rows}, parts, tmp_path / "tfma")["model"]
    assert asked == []
    assert math.isnan(values[""]["bits_per_byte"])  # not as if there were 29 documents
    found = check_values("model", rows, parts, values)
    for one in parts:
        assert math.isnan(found[one.key]["bits_per_byte"]) == math.isnan(found[one.key]["perplexity"]) == (4 in one.rows)
        assert math.isfinite(found[one.key]["token_accuracy"])


@pytest.mark.parametrize("name", RATIO_METRICS)
def test_a_value_that_is_wrong_missing_or_of_no_slice_is_an_error(name: str, analysed: Analysed) -> None:
    models, parts, values = analysed
    for key in ("", parts[-1].key):
        wrong = deepcopy(values["model"])
        wrong[key][name] *= 1 + 1e-5
        with pytest.raises(Disagreement, match=name):
            check_values("model", models["model"], parts, wrong)
        del wrong[key][name]
        with pytest.raises(Disagreement, match=f"{name} of .*TFMA returned nan"):
            check_values("model", models["model"], parts, wrong)
    with pytest.raises(Disagreement, match="unknown slice: author=Nobody"):
        check_values("model", models["model"], parts, values["model"] | {"author=Nobody": {}})
