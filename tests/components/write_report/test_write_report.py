import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from components.write_report.__main__ import main
from robo_poet.corpus.curation.dropped import FEW_WORDS, NEAR, Dropped, write_dropped
from robo_poet.evaluation.completions import Continuation, write_continuations

HOSTILE = "<script>alert('x')</script> & \"so\""
STATISTICS = {
    "documents": 3, "megabytes": 1.5, "anomalies": [],
    "splits": {"train": {"documents": 1, "megabytes": 1.0, "groups": 1}, "test": {"documents": 2, "megabytes": 0.5, "groups": 1}},
    "checks": [{"name": "size", "value": 1.5, "low": 1.0, "high": None, "verdict": "ok"}],
    "sources": {HOSTILE: 3}, "rights": [
        {"source": HOSTILE, "licence": "", "documents": 2, "consent": 1}, {"source": HOSTILE, "licence": HOSTILE, "documents": 1, "consent": 0},
    ],
    "length_histogram": {"edges": [0, 10, 20], "counts": [1, 2]},
}  # fmt: skip
HISTORY = [
    {"step": 10, "epoch": 0.5, "tokens": 100, "loss": 4.0, "learning_rate": 1e-3},
    {"step": 20, "epoch": 1.0, "tokens": 200, "loss": 3.0, "learning_rate": 1e-3, "validation_cross_entropy": 3.5, "validation_perplexity": 33.1},
]  # fmt: skip
EVALUATION = {
    "metrics": {"perplexity": 33.1, "bits_per_byte": 2.5}, "documents": 2, "tokens": 90, "unit": "document", "units": 2,
}  # fmt: skip
GATE = {"slice": "", "against": "", "low": None, "high": None, "unknown": False}
DECISION = {
    "verdict": "rejected", "reason": "perplexity is 33.1, above 20; bleu was not measured",
    "gates": [
        {**GATE, "metric": "perplexity", "value": 33.1, "bound": "<= 20", "verdict": "fail", "reason": "perplexity is 33.1, above 20", "low": 31.0, "high": 35.5},
        {**GATE, "metric": "bleu", "value": None, "bound": ">= 0.1", "verdict": "fail", "reason": "bleu was not measured"},
        {**GATE, "metric": "bits_per_byte", "value": 0.01, "bound": "<= champion + 0.02", "verdict": "pass", "reason": "", "slice": f"author={HOSTILE}", "against": "champion"},
    ],
    "metrics": {"perplexity": 33.1, "bits_per_byte": 2.5, "copied_share": 0.25, "toxic_share": None, "secrets_planted": 0},
    "intervals": {"perplexity": [31.0, 35.5]},
}  # fmt: skip
VALUE = {"value": 2.5, "low": 2.4, "high": 2.6}
TEXT_METRICS = {
    "champion": {"bleu": 0.5}, "difference": {"bleu": {"value": -0.25, "low": -0.375, "high": -0.125, "units": 12}},
    "human": {"copied_share": 0.125}, "personal_data": {HOSTILE: {"found": 2, "in_training": 1}}, "notes": ["of one language alone"],
    "private_rows": [3], "private_champion_rows": [0], "not_looked_for": 1234, "continuations": 4, "unit": "document", "units": 2,
    "worst": {"repetition_rate": {"row": 1, "document": "d", "value": 0.5}, "sentiment": {"row": 1, "document": "d", "value": -0.75}}, "best": {},
}  # fmt: skip
AUDIT = {
    "axes": [{
        "measure": "likelihood", "axis": "gender", "group": HOSTILE, "reference": "men", "language": "en", "pairs": 40,
        "gap": {"value": 0.3, "low": 0.2, "high": 0.4}, "together": {"value": 0.3, "low": 0.1, "high": 0.5},
    }],
    "examples": [{"axis": "gender", "group": "women", "text": HOSTILE, "reference": "he", "gap": 0.7}],
}  # fmt: skip
SLICES = {
    "min_documents": 10,
    "slices": [
        {"slice": {}, "key": "", "documents": 2, "metrics": {"bits_per_byte": VALUE}, "champion": None},
        {"slice": {"author": HOSTILE}, "key": "author=x", "documents": 2, "metrics": {"bits_per_byte": VALUE}, "champion": {"bits_per_byte": VALUE}},
    ],
}  # fmt: skip
COMPARISON = {
    "state": "measured", "identical": True, "champion": {"version": 7, "digest": "d"}, "reason": "worse: +0.0100 bits per byte",
    "bits_per_byte": {"new": 2.5, "champion": 2.49, "difference": {"value": 0.01, "low": 0.0, "high": 0.02, "units": 12}},
}  # fmt: skip
FIGURES = {
    "planted": 40,
    "covered": 38,
    "recall": 0.95,
    "low": 0.9,
    "high": 0.98,
    "findings": 40,
    "right": 39,
    "precision": 0.975,
    "f2": 0.955,
}
RECALL = {
    "copies": 20, "documents": 3, "min_recall": 0.8, "all": FIGURES, "kind": {"name": FIGURES}, "shape": {"plain": FIGURES, HOSTILE: FIGURES},
    "language": {"en": FIGURES}, "policy": {"full": FIGURES},
}  # fmt: skip
NO_SKEW = {"state": "none", "snapshot": None, "passages": 0, "reason": "the run names no snapshot", "features": []}
DRIFT = {"state": "none", "baseline": None, "reason": "no champion yet", "features": []}
TEXTS = (("first", " of all"), (HOSTILE, " again again"), (HOSTILE, "\nand so to bed, jane@example.org"), ("who", " is Mara Ellison"))
ROWS = [Continuation("d", "w", "en", prompt, text, "", "length", [], []) for prompt, text in TEXTS]


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    inputs = {
        "statistics": STATISTICS, "evaluation": EVALUATION, "decision": DECISION, "text_metrics": TEXT_METRICS, "model_audit": AUDIT,
        "slices": SLICES, "comparison": COMPARISON, "recall": RECALL, "drift": DRIFT, "prompt_skew": NO_SKEW,
    }  # fmt: skip
    for name, value in inputs.items():
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "history").write_text("".join(json.dumps(point) + "\n" for point in HISTORY))
    write_continuations(tmp_path / "continuations", ROWS)
    write_continuations(tmp_path / "champion_continuations", [replace(row, text=f" champion {number}") for number, row in enumerate(ROWS)])
    write_dropped(tmp_path / "dropped", [Dropped("a", NEAR, duplicate_of="b", value=0.9), Dropped("c", FEW_WORDS, value=3)])
    names = [*inputs, "dropped", "history", "continuations", "champion_continuations", "report", "card", "summary"]
    lineage = json.dumps({"model": "sonnets", "source": HOSTILE, "settings": {"train": {"epochs": 3}}, "code": {"ingest": "0a1b"}})
    return ["--lineage", lineage] + [part for name in names for part in (f"--{name.replace('_', '-')}", str(tmp_path / name))]


def test_the_report_holds_verdict_metrics_samples_curve_and_corpus(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    html = (tmp_path / "report").read_text()
    for heading in (
        "Verdict",
        "Comparison with the champion",
        "Samples",
        "Metrics",
        "Slices",
        "Bias",
        "Safety",
        "Limits",
        "Training",
        "Data",
        "Scrubbing",
        "Lineage",
    ):
        assert f"{heading}</h2>" in html
    assert "perplexity is 33.1, above 20" in html and "not measured" in html and "and so to bed" in html
    assert html.count("<svg") >= 4
    assert "leaves out 2 documents" in html and '<td>near-duplicate</td><td class="number">1</td>' in html
    assert json.loads((tmp_path / "card").read_text())["dropped"] == {"near_duplicate": 1, "few_words": 1}
    assert "Both models give every document the same likelihood: this is the same model, or a copy of it." in html
    assert "Version 7 on the same documents and prompts. Worse: +0.0100 bits per byte" in html
    assert "-0.2500</td><td>-0.3750 to -0.1250" in html and "+0.010</td><td>+0.000 to +0.020" in html, "against the champion"
    assert "31.0 to 35.5" in html, "intervals"
    assert "25.0%" in html and "12.5%" in html, "the model's share of copies beside people's"
    assert "repetition rate (4-grams) 50.0%, sentiment (−1 to 1) -0.750" in html and "again again" in html, (
        "the worst sample, once, and why it is here"
    )
    assert "of one language alone" in html and "The held-out text has few works" in html, "its limits"
    assert "95.0 % of 40 planted values are removed (95 % interval 90.0 to 98.0 %); the run stops below 80.0 %" in html
    assert "<td>name</td><td>40</td><td>95.0 %</td><td>90.0 to 98.0 %</td><td>97.5 %</td><td>0.955</td>" in html
    assert "By the way it is written" in html and "By language of the document" not in html, "a table of one row says nothing"
    assert "train.epochs" in html and "0a1b" in html


def test_the_first_screen_has_name_corpus_verdict_figures_and_a_sample(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    first, _, rest = (tmp_path / "report").read_text().partition("<nav>")
    assert (
        "<h1>Model card of sonnets</h1>" in first
        and "3 documents, 1.50 MB" in first
        and ">rejected</span> 1 of 3 gates passed, 2 failed" in first
    )
    assert first.count('class="value"') == 2 and "33.1" in first and "25.0%" in first and "Lower is better." in first, "what was measured"
    assert '<span class="faint">first</span> of all' in first
    assert rest.count('<details class="part"') == 13 and rest.count(" open>") == 7 and "<section" not in rest


def test_samples_stand_beside_the_champions_without_rows_of_personal_data(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    pairs = json.loads((tmp_path / "card").read_text())["samples"]["beside_champion"]
    assert [(pair["text"], pair["champion"]) for pair in pairs] == [
        (" again again", " champion 1"),
        ("\nand so to bed, […]", " champion 2"),
    ]
    html = (tmp_path / "report").read_text()
    assert html.count('<div class="beside">') == 2 and "<pre> champion 1</pre>" in html and " champion 0" not in html


def test_without_champion_or_its_private_rows_no_samples_stand_side_by_side(arguments: list[str], tmp_path: Path) -> None:
    write_continuations(tmp_path / "champion_continuations", [])
    assert main(arguments) == 0 and "Samples side by side" not in (tmp_path / "report").read_text()
    write_continuations(tmp_path / "champion_continuations", ROWS)
    (tmp_path / "text_metrics").write_text(
        json.dumps({name: value for name, value in TEXT_METRICS.items() if name != "private_champion_rows"})
    )
    assert main(arguments) == 0 and "Samples side by side" not in (tmp_path / "report").read_text()


def test_nothing_from_the_data_becomes_markup_and_nothing_is_loaded_from_elsewhere(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    html = (tmp_path / "report").read_text()
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not re.search(r'(src|href)="(?!#)', html.replace("xlink:href", "href"))


PHONE = 390  # CSS pixels


def test_the_card_fits_a_phone_and_no_column_is_lost(arguments: list[str], tmp_path: Path) -> None:
    """With names and texts without a space that are longer than a line of a phone."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Debian's package chromium")
    long = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
    gates = [{**gate, "slice": f"author={long}", "reason": f"{gate['reason']} {long}"} for gate in DECISION["gates"]]
    (tmp_path / "decision").write_text(json.dumps({**DECISION, "gates": gates, "reason": f"{long} is above 20"}))
    (tmp_path / "statistics").write_text(json.dumps({**STATISTICS, "sources": {long: 3}}))
    row = {**SLICES["slices"][1], "slice": {"author": long}, "key": f"author={long}"}
    (tmp_path / "slices").write_text(json.dumps({**SLICES, "slices": [SLICES["slices"][0], row]}))
    write_continuations(tmp_path / "continuations", [replace(row, prompt=long, text=f" {long}/{long}") for row in ROWS])
    lineage = {"model": "m" * 63, "source": f"/data/{long}/{long}", "settings": {"train": {"epochs": 3}}, "code": {"ingest": "0a" * 32}}
    arguments[arguments.index("--lineage") + 1] = json.dumps(lineage)
    assert main(arguments) == 0
    card = (tmp_path / "report").rename(tmp_path / "report.html").as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": PHONE, "height": 844})
        page.goto(card)
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
        wider = "(parts, width) => parts.filter(part => part.getBoundingClientRect().right > width && !part.closest('.scroll')).map(part => part.outerHTML)"
        assert page.locator("body *").evaluate_all(wider, PHONE) == [], "only a table that scrolls is wider"
        browser.close()


def test_the_same_inputs_give_the_same_page(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    first = (tmp_path / "report").read_bytes()
    assert main(arguments) == 0
    assert (tmp_path / "report").read_bytes() == first


def test_the_card_as_json_says_what_the_page_says(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    card = json.loads((tmp_path / "card").read_text())
    assert (card["verdict"], card["metrics"]["perplexity"], card["people"]) == ("rejected", 33.1, {"copied_share": 0.125})
    assert card["champion"]["champion"]["version"] == 7 and card["bias"]["groups"][0]["group"] == HOSTILE
    assert card["samples"]["bad"] == [
        {"prompt": HOSTILE, "text": " again again", "reference": "", "picked_by": {"repetition_rate": 0.5, "sentiment": -0.75}}
    ]
    assert [sample["text"] for sample in card["samples"]["drawn"]] == [" of all", " again again", "\nand so to bed, […]"], "no private row"
    assert any("1,234 scrubbed names" in limit for limit in card["limits"])
    assert "1 of 3 documents have neither a licence nor a consent in the corpus." in card["limits"]
    assert "Ellison" not in json.dumps(card) and "jane" not in (tmp_path / "report").read_text()
    assert card["training"]["best_step"] == 20 and card["lineage"]["settings"] == {"train": {"epochs": 3}}


def test_without_champion_slices_and_groups_the_page_says_so(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "comparison").write_text(json.dumps({"state": "none", "champion": None, "reason": "no champion yet"}))
    (tmp_path / "slices").write_text('{"slices": []}')
    (tmp_path / "model_audit").write_text("{}")
    assert main(arguments) == 0
    html = (tmp_path / "report").read_text()
    assert "no champion yet." in html and "No slice was measured." in html and "Not measured." in html


def test_the_markdown_says_the_verdict_first(arguments: list[str], tmp_path: Path) -> None:
    assert main(arguments) == 0
    lines = (tmp_path / "summary").read_text().splitlines()
    assert lines[0] == "# Rejected"
    assert "| perplexity | 33.1 | 31.0 to 35.5 | <= 20 | fail | perplexity is 33.1, above 20 |" in lines


def test_an_input_that_is_not_json_is_one_line(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "decision").write_text("{")
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'decision'}: not JSON")
    assert not (tmp_path / "report").exists()
