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
from robo_poet.digest import digest_path
from robo_poet.evaluation.likelihood import DocumentLikelihood, write_likelihoods
from tests.components.slice_metrics.made import champion_of, documents


def run(folder: Path, ours: Sequence[DocumentLikelihood], theirs: Sequence[DocumentLikelihood], **settings: Any) -> int:
    """Outputs are in folder / out, whatever folder is the working one."""
    write_likelihoods(folder / "ours", ours)
    write_likelihoods(folder / "theirs", theirs)
    arguments = ["--measured", folder / "ours", "--champion-measured", folder / "theirs", "--seed", 3]
    arguments += ["--settings", json.dumps({"resamples": 300, **settings})]
    for name in ("slices", "page", "metrics", "executor-output"):
        arguments += [f"--{name}", folder / "out" / name]
    return main([str(argument) for argument in arguments])


def test_the_slices_their_page_and_their_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = documents(80)
    ours[7] = replace(ours[7], nats=math.nan, author="<script>alert(1)</script>")
    champion, outputs = champion_of(ours), []
    for name in ("a", "b"):
        (tmp_path / name / "work").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name / "work")
        assert run(tmp_path / name, ours, champion, max_values=5) == 0
        outputs.append({path.name: path.read_bytes() for path in (tmp_path / name / "out").iterdir()})
        assert not list((tmp_path / name / "work").iterdir()), "nothing of TFMA's stays"
    assert outputs[0] == outputs[1] and set(outputs[0]) == {"slices", "page", "metrics", "executor-output"}
    said = capfd.readouterr()
    assert said.out == "" and all(line.startswith(("[", "warning: slices by ")) for line in said.err.splitlines()), said.err

    found = json.loads(outputs[0]["slices"])
    keys = [one["key"] for one in found["slices"]]
    assert keys[:2] == ["", "source=x"] and {"author=100 %25%2C %2A", "author=Keats%2C John", "period="} <= set(keys)
    assert not any("genre" in one["slice"] for one in found["slices"])  # all of its values are empty
    assert found["left_out"][0] == {
        "columns": ["author"],
        "slices": 2,
        "documents": 80 - sum(o["documents"] for o in found["slices"] if list(o["slice"]) == ["author"]),
    }
    assert found["slices"][0]["metrics"]["bits_per_byte"] == {"value": None, "low": None, "high": None}
    assert found["metrics"]["worst_slice_bits_per_byte"] is None and json.loads(outputs[0]["metrics"]) == found["metrics"]
    output = json.loads(outputs[0]["executor-output"])
    assert output["parameterValues"] == {"slices_digest": digest_path(tmp_path / "a" / "out" / "slices")}
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"]["slices"] == found["metrics"]["slices"]
    page = outputs[0]["page"].decode()
    assert "<script" not in page and "http" not in page and "not measured" in page


@pytest.fixture(scope="module")
def without_champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("without")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(folder, documents(70), [], columns=["author", "length"], crosses=[]) == 0
    return folder / "out"


def test_without_a_champion_nothing_is_said_of_one(without_champion: Path) -> None:
    found = json.loads((without_champion / "slices").read_text())
    assert {(one["champion"], one["difference"], one["verdict"]) for one in found["slices"]} == {(None, None, None)}
    assert set(found["metrics"]) == {"slices", "slices_judged", "worst_slice_bits_per_byte", "worst_slice_excess"}
    assert "There is no champion, so there is no comparison." in (without_champion / "page").read_text()


def test_the_page_is_readable_on_a_phone_and_asks_for_nothing(without_champion: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's package chromium")
    shutil.copy(without_champion / "page", without_champion / "page.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        page, asked = browser.new_page(viewport={"width": 360, "height": 800}), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((without_champion / "page.html").as_uri())
        assert asked == [(without_champion / "page.html").as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        values = [float(text.split("\n")[0]) for text in page.locator(".forest .row:not(.axis) .how").all_inner_texts()]
        assert len(values) >= 6 and values == sorted(values, reverse=True)
        dots = [dot.bounding_box() for dot in page.locator(".forest .row:not(.axis) circle").all()]
        places = [box["x"] for box in dots if box]
        assert places == sorted(places, reverse=True) and max(places) <= 360 and places[0] - places[-1] > 100
        browser.close()


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"columns": ["colour"]}, "--settings: columns.0 = 'colour': input should be 'source', 'author', 'genre', 'period', 'language' or 'length'"),
        ({"resamples": 5}, "--settings: resamples = 5: input should be greater than or equal to 200"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_one_line(
    settings: dict[str, Any], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, documents(5), [], **settings) == 2
    assert capsys.readouterr().err == f"error: {what}\n"


def test_a_champion_of_other_documents_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, documents(5), documents(6)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "the champion was measured on other documents: the new model was not measured on 'd0005'" in error
    assert not (tmp_path / "out" / "slices").exists()
