"""Drift between corpora, through the step and a registry. Covers: drift, baseline, distribution_page, findings."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from components.validate_data.corpus_statistics import measure
from robo_poet.corpus.bundled import sotu
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents, write_documents
from robo_poet.features.distributions import Distributions
from robo_poet.features.features import FEATURES, VERSION
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage
from tests.components.validate_data.runs import Run, needs_tfdv, run_all

pytestmark = needs_tfdv
QUIET = {f"on_{name}": "ignore" for name in ("size", "sentence_length", "type_token_ratio", "skew", "duplicates", "language")}


def register(registry: Path, statistics: Path, folder: Path) -> str:
    """Register a champion with these statistics, and return its digest."""
    store = Registry(registry, "speeches")
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "weights").write_text("w")
    files = {"model": folder / "model", "statistics.json": statistics}
    version = store.register(files, metrics={}, lineage={}, decision={}, stage=Stage.CANDIDATE, who="t", why="t", identity="t")
    return store.promote(version.number, who="t", why="t").digest


def distributions_of(corpus: Path) -> dict[str, object]:
    """Return what a version stores of its corpus. TFDV is not needed for it."""
    distributions = Distributions()
    measure(read_documents(corpus), ["en"], 42, distributions.add)
    return {"documents": distributions.documents, "features": VERSION, "distributions": distributions.bins()}


def write(path: Path, documents: Iterable[Document]) -> Path:
    write_documents(path, documents)
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Runs over speeches of two periods, most of them with the earlier one as the champion's corpus."""
    home = tmp_path_factory.mktemp("drift")
    speeches = [
        Document(**{**{name: getattr(speech, name) for name in Document.__slots__}, "split": ("train", "validation", "test")[n % 3]})
        for n, speech in enumerate(speech.with_text(speech.text[:6_000]) for speech in sotu())
    ]
    old = write(home / "old", [speech for speech in speeches if speech.date < "1900"])
    new = write(home / "new", [speech for speech in speeches if speech.date > "1950"])
    few = write(home / "few", [speech for speech in speeches if speech.date > "1950"][:6])
    statistics = home / "statistics.json"
    statistics.write_text(json.dumps(distributions_of(old)))
    baseline = {"registry": home / "registry", "model_name": "speeches"}
    baseline["champion"] = register(home / "registry", statistics, home / "version")
    (home / "older.json").write_text(json.dumps({"documents": 3}))
    other = {"registry": home / "other", "model_name": "speeches", "champion": register(home / "other", home / "older.json", home / "v2")}
    shutil.copytree(home / "registry", home / "damaged")
    damaged = next((home / "damaged").glob("speeches/versions/*/statistics.json"))
    damaged.chmod(0o644)
    damaged.write_text(damaged.read_text().replace('"no": ', '"no": 1'))
    shutil.copytree(home / "registry", home / "gone")
    gone = next((home / "gone").glob("speeches/versions/*"))
    gone.chmod(0o755)
    (gone / "statistics.json").unlink()
    cases = {
        "first": {"corpus": old},
        "none": {"corpus": new, "champion": "none", "registry": home / "registry", "model_name": "speeches"},
        "same": {"corpus": old, **baseline},
        "warns": {"corpus": new, **baseline},
        "read now": {"corpus": new, **baseline, "champion": ""},
        "stops": {"corpus": new, **baseline, "settings": {**QUIET, "on_drift": "fail"}},
        "ignores": {"corpus": new, **baseline, "registry": home / "damaged", "settings": {**QUIET, "on_drift": "ignore"}},
        "few": {"corpus": few, **baseline},
        "damaged": {"corpus": old, **baseline, "registry": home / "damaged"},
        "gone": {"corpus": old, **baseline, "registry": home / "gone"},
        "older": {"corpus": old, **other},
        "older stops": {"corpus": old, **other, "settings": {**QUIET, "on_drift": "fail"}},
        "unknown": {"corpus": old, **baseline, "champion": "0" * 64},
    }
    results = run_all(home, [{"settings": QUIET, **case} for case in cases.values()])
    return dict(zip(cases, results, strict=True))


def drifted(run: Run) -> set[str]:
    return {row["feature"] for row in run.json("drift")["features"] if row["verdict"] in ("warn", "ignored")}


def test_a_first_run_has_no_baseline_and_says_so(runs: dict[str, Run]) -> None:
    for name in ("first", "none"):
        assert (runs[name].status, runs[name].lines) == (0, [])
        assert runs[name].json("drift") == {
            "state": "none", "baseline": None, "reason": "no champion yet, so there is no corpus to compare with", "features": [],
        }  # fmt: skip
        assert "Not measured: no champion yet" in runs[name].page


def test_the_same_corpus_does_not_drift(runs: dict[str, Run]) -> None:
    assert (runs["same"].status, runs["same"].lines) == (0, [])
    drift = runs["same"].json("drift")
    assert drift["baseline"]["version"] == 1 and len(drift["features"]) > 20
    assert {row["value"] for row in drift["features"]} == {0.0}
    assert "Nothing is wrong" in runs["same"].page


def test_a_corpus_of_another_period_drifts_and_its_documents_are_named(runs: dict[str, Run]) -> None:
    run = runs["warns"]
    assert run.status == 0
    assert {"sentence_tokens", "year", "genre", "punctuation_share"} <= drifted(run)
    assert not {"language", "source", "licence", "damaged_characters"} & drifted(run)
    assert len(run.lines) == len(drifted(run)) and all(line.startswith("warning: drift of ") for line in run.lines)
    year = next(line for line in run.lines if "drift of year" in line)
    assert "1950 to 1974" in year and "such as " in year and " of the documents, before in 0.0%" in year
    assert run.json("executor")["artifacts"]["metrics"]["artifacts"][0]["metadata"]["drifted_features"] == len(drifted(run))
    assert 'class="before"' in run.page and "the corpus of version 1" in run.page
    assert drifted(runs["read now"]) == drifted(run)


def test_drift_stops_or_is_ignored_where_the_profile_says_so(runs: dict[str, Run]) -> None:
    (line,) = runs["stops"].lines
    assert runs["stops"].status == 2 and line.startswith("error: corpus: drift of ") and "mean sentence length" in line
    assert sorted(path.name for path in runs["stops"].folder.iterdir()) == ["page"] and "stops the run" in runs["stops"].page
    assert (runs["ignores"].status, runs["ignores"].lines) == (0, [])
    ignored = runs["ignores"].json("drift")  # its registry is damaged, and is not read
    assert (ignored["state"], ignored["features"]) == ("none", []) and "validation.on_drift" in ignored["reason"]


def test_a_distance_that_chance_explains_is_no_drift(runs: dict[str, Run]) -> None:
    rows = {row["feature"]: row for row in runs["few"].json("drift")["features"]}
    assert any(row["verdict"] == "few" and row["threshold"] < row["value"] <= row["chance"] for row in rows.values())
    assert "too few documents" in runs["few"].page


def test_statistics_do_not_depend_on_the_baseline_and_hold_no_names(runs: dict[str, Run]) -> None:
    texts = {name: (runs[name].folder / "statistics").read_text() for name in ("none", "warns")}
    assert texts["none"] == texts["warns"]
    assert not [name for name in ("Lincoln", "Truman", "Nixon", "Clinton") if name in texts["warns"]]
    assert runs["warns"].json("statistics")["distributions"].keys() == FEATURES.keys()


@pytest.mark.parametrize("name", ["damaged", "gone"])
def test_a_damaged_baseline_is_one_line(runs: dict[str, Run], name: str) -> None:
    (line,) = runs[name].lines
    assert runs[name].status == 2
    assert line.startswith("error: ") and "statistics.json: the file" in line and "restore the version's folder" in line


def test_a_champion_without_distributions_is_a_warning_unless_drift_stops_the_run(runs: dict[str, Run]) -> None:
    (line,) = runs["older"].lines
    assert runs["older"].status == 0
    assert line.startswith(
        "warning: the corpus is not compared with the champion's: speeches/1: the champion's corpus has no distributions"
    )
    assert runs["older"].json("drift")["state"] == "none" and "has no distributions" in runs["older"].page
    (line,) = runs["older stops"].lines
    assert runs["older stops"].status == 2 and line.startswith("error: speeches/1: the champion's corpus has no distributions")
    (line,) = runs["unknown"].lines
    assert runs["unknown"].status == 0 and "no version has the digest 000000000000" in line


def test_the_distances_are_those_of_scipy_and_numpy(runs: dict[str, Run]) -> None:
    now, before = (runs[name].json("statistics") for name in ("warns", "first"))
    for row in runs["warns"].json("drift")["features"]:
        both = [statistics["distributions"][row["feature"]] for statistics in (now, before)]
        keys = [*both[0], *(key for key in both[1] if key not in both[0])]
        shares = []
        for counts, documents in zip(both, (now["documents"], before["documents"]), strict=True):
            missing = documents - sum(counts.values())
            shares.append(np.array([counts.get(key, 0) for key in keys] + [missing]) / documents)
        distance = jensenshannon(*shares, base=2) ** 2 if row["measure"] == "jensen_shannon" else np.abs(shares[0] - shares[1]).max()
        assert row["value"] == pytest.approx(distance, abs=1e-5), row["feature"]
