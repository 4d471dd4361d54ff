import re

from robo_poet.report.page import page


def test_a_page_is_complete_and_loads_no_other_file() -> None:
    html = page("Tom & Anna", [("First <part>", "<p>body</p>"), ("Second", "<p>more</p>")])
    assert html.startswith("<!doctype html>")
    assert "<title>Tom &amp; Anna</title>" in html
    assert "First &lt;part&gt;" in html
    assert "<p>body</p>" in html
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)
    assert 'name="viewport"' in html
    assert "prefers-color-scheme: dark" in html
    assert html == page("Tom & Anna", [("First <part>", "<p>body</p>"), ("Second", "<p>more</p>")])


def test_one_section_of_the_same_name_has_no_second_heading() -> None:
    html = page("Corpus", [("Corpus", "<p>body</p>")])
    assert "<h2>" not in html
    assert "<nav>" not in html


def test_folded_sections_are_closed_but_printed_and_the_lead_stands_first() -> None:
    html = page("Card", [("First", "<p>1</p>"), ("Second", "<p>2</p>")], lead="<p>lead</p>", folded=["Second"])
    assert '<details class="part" id="part-1" open>' in html and '<details class="part" id="part-2">' in html
    assert html.index("<p>lead</p>") < html.index("<nav>") < html.index("<p>1</p>")
    assert "details::details-content { content-visibility: visible" in html.partition("@media print")[2]
