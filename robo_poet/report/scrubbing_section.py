"""The section of the model card about the recall of scrubbing on planted personal data (DATA-3)."""

from collections.abc import Mapping
from html import escape
from typing import Any

from robo_poet.judges.scrub_recall import interval_text, per_cent, recall_sentence
from robo_poet.report.sections import table

FOLDED = {"shape": "By the way it is written", "language": "By language of the document", "policy": "By policy"}


def scrubbing_section(measured: Mapping[str, Any]) -> str:
    """Return the recall as HTML: a sentence, a table by kind, and folded tables by shape, language and policy."""
    sentence = recall_sentence(measured)
    if not measured.get("all", {}).get("planted"):
        return f"<p>{escape(sentence[:1].upper() + sentence[1:])}.</p>"
    how = (
        f"Invented names, addresses and numbers were planted into {measured['copies']:,} copies of parts of {measured['documents']:,} "
        f"documents. {sentence[:1].upper()}{sentence[1:]}; the run stops below {per_cent(measured['min_recall'])}. "
        f"Precision in the planted sentences: {per_cent(measured['all']['precision'])}. "
        "Nothing planted is in the training text. Real personal data is harder to find where it is written in other ways."
    )
    folded = [group for group in FOLDED if len(measured[group]) > 1]
    more = "".join(f"<details><summary>{FOLDED[group]}</summary>{_table(group, measured[group])}</details>" for group in folded)
    return f"<p>{escape(how)}</p>{_table('kind', measured['kind'])}{more}"


def _table(group: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    columns = [group, "planted", "wholly removed", "95 % interval"]
    precise = group not in ("shape",)  # a finding has no shape
    cells = [
        [
            name, f"{row['planted']:,}", per_cent(row["recall"]), interval_text(row),
            *([per_cent(row["precision"]), "" if row["f2"] is None else f"{row['f2']:.3f}"] if precise else []),
        ]
        for name, row in rows.items() if row["planted"]
    ]  # fmt: skip
    return table([*columns, *(["precision", "F2"] if precise else [])], cells)
