from dataclasses import replace

from robo_poet.report.comparison import compare
from robo_poet.report.comparison_page import comparison_page
from robo_poet.report.measured import Measured

A = Measured(
    "poems/1",
    model="poems",
    metrics={"bits_per_byte": 2.5},
    intervals={"bits_per_byte": [2.4, 2.6]},
    gates=[{"metric": "bleu", "bound": ">= 0.1", "value": 0.2, "verdict": "open", "unknown": True}],
    samples=[{"prompt": "<b>", "text": "O & A"}],
    settings={"train": {"epochs": 3}},
    digests={"corpus": "c", "scrubbed": "s"},
)
B = replace(A, name="odes/2", metrics={"bits_per_byte": 2.0}, intervals={"bits_per_byte": [1.9, 2.1]}, gates=(), samples=())


def test_the_page_has_all_parts_and_escapes_texts() -> None:
    page = comparison_page(compare(A, B))
    headings = ("Overview", "Settings", "Data", "Metrics", "Gates", "Samples")
    assert [name for name in headings if f"<h2>{name}</h2>" not in page] == []
    assert "<h1>A: poems/1, B: odes/2</h1>" in page
    assert "-0.500" in page and "B is better" in page and "2.400 to 2.600" in page
    assert '<span class="warn">open</span>' in page and "no such gate" in page and "no further sample" in page
    assert "&lt;b&gt;" in page and "O &amp; A" in page and "<b>" not in page
    assert '<div class="notes">' not in page


def test_the_page_says_that_texts_differ() -> None:
    page = comparison_page(compare(A, replace(B, digests={"corpus": "d"})))
    assert '<div class="notes"><p>Measured on different texts' in page and "is better" not in page.replace("“Is better”", "")


def test_a_prompt_of_both_sides_is_shown_once() -> None:
    page = comparison_page(compare(A, replace(B, samples=[{"prompt": "<b>", "text": "!"}])))
    assert page.count("&lt;b&gt;") == 1


def test_a_long_table_of_settings_is_folded() -> None:
    settings = {"train": {f"key{number}": number for number in range(20)}}
    page = comparison_page(compare(replace(A, settings=settings), B))
    assert '<details class="part" id="part-2">' in page and '<details class="part" id="part-1" open>' in page


def test_sides_without_measurements_have_a_page() -> None:
    page = comparison_page(compare(Measured("a"), Measured("b")))
    for text in ("The settings are not known.", "Nothing was measured.", "No gate judged.", "No samples."):
        assert text in page
