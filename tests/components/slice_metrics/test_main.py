"""Covers: page."""

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from components.slice_metrics.__main__ import main
from robo_poet.digest import digest_bytes
from robo_poet.evaluation.likelihood import DocumentLikelihood, write_likelihoods
from tests.components.slice_metrics.made import champion_of, documents


def run(folder: Path, ours: Sequence[DocumentLikelihood], theirs: Sequence[DocumentLikelihood], **settings: Any) -> int:
    """Run the step. The outputs are in `folder / "out"`."""
    write_likelihoods(folder / "ours", ours)
    write_likelihoods(folder / "theirs", theirs)
    arguments = ["--measured", folder / "ours", "--champion-measured", folder / "theirs", "--seed", 3]
    arguments += ["--settings", json.dumps({"resamples": 300, **settings})]
    for name in ("slices", "page", "metrics", "executor-output"):
        arguments += [f"--{name}", folder / "out" / name]
    return main([str(argument) for argument in arguments])


Outputs = dict[str, bytes]


def run_with_nan(folder: Path) -> Outputs:
    """Run the step in `folder / "work"`. One document is NaN and has markup as its author."""
    ours = documents(80)
    ours[7] = replace(ours[7], nats=math.nan, author="<script>alert(1)</script>")
    (folder / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "work")
        assert run(folder, ours, champion_of(ours), max_values=5) == 0
    assert not list((folder / "work").iterdir()), "TFMA leaves no files"
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    return run_with_nan(tmp_path_factory.mktemp("outputs"))


@pytest.fixture(scope="module")
def artifact(outputs: Outputs) -> dict[str, Any]:
    return dict(json.loads(outputs["slices"]))


def test_the_same_inputs_give_the_same_outputs(outputs: Outputs, tmp_path: Path) -> None:
    assert set(outputs) == {"slices", "page", "metrics", "executor-output"}
    assert run_with_nan(tmp_path) == outputs


def test_only_progress_and_warnings_are_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_with_nan(tmp_path)
    printed = capfd.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert all(line.startswith(("[", "warning: slices by ")) for line in lines), printed.err
    assert any(line.startswith("[  1 %] loading TensorFlow Model Analysis") for line in lines) and lines[-1].startswith("[100 %] ")


def test_a_column_with_only_empty_values_has_no_slices(artifact: dict[str, Any]) -> None:
    keys = [row["key"] for row in artifact["slices"]]
    assert keys[:2] == ["", "source=x"]
    assert {"author=100 %25%2C %2A", "author=Keats%2C John", "period="} <= set(keys)
    assert not any("genre" in row["slice"] for row in artifact["slices"])


def test_slices_beyond_the_limit_are_left_out(artifact: dict[str, Any]) -> None:
    documents_in_slices = sum(row["documents"] for row in artifact["slices"] if list(row["slice"]) == ["author"])
    assert artifact["left_out"][0] == {"columns": ["author"], "slices": 2, "documents": 80 - documents_in_slices}


def test_a_nan_document_makes_the_metrics_null(artifact: dict[str, Any]) -> None:
    assert artifact["slices"][0]["metrics"]["bits_per_byte"] == {"value": None, "low": None, "high": None}
    assert artifact["metrics"]["worst_slice_bits_per_byte"] is None


def test_the_metrics_and_the_digest_are_results_of_the_step(outputs: Outputs, artifact: dict[str, Any]) -> None:
    metrics = artifact["metrics"]
    assert json.loads(outputs["metrics"]) == metrics
    output = json.loads(outputs["executor-output"])
    assert output["parameterValues"] == {"slices_digest": digest_bytes(outputs["slices"])}
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"]["slices"] == metrics["slices"]


def test_the_page_has_no_markup_from_the_data_and_loads_nothing(outputs: Outputs) -> None:
    page = outputs["page"].decode()
    assert "<script" not in page and "http" not in page
    assert "not measured" in page


@pytest.fixture(scope="module")
def without_champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("without")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(folder, documents(70), [], columns=["author", "length"], crosses=[]) == 0
    return folder / "out"


def test_without_a_champion_there_is_no_comparison(without_champion: Path) -> None:
    artifact = json.loads((without_champion / "slices").read_text())
    assert {(row["champion"], row["difference"], row["verdict"]) for row in artifact["slices"]} == {(None, None, None)}
    assert set(artifact["metrics"]) == {"slices", "slices_judged", "worst_slice_bits_per_byte", "worst_slice_excess"}
    assert "There is no champion, so there is no comparison." in (without_champion / "page").read_text()


def test_the_page_fits_a_phone_and_loads_nothing(without_champion: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's package chromium")
    shutil.copy(without_champion / "page", without_champion / "page.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        page, requests = browser.new_page(viewport={"width": 360, "height": 800}), []
        page.on("request", lambda request: requests.append(request.url))
        page.goto((without_champion / "page.html").as_uri())
        assert requests == [(without_champion / "page.html").as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        values = [float(text.split("\n")[0]) for text in page.locator(".forest .row:not(.axis) .how").all_inner_texts()]
        assert len(values) >= 6 and values == sorted(values, reverse=True)
        dots = [dot.bounding_box() for dot in page.locator(".forest .row:not(.axis) circle").all()]
        dot_positions = [box["x"] for box in dots if box]
        assert (
            dot_positions == sorted(dot_positions, reverse=True)
            and max(dot_positions) <= 360
            and dot_positions[0] - dot_positions[-1] > 100
        )
        browser.close()


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"columns": ["colour"]}, "--settings: columns.0 = 'colour': input should be 'source', 'author', 'genre', 'period', 'language' or 'length'"),
        ({"resamples": 5}, "--settings: resamples = 5: input should be greater than or equal to 200"),
    ],
)  # fmt: skip
def test_invalid_settings_are_one_line(settings: dict[str, Any], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, documents(5), [], **settings) == 2
    assert capsys.readouterr().err == f"error: {what}\n"


def test_a_champion_measured_on_other_documents_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, documents(5), documents(6)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "the champion was measured on other documents: the new model was not measured on 'd0005'" in error
    assert not (tmp_path / "out" / "slices").exists()
