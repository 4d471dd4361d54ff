from robo_poet.judges.scrub_recall import Count
from robo_poet.report.scrubbing_section import scrubbing_section


def figures() -> dict[str, object]:
    count = Count(findings=40, right=39)
    count.units.update({number: [2, 2] for number in range(20)})
    return count.as_json()


def test_tables_of_one_row_are_left_out_and_text_is_escaped() -> None:
    rows = {"en": figures(), "<b>": figures()}
    measured = {
        "copies": 20, "documents": 3, "min_recall": 0.8, "all": figures(), "kind": {"name": figures()}, "shape": {"plain": figures()},
        "language": rows, "policy": {"full": figures()},
    }  # fmt: skip
    html = scrubbing_section(measured)
    assert "100.0 % of 40 planted values are removed" in html and "Precision in the planted sentences: 97.5 %." in html
    assert "By language of the document" in html and "By policy" not in html and "&lt;b&gt;" in html and "<b>" not in html


def test_nothing_measured_is_said() -> None:
    assert scrubbing_section({"all": Count().as_json()}) == (
        "<p>The recall of scrubbing was not measured: the policy of all documents is none.</p>"
    )
    assert scrubbing_section({}) == "<p>The recall was not measured.</p>"
