"""Which documents a selection means."""

import pytest

from robo_poet.corpus.document import Document
from robo_poet.deletion.selection import Selection
from robo_poet.errors import BadInput

DOCUMENT = Document(
    id="poems/Heron.txt", group="poems", text="The heron waits, says Ann Bell.", title="Heron", author="Zoë O'Hara", source="letters"
).with_text("The heron waits, says Ann Bell.")


@pytest.mark.parametrize(
    "values",
    [
        {"subjects": ("ann bell",)}, {"subjects": ("Bell Ann",)}, {"subjects": ("Zoe O Hara",)}, {"subjects": ("nobody", "HERON",)},
        {"sources": ("LETTERS",)}, {"sources": ("/home/a/mine/",)}, {"sources": ("mine",)}, {"documents": ("poems/Heron.txt",)},
        {"documents": (DOCUMENT.sha256,)}, {"titles": ("heron!",)}, {"authors": ("zoe o'hara",)}, {"pieces": ("HERON  waits",)},
    ],
)  # fmt: skip
def test_selected(values: dict[str, tuple[str, ...]]) -> None:
    assert Selection(**values).selects(DOCUMENT, "/home/a/mine")


@pytest.mark.parametrize(
    "values",
    [
        {"subjects": ("ann bellow",)}, {"subjects": ("Hara letters",)}, {"sources": ("letter",)}, {"sources": ("home",)},
        {"documents": ("poems/heron.txt",)}, {"titles": ("Her",)}, {"authors": ("Zoe",)}, {"pieces": ("heron waited",)},
    ],
)  # fmt: skip
def test_not_selected(values: dict[str, tuple[str, ...]]) -> None:
    assert not Selection(**values).selects(DOCUMENT, "/home/a/mine")


def test_without_an_address_no_source_matches_it() -> None:
    assert not Selection(sources=("mine",)).selects(DOCUMENT)


def test_columns_for_the_suppression_list() -> None:
    user = Document(id="1", group="1", text="x", author="Ann Bell", source="user")
    assert list(Selection(subjects=("ann bell",), sources=("letters", "user")).of_column([DOCUMENT, user])) == [
        ("author", "Ann Bell"), ("source", "letters"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "nothing is selected"), ({"subjects": ("",)}, "nothing is selected"), ({"subjects": ("x",)}, "--subject: 'x' has 1 letters"),
        ({"pieces": ("a and b",)}, "--text: 'a and b' has 5 letters"), ({"documents": (" ",)}, "--document"),
    ],
)  # fmt: skip
def test_refused(values: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Selection(**values)
