"""Synthetic document likelihoods, as two models might have."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from robo_poet.evaluation.likelihood import SLICES, DocumentLikelihood

AUTHORS = ("William Shakespeare", "Keats, John", "a=b", "100 %, *", "Ælfric", "")


def document(number: int = 0, **columns: Any) -> DocumentLikelihood:
    defaults: dict[str, Any] = dict.fromkeys((*SLICES, "group"), "x") | {
        "id": f"d{number:04}", "bytes": 300, "tokens": 100, "first": 30, "among_five": 50, "nats": 400.0, "unigram_nats": 700.0,
    }  # fmt: skip
    return DocumentLikelihood(**defaults | columns)


def documents(count: int, *, seed: int = 0, works: int = 30) -> list[DocumentLikelihood]:
    """Return documents of many lengths, by six authors in three periods. Each author has more bits per byte than the previous one."""
    dice = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        author, size = int(dice.integers(len(AUTHORS))), int(dice.lognormal(6, 1)) + 20
        tokens = size // 3 + 1
        rows.append(
            document(
                number, author=AUTHORS[author], group=f"{author}, work {dice.integers(works)}", period=["1700s", "1800s", ""][number % 3],
                genre="", bytes=size, tokens=tokens, first=tokens // 4, among_five=tokens // 2, nats=size * (1.5 + 0.1 * author + dice.normal(0, 0.1)),
            )
        )  # fmt: skip
    return rows


def champion_of(rows: Sequence[DocumentLikelihood], *, seed: int = 9, worse: float = 0.05) -> list[DocumentLikelihood]:
    """Return the same documents under a model with more nats and fewer hits."""
    dice = np.random.default_rng(seed)
    return [replace(row, nats=row.nats * (1 + worse + 0.02 * dice.normal()), first=row.first // 2) for row in rows]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(["", "a=b", "a,b", "*", "%2C", "%", "1790"])


@st.composite
def tables(draw: st.DrawFn) -> list[DocumentLikelihood]:
    """Draw up to 30 documents with any values in any column."""
    values = st.fixed_dictionaries(
        dict.fromkeys(SLICES, TEXT)
        | {"group": TEXT, "bytes": st.integers(1, 999), "tokens": st.integers(1, 999), "nats": st.floats(0, 1e6)}
    )
    return [document(number, **columns) for number, columns in enumerate(draw(st.lists(values, min_size=1, max_size=30)))]
